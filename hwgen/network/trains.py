"""Spike trains: their codes, and the type of those that a node sends."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.network.inverse_leak import DOUBLE, NO_LEAK, InverseLeak

Integers = NDArray[Any]
"""Python ints in an object array, so that a proven range cannot overflow itself."""
Shape = tuple[int, int, int]
Pair = tuple[int, int]
Quad = tuple[int, int, int, int]


def value_dtype(q_max: int) -> np.dtype:
    """Unsigned type for values 0 … ``q_max``."""
    return np.dtype(np.uint8 if q_max <= 0xFF else np.uint16)


class Code(StrEnum):
    """Code of a train s[1 … T], which represents the value q.

    ::

        radix   q = Σ s[t]·2^(T−t): binary, most significant bit first
        rate    q = Σ s[t]: the number of spikes
        ttfs    q = T + 1 − t* of the only spike, at step t*; 0 without a spike

    A radix train of a leak k < 2 represents the real number Σ s[t]·k^(T−t). Its q is still the
    train read as a binary number: it identifies the train and has the same order, but it is not
    the value (:attr:`hwgen.network.TrainType.in_order`).
    """

    RADIX = "radix"
    RATE = "rate"
    TTFS = "ttfs"

    @property
    def max_timesteps(self) -> int:
        """Maximum T."""
        return 16 if self is Code.RADIX else 1024

    def q_max(self, timesteps: int) -> int:
        """Largest value q of a train of ``timesteps`` steps."""
        return (1 << timesteps) - 1 if self is Code.RADIX else timesteps

    def encode_train(self, values: np.ndarray, timesteps: int) -> np.ndarray:
        """The trains that two-phase neurons fire for integer ``values``, 0 … q_max.

        uint8 of zeros and ones, shape (T, \\*values.shape). A rate train holds its spikes first.
        The spikes of a pad value are those of its train.
        """
        train = np.empty((timesteps, *values.shape), dtype=np.uint8)
        for step in range(timesteps):
            if self is Code.RADIX:
                train[step] = (values >> (timesteps - 1 - step)) & 1
            elif self is Code.TTFS:
                train[step] = values == timesteps - step
            else:
                train[step] = values > step
        return train

    def decode_train(self, train: np.ndarray) -> np.ndarray:
        """The values q of trains of shape (T, …), in the smallest unsigned type for q_max."""
        timesteps = len(train)
        values = np.zeros(train.shape[1:], dtype=value_dtype(self.q_max(timesteps)))
        for step in range(timesteps):
            if self is Code.RADIX:
                values <<= 1
            weight = timesteps - step if self is Code.TTFS else 1
            values += train[step] * values.dtype.type(weight)
        return values


class InputCode(StrEnum):
    """Code of an :class:`hwgen.network.Input`, whose docstring defines each."""

    RADIX = "radix"
    RATE = "rate"
    TTFS = "ttfs"
    POISSON = "poisson"
    DIRECT = "direct"
    EVENTS = "events"

    @property
    def train_code(self) -> Code:
        """Code that bounds the input's ``timesteps``; the code of its trains, except DIRECT."""
        if self in (InputCode.POISSON, InputCode.DIRECT, InputCode.EVENTS):
            return Code.RATE
        return Code(self.value)


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
