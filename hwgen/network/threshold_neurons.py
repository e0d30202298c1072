"""The neurons that spike at a threshold: inverse-leaky, soft and hard reset, and ttfs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from hwgen.network.checks import require, require_integers
from hwgen.network.inverse_leak import DOUBLE, InverseLeak
from hwgen.network.neuron import FiringConstants, ThresholdNeuron
from hwgen.network.storage import OMITTED, OPTIONAL
from hwgen.network.trains import Code, Integers, TrainType


@dataclass(frozen=True, kw_only=True, eq=False)
class InverseLeakyNeuron(ThresholdNeuron):
    """Two-phase inverse-leaky integrate-and-fire (SpikeConverter, Alg. 1, Eq. 10, 12).

    With k = 2::

        accumulate   as in hwgen.network.neuron
        close        V ← min(max(V·2^f + B, 0), (2^T2 − 1)·θ + θ − 1),  f = threshold_frac_bits
        fire         y[t] = V ≥ θ·2^(T2−1);  V ← 2·(V − y[t]·θ·2^(T2−1)),  t = 1 … T2

    So the train's value is q = clip(⌊(2^f·(W·q_in) + B) / θ⌋, 0, 2^T2 − 1).

    With k = 1 + n/2^m < 2, L(V) = V + ⌊V·n/2^m⌋ and a level D, which is θ after T2 − 1 times L::

        close        V ← min(max(V·2^f + B, 0), V̂),  V̂ = D + ⌈D·2^m/n⌉
        fire         y[t] = V ≥ D;  V ← L(V − y[t]·D),  t = 1 … T2

    V̂ is where one spike per step just balances the growth: L(V̂ − D) = V̂, exactly, since
    ⌊⌈D·2^m/n⌉·n/2^m⌋ = D. L never falls, so V stays in 0 … V̂ (after a spike V ≤ L(V̂ − D); without
    one V ≤ L(D − 1) < 2·D ≤ V̂). V̂ fires in every step, and so would every larger V: the clamp
    changes no spike. V never falls below 0. The train's value Σ y[t]·k^(T2−t) has no closed form
    in integers.

    Parameters
    ----------
    threshold : int64 array, shape (channels,)
        θ in units of 2^−f membrane units; positive.
    timesteps : int
        T2, length of the train that it fires.
    threshold_frac_bits : int
        f, 0 … 16.
    leak : InverseLeak
        k of the firing phase, and of the accumulation in every reader; 2 by default.
    """

    kind: ClassVar[str] = "inverse_leaky"
    code: ClassVar[Code] = Code.RADIX

    threshold_frac_bits: int = 0
    leak: InverseLeak = field(default=DOUBLE, metadata=OMITTED)

    @property
    def level(self) -> Integers:
        """D: θ after T2 − 1 steps of growth, object array (channels,)."""
        level = self.threshold.astype(object)
        for _ in range(self.timesteps - 1):
            level = self.leak.grow(level)
        return level

    @property
    def clamp(self) -> Integers:
        """Largest membrane that Phase I leaves, object array (channels,); V̂ where k < 2."""
        level = self.level
        clamp: Integers = level + self.leak.balance(level) - self.leak.doubles
        return clamp

    def verify(self, channels: int, given: TrainType, *, where: str) -> None:
        super().verify(channels, given, where=where)
        self.leak.verify(where=where)


class IntegrateAndFireNeuron(ThresholdNeuron):
    """A neuron of the rate code that may be single-phase: it starts at V₀ and stays above V_min."""

    code: ClassVar[Code] = Code.RATE
    reset: np.ndarray | None = None

    @property
    def constants(self) -> tuple[np.ndarray, ...]:
        every = (self.threshold, self.initial, self.floor, self.restart)
        return tuple(values for values in every if values is not None)

    def step_range(self, low: Integers, high: Integers) -> tuple[int, int]:
        threshold = self.threshold.astype(object)
        none = np.zeros_like(threshold)
        initial = none if self.initial is None else self.initial.astype(object)
        restart = none if self.restart is None else self.restart.astype(object)
        lowest = np.minimum(none, restart) + np.minimum(low, 0) * self.timesteps
        if self.floor is not None:  # one step below it, the membrane is lifted
            lowest = np.maximum(lowest, self.floor.astype(object) + np.minimum(low, 0))
        highest = initial + np.maximum(high, 0) * self.timesteps
        if self.restart is not None:
            before = np.maximum(np.maximum(initial, restart), threshold - 1)
            highest = np.minimum(highest + np.maximum(restart, 0), before + np.maximum(high, 0))
        top = int(threshold.max())
        return int(lowest.min()) - top, max(int(highest.max()), top)

    def verify(self, channels: int, given: TrainType, *, where: str) -> None:
        super().verify(channels, given, where=where)
        if self.two_phase:
            return
        lowest, top = -(1 << 47), self.threshold - 1
        reset_low = lowest if self.floor is None else self.floor
        for what, values, low, high, rule in (
            ("initial", self.initial, 0, top, "from 0 to threshold − 1"),
            ("floor", self.floor, lowest, 0, "that are not above 0"),
            ("reset", self.reset, reset_low, top, "below the threshold, and not below the floor"),
        ):
            if values is None:
                continue
            require_integers(values, 1, where=where, what=what, bits=48)
            require(
                values.shape == (channels,) and bool(np.all((low <= values) & (values <= high))),
                f"{where}: {what} must hold {channels} values {rule}",
            )
        self._require_current(given, where=where, what="a single-phase neuron fires")


@dataclass(frozen=True, kw_only=True, eq=False)
class SoftResetNeuron(IntegrateAndFireNeuron):
    """Integrate-and-fire with reset by subtraction, rate code (SpikeConverter, Eq. 4').

    ::

        two-phase      accumulate and close as the inverse-leaky neuron (q_max = T2), then
                       y[t] = V ≥ θ;  V ← V − y[t]·θ,  t = 1 … T2, so
                       q = clip(⌊(2^f·(W·q_in) + B) / θ⌋, 0, T2)
        single-phase   V ← V₀, then for t = 1 … T:  V ← max(V + I[t] + B, V_min);  y[t] = V ≥ θ;
                       V ← V − y[t]·θ  (RMP-SNN; ECC, Eq. 2–4). The input must be a rate train of
                       the same length, or direct: I[t] = W·x; B is added in every step.

    Parameters
    ----------
    threshold : int64 array, shape (channels,)
    timesteps : int
    two_phase : bool
    initial : int64 array, shape (channels,), or None for zeros
        V₀ of the single-phase form, 0 ≤ V₀ < θ.
    floor : int64 array, shape (channels,), or None for no floor
        V_min of the single-phase form, V_min ≤ 0.
    threshold_frac_bits : int
        f of the two-phase form, 0 … 16.
    """

    kind: ClassVar[str] = "soft_reset"

    two_phase: bool = True
    initial: np.ndarray | None = None
    floor: np.ndarray | None = field(default=None, metadata=OPTIONAL)
    threshold_frac_bits: int = 0

    def verify(self, channels: int, given: TrainType, *, where: str) -> None:
        super().verify(channels, given, where=where)
        require(
            self.two_phase or self.threshold_frac_bits == 0,
            f"{where}: a single-phase neuron has no threshold_frac_bits; scale its weights",
        )
        for what, values in (("initial membrane", self.initial), ("floor", self.floor)):
            require(
                values is None or not self.two_phase, f"{where}: a two-phase neuron has no {what}"
            )


@dataclass(frozen=True, kw_only=True, eq=False)
class HardResetNeuron(IntegrateAndFireNeuron):
    """Integrate-and-fire that forgets its membrane when it fires, rate code, single-phase.

    V ← V₀, then for t = 1 … T:  V ← max(V + I[t] + B, V_min);  y[t] = V ≥ θ;  V ← V_reset where
    y[t] = 1 (SpikeConverter, Eq. 4; feedback thresholds, Eq. 1, whose L is in B). The input must be
    a rate train of the same length, or direct: I[t] = W·x; B is added in every step.

    Parameters
    ----------
    threshold : int64 array, shape (channels,)
    timesteps : int
    reset : int64 array, shape (channels,), or None for zeros
        V_reset < θ.
    initial : int64 array, shape (channels,), or None for zeros
        0 ≤ V₀ < θ.
    floor : int64 array, shape (channels,), or None for no floor
        V_min ≤ 0, and ≤ V_reset.
    """

    kind: ClassVar[str] = "hard_reset"
    two_phase = False

    reset: np.ndarray | None = None
    initial: np.ndarray | None = None
    floor: np.ndarray | None = None

    @property
    def restart(self) -> np.ndarray:
        return np.zeros_like(self.threshold) if self.reset is None else self.reset


@dataclass(frozen=True, kw_only=True, eq=False)
class TimeToFirstSpikeNeuron(ThresholdNeuron):
    """Two-stage neuron that spikes at most once (TTFS, Eq. 1 – 5).

    ::

        accumulate   as in hwgen.network.neuron: the silent stage
        close        V ← min(max(V·2^f + B, 0), T2·θ + θ − 1),  f = threshold_frac_bits
        fire         V ← V + θ;  y[t] = V ≥ u_th and no spike before, with u_th = (T2 + 1)·θ: the
                     spiking stage charges with the constant current I_ext = θ (Eq. 4), t = 1 … T2

    So the train's value is q = clip(⌊(2^f·(W·q_in) + B) / θ⌋, 0, T2), the spike t* = T2 + 1 − q.

    Parameters
    ----------
    threshold : int64 array, shape (channels,)
        θ: the value of one timestep, in units of 2^−f membrane units; positive.
    timesteps : int
        T2, the paper's t_max.
    threshold_frac_bits : int
        f, 0 … 16.
    """

    kind: ClassVar[str] = "time_to_first_spike"
    code: ClassVar[Code] = Code.TTFS

    threshold_frac_bits: int = 0

    def firing_constants(self, bias: np.ndarray) -> FiringConstants:
        threshold = self.threshold.astype(object)
        first = bias.astype(object) - self.timesteps * threshold
        return FiringConstants(first=first, later=threshold, restored=0 * threshold)
