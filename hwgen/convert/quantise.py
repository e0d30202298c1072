"""Float weights to integers: one scale a channel, and integer thresholds that fit it exactly.

With weights w in real units per unit of the input code, a scale s and W = round(w / s), the sums
W · q are membranes in units of s. The threshold is then θ = λ / s. Instead of rounding it, the
scale is moved to s = λ · 2^f / θ for the nearest integer θ, before the weights are rounded: only
they are approximate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MIN_THRESHOLD = 256  # moves no scale by more than 2^−9
MAX_FRAC_BITS = 16
_TRIES = 80
_UNSEEN = 1e-3  # weight of an input that was silent on all calibration images, of the mean


@dataclass(frozen=True, kw_only=True, eq=False)
class Quantised:
    """Integer weights of a layer's projections, in its membrane's units.

    Parameters
    ----------
    weights : tuple of int32 arrays, as the float ones
    scale : float64 array, shape (channels,)
        Real units of a membrane unit.
    threshold : int64 array, shape (channels,), or None for a read-out
        In units of 2^−frac_bits membrane units.
    frac_bits : int
    """

    weights: tuple[np.ndarray, ...]
    scale: np.ndarray
    threshold: np.ndarray | None = None
    frac_bits: int = 0


def quantise_layer(
    weights: Sequence[np.ndarray],
    energies: Sequence[np.ndarray],
    *,
    bits: int,
    output_scale: np.ndarray,
    q_max: int,
    fractions: bool = True,
) -> Quantised:
    """Integer weights and thresholds of a layer that fires.

    Parameters
    ----------
    weights : float64 arrays, shape (channels, …)
        One a projection, in real units per unit of the input code.
    energies : float64 arrays that broadcast to ``weights``
        E[q²] of the inputs: what an error of a weight costs.
    bits : int
        2 … 16.
    output_scale : float64 array, shape (channels,)
        λ.
    q_max : int
        Largest input code.
    fractions : bool
        Whether the neuron has threshold_frac_bits.
    """
    flat, energy = _flatten(weights, energies)
    most = _most(bits)
    scale = _search(flat, energy, most)
    # A scale so fine that full weights on full inputs stay below the threshold serves nobody.
    scale = np.maximum(scale, output_scale / (most * float(q_max) * flat.shape[1]))
    silent = ~flat.any(axis=1)
    scale[silent] = output_scale[silent] / MIN_THRESHOLD
    frac_bits = 0
    smallest = float((output_scale / scale).min())
    while fractions and smallest * 2**frac_bits < MIN_THRESHOLD and frac_bits < MAX_FRAC_BITS:
        frac_bits += 1
    wanted = output_scale / scale * 2.0**frac_bits
    # Rounding down keeps the largest weight in range where the threshold is small.
    threshold = np.maximum(np.floor(wanted + (0.5 if fractions else 0.0)), 1.0)
    scale = output_scale * 2.0**frac_bits / threshold
    return Quantised(
        weights=_round(weights, scale, most),
        scale=scale,
        threshold=threshold.astype(np.int64),
        frac_bits=frac_bits,
    )


def quantise_readout(
    weights: Sequence[np.ndarray], energies: Sequence[np.ndarray], *, bits: int
) -> Quantised:
    """Integer weights of the read-out: one scale for all channels, as the arg-max compares them."""
    flat, energy = _flatten(weights, energies)
    most = _most(bits)
    scale = _search(flat.reshape(1, -1), energy.reshape(1, -1), most)
    scale = np.broadcast_to(scale, len(flat)).copy()
    scale[scale == 0] = 1.0
    return Quantised(weights=_round(weights, scale, most), scale=scale)


def _most(bits: int) -> int:
    return (1 << (bits - 1)) - 1


def _flatten(
    weights: Sequence[np.ndarray], energies: Sequence[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    flat = np.concatenate([w.reshape(len(w), -1) for w in weights], axis=1)
    energy = np.concatenate(
        [np.broadcast_to(h, w.shape).reshape(len(w), -1) for w, h in zip(weights, energies)],
        axis=1,
    )
    mean = float(energy.mean())
    return flat, energy + (_UNSEEN * mean if mean > 0 else 1.0)


def _search(flat: np.ndarray, energy: np.ndarray, most: int) -> np.ndarray:
    """s of each row with the least Σ E[q²]·(w − s·round(w / s))²; 0 for a row of zeros."""
    sizes = np.abs(flat)
    largest = sizes.max(axis=1)
    # Weights of one size, as an average's, are ±1 exactly.
    single = ((sizes == 0) | np.isclose(sizes, largest[:, np.newaxis], rtol=1e-9)).all(axis=1)
    best, least = largest / most, np.full(len(flat), np.inf)
    for part in np.linspace(0.2 if most < 8 else 0.5, 1.0, _TRIES)[::-1]:
        scale = part * largest / most
        column = np.where(scale > 0, scale, 1.0)[:, np.newaxis]
        rest = flat - column * np.clip(np.round(flat / column), -most, most)
        cost = (energy * rest**2).sum(axis=1)
        better = cost < least
        best[better], least[better] = scale[better], cost[better]
    return np.asarray(np.where(single, largest, best))


def _round(weights: Sequence[np.ndarray], scale: np.ndarray, most: int) -> tuple[np.ndarray, ...]:
    rounded = []
    for w in weights:
        column = scale.reshape(-1, *(1,) * (w.ndim - 1))
        rounded.append(np.clip(np.round(w / column), -most, most).astype(np.int32))
    return tuple(rounded)
