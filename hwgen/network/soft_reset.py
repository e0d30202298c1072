"""Integrate-and-fire with reset by subtraction."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from hwgen.network.checks import require, require_frac_bits
from hwgen.network.integrate_and_fire import IntegrateAndFireNeuron
from hwgen.network.storage import OPTIONAL
from hwgen.network.train_type import TrainType


@dataclass(frozen=True, kw_only=True, eq=False)
class SoftResetNeuron(IntegrateAndFireNeuron):
    """Integrate-and-fire with reset by subtraction, rate code (SpikeConverter, Eq. 4').

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

    @property
    def frac_bits(self) -> int:
        return self.threshold_frac_bits

    def verify(self, channels: int, given: TrainType, *, where: str) -> None:
        if self.two_phase:
            self._require_train(given, where=where)
        super().verify(channels, given, where=where)
        require_frac_bits(self.threshold_frac_bits, where=where)
        require(
            self.two_phase or self.threshold_frac_bits == 0,
            f"{where}: a single-phase neuron has no threshold_frac_bits; scale its weights",
        )
        for what, values in (("initial membrane", self.initial), ("floor", self.floor)):
            require(
                values is None or not self.two_phase, f"{where}: a two-phase neuron has no {what}"
            )
        if not self.two_phase:
            self._verify_single_phase(channels, given, where=where)
