"""Integrate-and-fire with reset to a constant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hwgen.network.checks import require, require_integers
from hwgen.network.integrate_and_fire import IntegrateAndFireNeuron
from hwgen.network.train_type import TrainType


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

    reset: np.ndarray | None = None
    initial: np.ndarray | None = None
    floor: np.ndarray | None = None

    @property
    def two_phase(self) -> bool:
        return False

    @property
    def restart(self) -> np.ndarray:
        return np.zeros_like(self.threshold) if self.reset is None else self.reset

    def verify(self, channels: int, given: TrainType, *, where: str) -> None:
        super().verify(channels, given, where=where)
        if self.reset is not None:
            require_integers(self.reset, 1, where=where, what="reset", bits=48)
            low = -(1 << 47) if self.floor is None else self.floor
            require(
                self.reset.shape == (channels,)
                and bool((self.reset < self.threshold).all() and (self.reset >= low).all()),
                f"{where}: reset must hold {channels} values below the threshold, and not below "
                f"the floor",
            )
        self._verify_single_phase(channels, given, where=where)
