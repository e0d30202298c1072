"""Neurons: the interface that every type implements.

A two-phase neuron decodes its input trains (accumulate) and encodes the sum (fire). Accumulation
depends on the code of its input alone, with V = G = 0 before it and t = 1 … T1::

    radix   V ← 2·V + I[t]
    rate    V ← V + I[t]
    ttfs    G ← G + I[t];  V ← V + G       (a spike charges from its step on: TTFS, Eq. 2)

so that V = W·q_in after it, whatever the code. A radix train of a leak k < 2 (its sender's) needs
fractions, as many bits f as the reading neuron has::

    V ← L(V) + I[t]·2^f,  L(V) = V + ⌊V·n/2^m⌋,  k = 1 + n/2^m

Then V is in units of 2^−f when it closes, and V·2^f below reads V.

A single-phase neuron integrates and fires in the same timestep.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from hwgen.network.checks import require, require_int, require_integers, require_timesteps
from hwgen.network.inverse_leak import NO_LEAK, InverseLeak
from hwgen.network.trains import Code, Integers, Shape, TrainType


class FiringConstants(NamedTuple):
    """Constants of Phase II per channel, each an object array (channels,).

    A step of Phase II computes R = L(V) + ``first`` in the first step (which takes V for L(V)) and
    R = L(V) + ``later`` in the others, spikes where R ≥ 0, and adds ``restored`` where R < 0.
    """

    first: Integers
    later: Integers
    restored: Integers


class Neuron(ABC):
    """What a layer does with its membranes.

    Each type gives the facts that planning, conversion and the golden model need; none of them asks
    which type it is.

    Attributes
    ----------
    kind : str
        Name of the type in an artefact.
    timesteps : int
        Steps of the train that the neuron fires; 1 for a :class:`hwgen.network.Readout`.
    is_decoder : bool
        Whether it belongs in the last layer, where it gives logits.
    two_phase : bool
        Whether it accumulates whole trains before it fires.
    leak : InverseLeak
        Growth of the membrane per step of Phase II.
    initial, floor : int64 array, shape (channels,), or None
        V₀ and V_min of a single-phase neuron; None for zeros, and without a floor.
    """

    kind: ClassVar[str]
    timesteps: int
    is_decoder: ClassVar[bool] = False
    two_phase: bool = True
    leak: InverseLeak = NO_LEAK
    initial: np.ndarray | None = None
    floor: np.ndarray | None = None
    threshold_frac_bits: int = 0

    @property
    def frac_bits(self) -> int:
        """f: membranes have units of 2^−f when Phase I closes."""
        return self.threshold_frac_bits

    @property
    def closed_form(self) -> bool:
        """Whether Phase II is one quotient, q = clip(⌊(2^f·(W·q_in) + B) / θ⌋, 0, q_max)."""
        return False

    @property
    def restart(self) -> np.ndarray | None:
        """V after a spike of a single-phase neuron, or None where a spike subtracts θ."""
        return None

    @property
    def constants(self) -> tuple[np.ndarray, ...]:
        """Every constant that a single-phase step adds to, or compares with, the membrane."""
        return ()

    @abstractmethod
    def verify(self, channels: int, given: TrainType, *, where: str) -> None:
        """Raise :class:`.NetworkError` at the first broken rule, with a message about ``where``.

        The layer has ``channels`` and reads trains of the type ``given``.
        """

    @abstractmethod
    def train_type(self, shape: Shape, given: TrainType) -> TrainType:
        """Type of the trains that the layer sends; for a readout, the type that it decodes."""

    def firing_constants(self, bias: np.ndarray) -> FiringConstants:
        """Constants of Phase II of a two-phase neuron with the ``bias`` B."""
        raise NotImplementedError(f"{type(self).__name__} has no firing phase")

    def step_range(self, low: Integers, high: Integers) -> tuple[int, int]:
        """Range of all numbers that a single-phase neuron stores, adds or compares.

        ``low`` and ``high`` bound I[t] + B of each channel, in every step.
        """
        raise NotImplementedError(f"{type(self).__name__} does not fire as it integrates")

    def _require_train(self, given: TrainType, *, where: str) -> None:
        """A two-phase neuron reads trains."""
        require(
            not given.constant_steps,
            f"{where}: a {type(self).__name__} accumulates trains and then fires, but direct input "
            f"is a constant current; let a single-phase SoftResetNeuron or HardResetNeuron of "
            f"{given.constant_steps} timesteps read it",
        )

    def _require_current(self, given: TrainType, *, where: str, what: str) -> None:
        """A single-phase neuron needs a current in each of its timesteps."""
        require(
            (given.constant_steps > 0 or given.code is Code.RATE) and given.steps == self.timesteps,
            f"{where}: {what} in the step it integrates, so its input must be a rate train of "
            f"{self.timesteps} steps, not {given.label} of {given.steps}",
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class ThresholdNeuron(Neuron):
    """A neuron that spikes where its membrane reaches a threshold.

    Parameters
    ----------
    threshold : int64 array, shape (channels,)
        θ in units of 2^−f membrane units; positive.
    timesteps : int
        Length of the train that it fires.
    """

    threshold: np.ndarray
    timesteps: int

    code: ClassVar[Code]

    @property
    def q_max(self) -> int:
        """Largest value of a train that it fires."""
        return self.code.q_max(self.timesteps)

    @property
    def closed_form(self) -> bool:
        return self.two_phase and not self.leak.rounds

    @property
    def level(self) -> Integers:
        """D: threshold of the membrane in Phase II, object array (channels,)."""
        return self.threshold.astype(object)

    @property
    def clamp(self) -> Integers:
        """Largest membrane that Phase I leaves, object array (channels,)."""
        return (self.q_max + 1) * self.threshold.astype(object) - 1

    def verify(self, channels: int, given: TrainType, *, where: str) -> None:
        if self.two_phase:
            self._require_train(given, where=where)
        require_int(self.threshold_frac_bits, 0, 16, where=where, what="threshold_frac_bits")
        require_timesteps(self.timesteps, self.code, where=where)
        require_integers(self.threshold, 1, where=where, what="threshold", bits=48)
        require(
            self.threshold.shape == (channels,),
            f"{where}: {self.threshold.size} thresholds do not fit {channels} channels",
        )
        low = int(self.threshold.min())
        require(
            low >= 1,
            f"{where}: threshold must be at least 1, not {low}; convert with more weight bits "
            f"or more threshold_frac_bits",
        )

    def train_type(self, shape: Shape, given: TrainType) -> TrainType:
        return TrainType(
            shape=shape,
            code=self.code,
            timesteps=self.timesteps,
            ones_first=self.two_phase and self.code is Code.RATE,
            leak=self.leak,
        )

    def firing_constants(self, bias: np.ndarray) -> FiringConstants:
        level = self.level
        return FiringConstants(first=bias.astype(object) - level, later=-level, restored=level)
