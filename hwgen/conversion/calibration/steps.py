"""The activation of a spiking neuron, which fine-tuning trains with and conversion keeps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch


@dataclass(frozen=True, kw_only=True, eq=False)
class Steps:
    """y = λ·min(⌊max(u, 0) / λ + η⌋, levels): the values of a train."""

    scale: np.ndarray  # λ, float64 (channels,)
    levels: int  # q_max, the largest code
    eta: float

    def activate(self, sums: torch.Tensor, scale: torch.Tensor | None = None) -> torch.Tensor:
        """y of ``sums`` (samples, channels, height, width), with ``scale`` instead of λ.

        Gradients ignore the floor (straight-through): ∂y/∂u = 1 and ∂y/∂λ = q − u/λ unless the
        neuron saturates; then ∂y/∂λ = q_max.
        """
        step = torch.from_numpy(self.scale).to(sums.dtype) if scale is None else scale
        step = step.reshape(-1, 1, 1)
        units = (sums / step).clamp(0, self.levels)
        codes = (sums / step + self.eta).floor().clamp(0, self.levels)
        return step * (units + (codes - units).detach())
