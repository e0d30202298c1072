"""Samples of a layer's sums that its scales are chosen on.

A channel has few values where maps are small or images few, and new images have larger ones. With
timesteps enough, λ would follow the largest value U that happens to be known. So where each channel
has its own λ and all n values of it are known, the error of a larger value counts, too: in an
exponential tail of scale s, U is about s·ln n above the mean μ, and the next value exceeds it with
a probability of 1/n, by s on average::

    E(λ) + E_tail(λ) / n,  U_in = U + (U − μ)·x / ln n,  x exponential of mean 1
"""

from __future__ import annotations

import math

import numpy as np
import torch

from hwgen.conversion.options import Options

_SAMPLES = 1 << 17  # per layer; the error is a mean, and its minimum is flat
_CHANNEL_SAMPLES = 1 << 14
_FEWEST, _TAIL = 8, 8  # values that have a tail; points of it


def extremes(sums: torch.Tensor, options: Options) -> tuple[np.ndarray, np.ndarray]:
    """Smallest and largest value of each scale, float64."""
    low, high = (f(sums, dim=(0, 2, 3)).double().numpy() for f in (torch.amin, torch.amax))
    return (low, high) if options.channel_scales else (low.min(keepdims=True),
                                                       high.max(keepdims=True))  # fmt: skip


def rows_of(sums: torch.Tensor, options: Options) -> torch.Tensor:
    """All values of each scale."""
    return sums.transpose(0, 1).reshape(sums.shape[1] if options.channel_scales else 1, -1)


def sample_of(sums: torch.Tensor, options: Options) -> np.ndarray:
    """Random values of each scale, float32; a stride would pick the same pixels."""
    images, channels, *size = sums.shape
    each = options.channel_scales
    length = sums.numel() // channels if each else sums.numel()
    wanted = _CHANNEL_SAMPLES if each else _SAMPLES
    if length <= wanted:
        return rows_of(sums, options).float().numpy()
    picks = np.random.default_rng(0).integers(0, length, wanted)
    shape = (images, *size) if each else (channels, images, *size)
    *channel, image, y, x = (torch.from_numpy(i) for i in np.unravel_index(picks, shape))
    found = sums[image, :, y, x].T if each else sums[image, channel[0], y, x].reshape(1, -1)
    return found.float().contiguous().numpy()


def tails_of(largest: np.ndarray, sums: torch.Tensor, options: Options) -> tuple[np.ndarray, float]:
    """Values above the ``largest`` of each row, alike in probability, ascending; and their weight.

    Only the largest itself, without weight, where it is not the next value that matters.
    """
    known = sums.numel() // sums.shape[1]
    if not options.channel_scales or not _FEWEST <= known <= _CHANNEL_SAMPLES:
        return largest[:, np.newaxis], 0.0
    excess = -np.log1p(-(np.arange(_TAIL) + 0.5) / _TAIL)
    mean = sums.mean(dim=(0, 2, 3), dtype=torch.float64).numpy()
    size = (largest - mean) / math.log(known)
    values = largest[:, np.newaxis] + np.maximum(size, 0)[:, np.newaxis] * excess
    return values, 1 / known
