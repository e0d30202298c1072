"""The activation that a spiking neuron has: what fine-tuning trains with, and conversion keeps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch


@dataclass(frozen=True, kw_only=True, eq=False)
class Steps:
    """y = λ·min(⌊max(u, 0) / λ + η⌋, levels): what a train can stand for.

    Parameters
    ----------
    scale : float64 array, shape (channels,)
        λ.
    levels : int
        q_max, the largest code.
    eta : float
    """

    scale: np.ndarray
    levels: int
    eta: float

    def activate(self, sums: torch.Tensor, scale: torch.Tensor | None = None) -> torch.Tensor:
        """y of ``sums`` (samples, channels, height, width), with ``scale`` in the place of λ.

        Gradients pass the floor as if it were not there (straight-through): to u it is 1 where the
        neuron does not saturate, to λ it is q − u/λ there and q_max where it does.
        """
        step = torch.from_numpy(self.scale).to(sums.dtype) if scale is None else scale
        step = step.reshape(-1, 1, 1)
        units = (sums / step).clamp(0, self.levels)
        codes = (sums / step + self.eta).floor().clamp(0, self.levels)
        return step * (units + (codes - units).detach())
