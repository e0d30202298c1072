"""The two-phase inverse-leaky neuron of SpikeConverter."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from hwgen.network.inverse_leak import DOUBLE, InverseLeak
from hwgen.network.neuron import Integers, ThresholdNeuron
from hwgen.network.storage import OMITTED
from hwgen.network.trains import Code, TrainType


@dataclass(frozen=True, kw_only=True, eq=False)
class InverseLeakyNeuron(ThresholdNeuron):
    """Two-phase inverse-leaky integrate-and-fire (SpikeConverter, Alg. 1, Eq. 10, 12).

    With k = 2:

    accumulate   as in :mod:`hwgen.network.neuron`
    close        V ← min(max(V·2^f + B, 0), (2^T2 − 1)·θ + θ − 1),  f = threshold_frac_bits
    fire         y[t] = V ≥ θ·2^(T2−1);  V ← 2·(V − y[t]·θ·2^(T2−1)),  t = 1 … T2

    So the train's value is q = clip(⌊(2^f·(W·q_in) + B) / θ⌋, 0, 2^T2 − 1).

    With k = 1 + n/2^m < 2, L(V) = V + ⌊V·n/2^m⌋ and a level D, which is θ after T2 − 1 times L:

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
