"""What a layer does with its membranes.

A two-phase neuron decodes its input trains (accumulate) and encodes the sum (fire). Accumulation
depends on the code of its input alone, with V = G = 0 before it and t = 1 … T1:

    radix   V ← 2·V + I[t]
    rate    V ← V + I[t]
    ttfs    G ← G + I[t];  V ← V + G       (a spike charges from its step on: TTFS, Eq. 2)

so that V = W·q_in after it, whatever the code. A radix train of a leak k < 2 (its sender's) needs
fractions, as many bits f as the reading neuron has:

    V ← L(V) + I[t]·2^f,  L(V) = V + ⌊V·n/2^m⌋,  k = 1 + n/2^m

Then V is in units of 2^−f when it closes, and V·2^f below reads V.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hwgen.network.checks import require, require_integers, require_timesteps
from hwgen.network.inverse_leak import DOUBLE, InverseLeak
from hwgen.network.softmax import SoftmaxReadout


def _require_frac_bits(bits: int, *, where: str, what: str = "threshold_frac_bits") -> None:
    require(
        isinstance(bits, int) and 0 <= bits <= 16,
        f"{where}: {what} must be from 0 to 16, not {bits!r}",
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Threshold:
    threshold: np.ndarray
    timesteps: int

    code: ClassVar[str]

    def verify(self, channels: int, *, where: str) -> None:
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


def _require_range(neuron: SoftResetNeuron | HardResetNeuron, channels: int, *, where: str) -> None:
    """Of a single-phase neuron: where membranes start, and how low they go."""
    if neuron.initial is not None:
        require_integers(neuron.initial, 1, where=where, what="initial", bits=48)
        require(
            neuron.initial.shape == (channels,)
            and bool((neuron.initial >= 0).all() and (neuron.initial < neuron.threshold).all()),
            f"{where}: initial must hold {channels} values from 0 to threshold − 1",
        )
    if neuron.floor is not None:
        require_integers(neuron.floor, 1, where=where, what="floor", bits=48)
        require(
            neuron.floor.shape == (channels,) and bool((neuron.floor <= 0).all()),
            f"{where}: floor must hold {channels} values that are not above 0",
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class InverseLeakyNeuron(_Threshold):
    """Two-phase inverse-leaky integrate-and-fire (SpikeConverter, Alg. 1, Eq. 10, 12).

    With k = 2:

    accumulate   as above
    close        V ← min(max(V·2^f + B, 0), (2^T2 − 1)·θ + θ − 1),  f = threshold_frac_bits
    fire         y[t] = V ≥ θ·2^(T2−1);  V ← 2·(V − y[t]·θ·2^(T2−1)),  t = 1 … T2

    So the train's value is q = clip(⌊(2^f·(W·q_in) + B) / θ⌋, 0, 2^T2 − 1).

    With k = 1 + n/2^m < 2, L(V) = V + ⌊V·n/2^m⌋ and a level D, θ put through L T2 − 1 times:

    close        V ← min(max(V·2^f + B, 0), V̂),  V̂ = D + ⌈D·2^m/n⌉
    fire         y[t] = V ≥ D;  V ← L(V − y[t]·D),  t = 1 … T2

    V̂ is where a spike in each step just holds the membrane: L(V̂ − D) = V̂, exactly, since
    ⌊⌈D·2^m/n⌉·n/2^m⌋ = D. L never falls, so V stays in 0 … V̂ for ever (after a spike V ≤
    L(V̂ − D); after none V ≤ L(D − 1) < 2·D ≤ V̂), V̂ fires in every step, and all above it would
    too: the clamp changes no spike. Below 0 none comes. The train's value Σ y[t]·k^(T2−t) has no
    closed form in integers.

    Parameters
    ----------
    threshold : int64 array, shape (channels,)
        θ in units of 2^−f membrane units; positive.
    timesteps : int
        T2, length of the train that it fires.
    threshold_frac_bits : int
        f, 0 … 16.
    leak : InverseLeak
        k of the firing phase, and of whoever reads the train; 2 by default.
    """

    threshold_frac_bits: int = 0
    leak: InverseLeak = DOUBLE
    code: ClassVar[str] = "radix"
    two_phase: ClassVar[bool] = True

    def verify(self, channels: int, *, where: str) -> None:
        super().verify(channels, where=where)
        _require_frac_bits(self.threshold_frac_bits, where=where)
        self.leak.verify(where=where)


@dataclass(frozen=True, kw_only=True, eq=False)
class SoftResetNeuron(_Threshold):
    """Integrate-and-fire with reset by subtraction, rate code (SpikeConverter, Eq. 4').

    two-phase      accumulate and close as the inverse-leaky neuron (q_max = T2), then
                   y[t] = V ≥ θ;  V ← V − y[t]·θ,  t = 1 … T2, so
                   q = clip(⌊(2^f·(W·q_in) + B) / θ⌋, 0, T2)
    single-phase   V ← V₀, then for t = 1 … T:  V ← max(V + I[t] + B, V_min);  y[t] = V ≥ θ;
                   V ← V − y[t]·θ  (RMP-SNN; ECC, Eq. 2–4). The input must be a rate train of
                   the same length, or direct: I[t] = W·x; B comes in every step.

    Parameters
    ----------
    threshold : int64 array, shape (channels,)
    timesteps : int
    two_phase : bool
    initial : int64 array, shape (channels,), or None for zeros
        V₀ of the single-phase form, 0 ≤ V₀ < θ.
    floor : int64 array, shape (channels,), or None for none
        V_min of the single-phase form, V_min ≤ 0.
    threshold_frac_bits : int
        f of the two-phase form, 0 … 16.
    """

    two_phase: bool = True
    initial: np.ndarray | None = None
    floor: np.ndarray | None = None
    threshold_frac_bits: int = 0
    code: ClassVar[str] = "rate"

    def verify(self, channels: int, *, where: str) -> None:
        super().verify(channels, where=where)
        _require_frac_bits(self.threshold_frac_bits, where=where)
        require(
            self.two_phase or self.threshold_frac_bits == 0,
            f"{where}: a single-phase neuron has no threshold_frac_bits; scale its weights",
        )
        for what, values in (("initial membrane", self.initial), ("floor", self.floor)):
            require(
                values is None or not self.two_phase, f"{where}: a two-phase neuron has no {what}"
            )
        _require_range(self, channels, where=where)


@dataclass(frozen=True, kw_only=True, eq=False)
class HardResetNeuron(_Threshold):
    """Integrate-and-fire that forgets its membrane when it fires, rate code, single-phase.

    V ← V₀, then for t = 1 … T:  V ← max(V + I[t] + B, V_min);  y[t] = V ≥ θ;  V ← V_reset where
    y[t] = 1 (SpikeConverter, Eq. 4; feedback thresholds, Eq. 1, whose L is in B). The input must be
    a rate train of the same length, or direct: I[t] = W·x; B comes in every step.

    Parameters
    ----------
    threshold : int64 array, shape (channels,)
    timesteps : int
    reset : int64 array, shape (channels,), or None for zeros
        V_reset < θ.
    initial : int64 array, shape (channels,), or None for zeros
        0 ≤ V₀ < θ.
    floor : int64 array, shape (channels,), or None for none
        V_min ≤ 0, and ≤ V_reset.
    """

    reset: np.ndarray | None = None
    initial: np.ndarray | None = None
    floor: np.ndarray | None = None
    code: ClassVar[str] = "rate"
    two_phase: ClassVar[bool] = False
    threshold_frac_bits: ClassVar[int] = 0

    def verify(self, channels: int, *, where: str) -> None:
        super().verify(channels, where=where)
        _require_range(self, channels, where=where)
        if self.reset is None:
            return
        require_integers(self.reset, 1, where=where, what="reset", bits=48)
        low = -(1 << 47) if self.floor is None else self.floor
        require(
            self.reset.shape == (channels,)
            and bool((self.reset < self.threshold).all() and (self.reset >= low).all()),
            f"{where}: reset must hold {channels} values below the threshold, and not below the "
            f"floor",
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class TimeToFirstSpikeNeuron(_Threshold):
    """Two-stage neuron of at most one spike (TTFS, Eq. 1 – 5).

    accumulate   as above: the silent stage
    close        V ← min(max(V·2^f + B, 0), T2·θ + θ − 1),  f = threshold_frac_bits
    fire         V ← V + θ;  y[t] = V ≥ u_th and no spike before, with u_th = (T2 + 1)·θ: the
                 spiking stage charges with the constant current I_ext = θ (Eq. 4), t = 1 … T2

    So the train's value is q = clip(⌊(2^f·(W·q_in) + B) / θ⌋, 0, T2), the spike t* = T2 + 1 − q.

    Parameters
    ----------
    threshold : int64 array, shape (channels,)
        θ: what one step of time stands for, in units of 2^−f membrane units; positive.
    timesteps : int
        T2, the paper's t_max.
    threshold_frac_bits : int
        f, 0 … 16.
    """

    threshold_frac_bits: int = 0
    code: ClassVar[str] = "ttfs"
    two_phase: ClassVar[bool] = True

    def verify(self, channels: int, *, where: str) -> None:
        super().verify(channels, where=where)
        _require_frac_bits(self.threshold_frac_bits, where=where)


@dataclass(frozen=True, kw_only=True, eq=False)
class Readout:
    """Accumulates as a two-phase neuron, adds B and does not fire: its membranes are the logits.

    The class is their arg-max; the lowest index wins a tie. Behind an identity of weight 1 they
    are the values q of the trains: spike counts of rate trains, and of ttfs trains T + 1 − t*, so
    that the first spike wins.

    Parameters
    ----------
    frac_bits : int
        f, 0 … 16, of trains of a leak k < 2; 0 for all others. B and the logits are in units of
        2^−f.
    """

    frac_bits: int = 0
    two_phase: ClassVar[bool] = True

    def verify(self, *, fractional: bool, where: str) -> None:
        """``fractional`` tells whether the sources send trains of a leak k < 2."""
        _require_frac_bits(self.frac_bits, where=where, what="frac_bits")
        require(
            fractional or self.frac_bits == 0,
            f"{where}: a read-out has frac_bits only where its sources leak by less than 2",
        )


TwoPhase = InverseLeakyNeuron | SoftResetNeuron | TimeToFirstSpikeNeuron
SinglePhase = SoftResetNeuron | HardResetNeuron
Decoder = Readout | SoftmaxReadout
"""What the last layer has: it gives logits instead of spikes."""
Neuron = InverseLeakyNeuron | SoftResetNeuron | HardResetNeuron | TimeToFirstSpikeNeuron | Decoder
