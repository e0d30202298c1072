"""Float weights to integers: one scale per channel, and integer thresholds that fit it exactly.

With weights w in real units per unit of the input code, a scale s and W = round(w / s), the sums
W · q are membranes in units of s, and the threshold is θ = λ / s. Instead of rounding θ, the scale
becomes s = λ · 2^f / θ for the nearest integer θ before the weights are rounded: only weights are
approximate.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from hwgen.network import MAX_WEIGHT_BITS

Rounder = Callable[[Sequence[np.ndarray], np.ndarray, int], tuple[np.ndarray, ...]]

MIN_THRESHOLD = 256  # changes no scale by more than 2^−9
MAX_FRAC_BITS = 16
IDENTITY_BITS = 4
BIAS_BITS = 46  # of a readout's bias, without sign; a network's biases have 48
_TRIES = 80
_COLUMNS = 1 << 11
_BLOCK = 1 << 16
_EQUAL = 1e-9  # difference of two equal weights, as a share of them
_UNSEEN = 1e-3  # second moment of an input that is always silent, as a share of the mean


@dataclass(frozen=True, kw_only=True, eq=False)
class Quantised:
    """Integer weights of a layer's projections, in its membrane's units."""

    weights: tuple[np.ndarray, ...]  # int32, in the shapes of the float ones
    scale: np.ndarray  # float64 (channels,): real value of a membrane unit
    threshold: np.ndarray | None = None  # int64 (channels,), in 2^−frac_bits membrane units
    frac_bits: int = 0


def quantise_layer(
    weights: Sequence[np.ndarray],
    second_moments: Sequence[np.ndarray],
    *,
    bits: int,
    output_scale: np.ndarray,
    q_max: float,
    fractions: bool = True,
    minimum_threshold: float = MIN_THRESHOLD,
    rounder: Rounder | None = None,
    unit: np.ndarray | None = None,
) -> Quantised:
    """Integer weights and thresholds of a layer that fires.

    ``weights`` are float64 (channels, …), one array per projection, in real units per unit of the
    input code; those of an identity, one per channel, may take IDENTITY_BITS more.
    ``second_moments``, E[q²] of the inputs, broadcast to them: the cost of a squared error of the
    weight. ``output_scale`` is λ (channels,), ``q_max`` the largest input code. If the neuron has
    ``fractions``, it gets as many bits as bring the smallest threshold to ``minimum_threshold``.
    ``unit``, about the real value of a membrane unit, is :func:`membrane_unit` by default.
    """
    if unit is None:
        unit = membrane_unit(
            weights, second_moments, bits=bits, output_scale=output_scale, q_max=q_max
        )
    scale, frac_bits = unit, 0
    smallest = float((output_scale / scale).min())
    while fractions and smallest * 2**frac_bits < minimum_threshold and frac_bits < MAX_FRAC_BITS:
        frac_bits += 1
    if not fractions:
        scale = scale / _spare(weights, scale, output_scale, bits)
    wanted = output_scale / scale * 2.0**frac_bits
    # Rounding down keeps the largest weight in range where the threshold is small.
    threshold = np.maximum(np.floor(wanted + (0.5 if fractions else 0.0)), 1.0)
    scale = output_scale * 2.0**frac_bits / threshold
    return Quantised(
        weights=_round(weights, scale, bits, rounder),
        scale=scale,
        threshold=threshold.astype(np.int64),
        frac_bits=frac_bits,
    )


def membrane_unit(
    weights: Sequence[np.ndarray],
    second_moments: Sequence[np.ndarray],
    *,
    bits: int,
    output_scale: np.ndarray,
    q_max: float,
) -> np.ndarray:
    """Real value of a membrane unit of each channel, before it is moved to fit the threshold.

    It makes the error of the rounded weights smallest. Parameters as of :func:`quantise_layer`.
    """
    scale, fan_in = _fine_scale(weights, second_moments, bits)
    # With a finer scale, full weights on full inputs would stay below the threshold.
    silent = scale == 0
    scale = np.maximum(scale, output_scale / (_limit(bits) * float(q_max) * fan_in))
    return np.asarray(np.where(silent, output_scale / MIN_THRESHOLD, scale))


def quantise_readout(
    weights: Sequence[np.ndarray],
    second_moments: Sequence[np.ndarray],
    *,
    bits: int,
    bias: np.ndarray,
    bias_bits: int = BIAS_BITS,
    rounder: Rounder | None = None,
) -> Quantised:
    """Integer weights of the readout: one scale for all channels, as the arg-max compares them.

    ``bias``, float64 (channels,) in real units, takes at most ``bias_bits`` and a sign with that
    scale, even if the weights are tiny. It alone decides the scale if all weights are 0.
    """
    flat, second_moment = _flatten(weights, second_moments)
    scale = _search(flat.reshape(1, -1), second_moment.reshape(1, -1), _limit(bits))[0]
    if scale == 0:
        scale = _bias_scale(bias, bits)
    scale = max(scale, float(np.abs(bias).max()) / (1 << bias_bits)) or 1.0
    scales = np.full(len(flat), scale)
    return Quantised(weights=_round(weights, scales, bits, rounder), scale=scales)


def _bias_scale(bias: np.ndarray, bits: int) -> float:
    """Scale with which rounded biases keep their order, and take at least ``bits``; 0 for zeros."""
    gaps = np.diff(np.unique(bias))  # half of the smallest, as halves may round to one integer
    return min(float(gaps.min(initial=np.inf)) / 2, float(np.abs(bias).max()) / _limit(bits))


def _spare(
    weights: Sequence[np.ndarray], scale: np.ndarray, output_scale: np.ndarray, bits: int
) -> np.ndarray:
    """Powers of two, one per channel, by which weights grow where the threshold is small.

    All weights of an average are 1; a threshold of 2 would leave it very few rates.
    """
    largest = np.max([np.abs(w).reshape(len(w), -1).max(axis=1) for w in weights], axis=0) / scale
    room = np.floor(np.log2(_limit(bits) / np.maximum(np.round(largest), 1)))
    needed = np.ceil(np.log2(MIN_THRESHOLD * scale / output_scale))
    return np.asarray(2.0 ** np.clip(needed, 0, np.maximum(room, 0)))


def _fine_scale(
    weights: Sequence[np.ndarray], second_moments: Sequence[np.ndarray], bits: int
) -> tuple[np.ndarray, int]:
    """Best scale of each channel, 0 for one without weights; and the number of inputs."""
    wide = [(w, h) for w, h in zip(weights, second_moments) if w.ndim > 1]
    if not wide:
        flat, second_moment = _flatten(weights, second_moments)
        return _search(flat, second_moment, _limit(bits)), flat.shape[1]
    flat, second_moment = _flatten([w for w, _ in wide], [h for _, h in wide])
    scale = _search(flat, second_moment, _limit(bits))
    limit = _limit(min(bits + IDENTITY_BITS, MAX_WEIGHT_BITS))
    for w in weights:
        if w.ndim == 1:
            scale = np.maximum(scale, np.abs(w) / limit)
    return scale, flat.shape[1] + len(weights) - len(wide)


def _limit(bits: int) -> int:
    return (1 << (bits - 1)) - 1


def _flatten(
    weights: Sequence[np.ndarray], second_moments: Sequence[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    flat = np.concatenate([w.reshape(len(w), -1) for w in weights], axis=1)
    second_moment = np.concatenate(
        [np.broadcast_to(h, w.shape).reshape(len(w), -1) for w, h in zip(weights, second_moments)],
        axis=1,
    )
    mean = float(second_moment.mean())
    return flat, second_moment + (_UNSEEN * mean if mean > 0 else 1.0)


def _search(flat: np.ndarray, second_moment: np.ndarray, limit: int) -> np.ndarray:
    """s of each row with the smallest Σ E[q²]·(w − s·round(w / s))²; 0 for a row of zeros.

    Very long rows are sampled.
    """
    sizes = np.abs(flat)
    largest = sizes.max(axis=1)
    # Weights of one magnitude, such as an average's, become ±1 exactly.
    equal = sizes >= (1 - _EQUAL) * largest[:, np.newaxis]
    single = ((sizes == 0) | equal).all(axis=1)
    if flat.shape[1] > _COLUMNS:
        picks = np.random.default_rng(0).choice(flat.shape[1], _COLUMNS, replace=False)
        flat, second_moment = flat[:, picks], second_moment[:, picks]
    parts = np.linspace(0.2 if limit < 8 else 0.5, 1.0, _TRIES)[::-1]
    unit = np.where(largest > 0, largest, 1.0)[:, np.newaxis] / limit
    best = np.empty(len(flat))
    rows = max(1, _BLOCK // flat.shape[1])  # per block, so that it stays in the cache
    for start in range(0, len(flat), rows):
        block = slice(start, start + rows)
        steps = (flat[block] / unit[block]).astype(np.float32)
        costs = [
            _cost(steps, second_moment[block].astype(np.float32), float(p), limit) for p in parts
        ]
        best[block] = parts[np.argmin(costs, axis=0)]
    return np.asarray(np.where(single, largest, best * largest / limit))


def _cost(steps: np.ndarray, second_moment: np.ndarray, part: float, limit: int) -> np.ndarray:
    """Σ second_moment·(x − p·round(x / p))² of each row of ``steps``."""
    rest = steps * np.float32(1 / part)
    np.rint(rest, out=rest)
    np.clip(rest, -limit, limit, out=rest)
    rest *= np.float32(-part)
    rest += steps
    rest *= rest
    return np.asarray(np.einsum("ij,ij->i", rest, second_moment))


def _round(
    weights: Sequence[np.ndarray], scale: np.ndarray, bits: int, rounder: Rounder | None
) -> tuple[np.ndarray, ...]:
    several = any(w.ndim > 1 for w in weights)
    if rounder is not None:
        weights, column = rounder(weights, scale, _limit(bits)), np.ones(len(scale))
    else:
        column = scale
    rounded = []
    for w in weights:
        more = IDENTITY_BITS if w.ndim == 1 and several else 0
        limit = _limit(min(bits + more, MAX_WEIGHT_BITS))
        steps = np.round(w / column.reshape(-1, *(1,) * (w.ndim - 1)))
        rounded.append(np.clip(steps, -limit, limit).astype(np.int32))
    return tuple(rounded)
