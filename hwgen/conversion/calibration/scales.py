"""Output scales: real value of one unit of a layer's code (SpikeConverter, Parameter Optimization).

A neuron with the membrane U_in fires a train of the value::

    U_out = λ · min(⌊max(U_in, 0) / λ + η⌋, q_max)

with the rounding offset η (ECC, Eq. 9: an extra current that centres the residue). The scale λ has
the smallest expected conversion error on calibration data,

::

    E(λ) = E |a(U_in) − U_out|         (SpikeConverter, Eq. 13)

or its square, by the option ``error``. a is the model's activation, min(max(U_in, 0), high): the
cut of a ReLU is not an error, but saturation above ``high`` is.

A linear population has no ReLU. Its train has a zero point z, an integer, and the value::

    U_out = λ · (min(max(⌊U_in / λ + η⌋ + z, 0), q_max) − z)

Where few values are known, E(λ) is E + E_tail / n, with those that may come
(:mod:`hwgen.conversion.calibration.samples`).

The levels of a leak k < 2 are not multiples of λ (:mod:`hwgen.conversion.calibration.levels`): the
largest level that is not above U_in replaces the floor, the largest of all levels q_max, and z is a
level.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch

from hwgen.conversion.calibration.samples import extremes, rows_of, sample_of, tails_of
from hwgen.conversion.choices import ThresholdRule
from hwgen.conversion.options import Options

ETA = 0.5
_TRIES = 24  # points per grid
_ROUNDS = 3  # grids; each spans the neighbours of the best point before


def choose_scales(
    sums: torch.Tensor,
    *,
    q_max: float,
    high: float,
    options: Options,
    levels: np.ndarray | None = None,
    reach: float | np.ndarray = 1.0,
) -> np.ndarray:
    """λ of each channel, float64 (channels,); all equal unless channel_scales is set.

    ``sums`` (samples, channels, height, width) are U_in on calibration images, ``high`` is the
    saturation of the activation; ``levels`` ascend, None is 0, 1, … q_max. A layer (or channel)
    that never fires gets a scale from its saturation, or from the size of its sums, or if these are
    all 0 from its ``reach``, (channels,) or one: it stays silent on such images with any scale.
    """
    channels = sums.shape[1]
    low, top = extremes(sums, options)
    largest = np.minimum(top, high)
    if options.percentile is not None:
        scales = _percentile(rows_of(sums, options), options.percentile, high) / q_max
    elif options.thresholds is ThresholdRule.ONE:
        scales = np.full(len(top), 1 / q_max)
    elif options.thresholds is not ThresholdRule.ERROR:
        scales = largest / q_max
    else:
        rule = _rule(q_max, options, levels)
        tails, weight = tails_of(top, sums, options)
        given = [(np.maximum(sample_of(sums, options), 0), 1.0), (np.maximum(tails, 0), weight)]
        measure = partial(_total, [(part, np.minimum(part, high), w) for part, w in given], rule)
        scales = _minimise(measure, np.minimum(np.maximum(top, tails[:, -1]), high) / q_max)
    scales = scales * options.threshold_scale
    fires = (largest > 0) & (scales > 0) & np.isfinite(scales)
    if not fires.all():
        silent = _silent_sizes(np.maximum(-low, top), high, reach)
        scales = np.where(fires, scales, silent / q_max)
    return np.broadcast_to(scales, (channels,)).copy()


def choose_linear_scales(
    sums: torch.Tensor,
    *,
    q_max: float,
    options: Options,
    levels: np.ndarray | None = None,
    reach: float | np.ndarray = 1.0,
) -> tuple[np.ndarray, np.ndarray]:
    """λ, float64, and z of each channel of a linear population, both (channels,).

    All equal unless channel_scales is set. Parameters as in :func:`choose_scales`.
    """
    low, high = extremes(sums, options)
    above, weight = tails_of(high, sums, options)
    below, _ = tails_of(-low, -sums, options)
    low, high = np.minimum(-below[:, -1], 0), np.maximum(above[:, -1], 0)
    parts = [(sample_of(sums, options), 1.0), (above, weight), (-below, weight)]
    span = np.where(high > low, high - low, _shared(reach, len(low)))
    rule = _rule(q_max, options, levels)
    known = np.arange(q_max + 1) if levels is None else levels
    ideal = -low / span * q_max
    middle = (
        np.round(ideal).astype(np.int64)
        if levels is None
        else (np.abs(known - ideal[:, np.newaxis]).argmin(axis=1))
    )
    best, zeros, smallest = span / q_max, known[middle], np.full(len(low), np.inf)
    for shift in (0, -1, 1):
        zero = known[np.clip(middle + shift, 0, len(known) - 1)]
        measure = partial(_total, [(part, part, w) for part, w in parts], {**rule, "zero": zero})
        scales = _minimise(measure, span / q_max)
        errors = measure(scales)
        better = errors < smallest
        best, zeros = np.where(better, scales, best), np.where(better, zero, zeros)
        smallest = np.minimum(errors, smallest)
    full = np.ones(sums.shape[1])
    return best * full, zeros * (full if levels is not None else full.astype(np.int64))


def _rule(q_max: float, options: Options, levels: np.ndarray | None) -> dict[str, Any]:
    """Arguments of :func:`error` that all scales of a layer share."""
    return {"q_max": q_max, "power": options.error.power, "eta": options.eta, "levels": levels}


def error(
    sums: np.ndarray,
    wanted: np.ndarray,
    scales: np.ndarray,
    q_max: float,
    power: int,
    zero: np.ndarray | None = None,
    *,
    eta: float = ETA,
    levels: np.ndarray | None = None,
) -> np.ndarray:
    """E(λ) of each row of ``sums`` (rows, values), with λ in ``scales`` and z in ``zero`` (rows,).

    Without ``zero`` the sums must be ≥ 0.
    """
    column = scales[:, np.newaxis].astype(sums.dtype)
    codes = sums / column
    codes += sums.dtype.type(eta)
    if levels is not None:
        shift = np.zeros((1, 1)) if zero is None else zero[:, np.newaxis]
        indices = np.searchsorted(levels, codes + shift, side="right") - 1
        codes = (levels[np.maximum(indices, 0)] - shift).astype(sums.dtype)
    else:
        np.floor(codes, out=codes)
        if zero is None:
            np.minimum(codes, q_max, out=codes)
        else:
            shift = zero[:, np.newaxis].astype(sums.dtype)
            np.clip(codes, -shift, q_max - shift, out=codes)
    codes *= -column
    codes += wanted
    if power == 2:
        return np.asarray(np.einsum("ij,ij->i", codes, codes, dtype=np.float64) / codes.shape[1])
    return np.asarray(np.abs(codes, out=codes).mean(axis=1, dtype=np.float64))


def _minimise(measure: Callable[[np.ndarray], np.ndarray], largest: np.ndarray) -> np.ndarray:
    """Best λ of each row, up to about ``largest``, by successively finer geometric grids."""
    top = np.where(largest > 0, largest, 1.0)
    low, high = np.full(len(top), math.log(0.02)), np.full(len(top), math.log(1.1))
    best = high
    for _ in range(_ROUNDS):
        grid = np.linspace(low, high, _TRIES)
        errors = [measure(top * np.exp(point)) for point in grid]
        best = grid[np.argmin(errors, axis=0), np.arange(len(top))]
        step = (high - low) / (_TRIES - 1)
        low, high = best - step, best + step
    return np.asarray(top * np.exp(best))


def _percentile(rows: torch.Tensor, percentile: float, high: float) -> np.ndarray:
    """Percentile of each row's positive values, 0 for a row without any."""
    found = np.zeros(len(rows))
    for i, row in enumerate(rows.numpy()):
        positive = row[row > 0]
        if positive.size:
            found[i] = min(float(np.percentile(positive, percentile)), high)
    return found


def _total(
    parts: Sequence[tuple[np.ndarray, np.ndarray, float]],
    rule: Mapping[str, Any],
    scales: np.ndarray,
) -> np.ndarray:
    """Sum of :func:`error` over parts (sums, what is wanted of them, weight)."""
    total = np.zeros(len(scales))
    for sums, wanted, weight in parts:
        if weight:
            total += weight * error(sums, wanted, scales, **rule)
    return total


def _silent_sizes(sizes: np.ndarray, high: float, reach: float | np.ndarray) -> np.ndarray:
    if math.isfinite(high):
        return np.full(len(sizes), high)
    return np.where(sizes > 0, sizes, _shared(reach, len(sizes)))


def _shared(reach: float | np.ndarray, rows: int) -> np.ndarray:
    """``reach`` of each row: that of its channel, or the largest of all where it is 0."""
    largest = float(np.max(reach)) or 1.0
    own = np.broadcast_to(reach if rows > 1 else largest, (rows,))
    return np.where(own > 0, own, largest)
