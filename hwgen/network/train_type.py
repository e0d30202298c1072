"""The spike trains that a node sends: their shape, code and length."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwgen.network.codes import Code
from hwgen.network.inverse_leak import DOUBLE, NO_LEAK, InverseLeak

Shape = tuple[int, int, int]
Pair = tuple[int, int]
Quad = tuple[int, int, int, int]


@dataclass(frozen=True, kw_only=True)
class TrainType:
    """Type of the trains that a node sends.

    Parameters
    ----------
    shape : (channels, height, width)
    code : Code
    timesteps : int
        Length of the trains.
    ones_first : bool
        Whether a rate train holds its spikes first, as those of two-phase neurons do.
    leak : InverseLeak
        Leak of the sender of a radix train, by which its readers decode it. Trains of the other
        codes have NO_LEAK, whatever is given.
    constant_steps : int
        0 for a train. Otherwise the trains carry a constant current (direct input): the value that
        each represents is itself the input of every reader, in each of ``constant_steps``
        timesteps.
    """

    shape: Shape
    code: Code
    timesteps: int
    ones_first: bool = False
    leak: InverseLeak = DOUBLE
    constant_steps: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "code", Code(self.code))
        if self.code is not Code.RADIX:
            object.__setattr__(self, "leak", NO_LEAK)

    @property
    def q_max(self) -> int:
        """Largest value q of a train."""
        return self.code.q_max(self.timesteps)

    @property
    def fractional(self) -> bool:
        """Whether the trains are those of a leak k < 2."""
        return self.leak.rounds

    @property
    def steps(self) -> int:
        """Timesteps in which a reader gets a current."""
        return self.constant_steps or self.timesteps

    @property
    def label(self) -> str:
        """The code, or "direct" for a constant current."""
        return "direct" if self.constant_steps else self.code.value

    @property
    def in_order(self) -> bool:
        """Whether, of two trains, the one that spikes first where they differ is the larger.

        For k < 2 this holds for the trains that neurons fire. Where one did not spike its membrane
        was below the level D, so that all it fires after that step is worth less than that spike:
        a fired spike takes D off the membrane, which grows by at most k in a step.
        """
        return self.code is not Code.RATE or self.ones_first

    def accumulated(self, current: np.ndarray) -> np.ndarray:
        """V after Phase I when a reader gets ``current`` in every step.

        Exact with object arrays. A leak never shrinks a membrane, so no partial sum exceeds it.
        """
        if not self.fractional:
            return current * self.q_max
        total = current
        for _ in range(self.timesteps - 1):
            total = self.leak.grow(total) + current
        return total
