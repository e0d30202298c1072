"""What a layer does with its membranes.

A two-phase neuron decodes its input trains (accumulate) and encodes the sum (fire). Accumulation
depends on the code of its input alone, with V = G = 0 before it and t = 1 … T1:

    radix   V ← 2·V + I[t]
    rate    V ← V + I[t]
    ttfs    G ← G + I[t];  V ← V + G       (a spike charges from its step on: TTFS, Eq. 2)

so that V = W·q_in after it, whatever the code.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hwgen.network.checks import require, require_integers, require_timesteps


def _require_frac_bits(bits: int, *, where: str) -> None:
    require(
        isinstance(bits, int) and 0 <= bits <= 16,
        f"{where}: threshold_frac_bits must be from 0 to 16, not {bits!r}",
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


@dataclass(frozen=True, kw_only=True, eq=False)
class InverseLeakyNeuron(_Threshold):
    """Two-phase inverse-leaky integrate-and-fire, k = 2 (SpikeConverter, Alg. 1, Eq. 10, 12).

    accumulate   as above
    close        V ← min(max(V·2^f + B, 0), (2^T2 − 1)·θ + θ − 1),  f = threshold_frac_bits
    fire         y[t] = V ≥ θ·2^(T2−1);  V ← 2·(V − y[t]·θ·2^(T2−1)),  t = 1 … T2

    So the train's value is q = clip(⌊(2^f·(W·q_in) + B) / θ⌋, 0, 2^T2 − 1).

    Parameters
    ----------
    threshold : int64 array, shape (channels,)
        θ in units of 2^−f membrane units; positive.
    timesteps : int
        T2, length of the train that it fires.
    threshold_frac_bits : int
        f, 0 … 16.
    """

    threshold_frac_bits: int = 0
    code: ClassVar[str] = "radix"

    def verify(self, channels: int, *, where: str) -> None:
        super().verify(channels, where=where)
        _require_frac_bits(self.threshold_frac_bits, where=where)


@dataclass(frozen=True, kw_only=True, eq=False)
class SoftResetNeuron(_Threshold):
    """Integrate-and-fire with reset by subtraction, rate code (SpikeConverter, Eq. 4').

    two-phase      accumulate and close as the inverse-leaky neuron (q_max = T2), then
                   y[t] = V ≥ θ;  V ← V − y[t]·θ,  t = 1 … T2, so
                   q = clip(⌊(2^f·(W·q_in) + B) / θ⌋, 0, T2)
    single-phase   V ← V₀, then for t = 1 … T:  V ← V + I[t] + B;  y[t] = V ≥ θ;
                   V ← V − y[t]·θ  (RMP-SNN; ECC, Eq. 2–4). The input must be a rate train of
                   the same length; B comes in every step.

    Parameters
    ----------
    threshold : int64 array, shape (channels,)
    timesteps : int
    two_phase : bool
    initial : int64 array, shape (channels,), or None for zeros
        V₀ of the single-phase form, 0 ≤ V₀ < θ.
    threshold_frac_bits : int
        f of the two-phase form, 0 … 16.
    """

    two_phase: bool = True
    initial: np.ndarray | None = None
    threshold_frac_bits: int = 0
    code: ClassVar[str] = "rate"

    def verify(self, channels: int, *, where: str) -> None:
        super().verify(channels, where=where)
        _require_frac_bits(self.threshold_frac_bits, where=where)
        require(
            self.two_phase or self.threshold_frac_bits == 0,
            f"{where}: a single-phase neuron has no threshold_frac_bits; scale its weights",
        )
        if self.initial is not None:
            require(not self.two_phase, f"{where}: a two-phase neuron has no initial membrane")
            require_integers(self.initial, 1, where=where, what="initial", bits=48)
            require(
                self.initial.shape == (channels,)
                and bool((self.initial >= 0).all() and (self.initial < self.threshold).all()),
                f"{where}: initial must hold {channels} values from 0 to threshold − 1",
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

    def verify(self, channels: int, *, where: str) -> None:
        super().verify(channels, where=where)
        _require_frac_bits(self.threshold_frac_bits, where=where)


@dataclass(frozen=True, kw_only=True, eq=False)
class ReadOut:
    """Accumulates as a two-phase neuron, adds B and does not fire: its membranes are the logits.

    The class is their arg-max; the lowest index wins a tie.
    """


Neuron = InverseLeakyNeuron | SoftResetNeuron | TimeToFirstSpikeNeuron | ReadOut
