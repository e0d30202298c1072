"""Projections over codes instead of real values: weights, costs, integers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from hwgen.conversion.calibration.float_run import channel_means
from hwgen.conversion.calibration.input_decoding import Decoding
from hwgen.conversion.float_graph import FloatConv2d, FloatIdentity, FloatLinear, FloatProjection
from hwgen.network import Conv2d, Identity, Linear, Projection


def per_code(projection: FloatProjection, decoding: Decoding) -> np.ndarray:
    """Weights in real units per unit of the input code."""
    weights = projection.weights
    if isinstance(projection, FloatConv2d):
        grouped = weights.reshape(projection.groups, -1, *weights.shape[1:])
        scale = decoding.scale.reshape(projection.groups, 1, -1, 1, 1)
        return np.asarray((grouped * scale).reshape(weights.shape))
    return np.asarray(weights * decoding.scale)


def largest_sums(weights: Sequence[np.ndarray], q_max: Sequence[float]) -> np.ndarray:
    """Σ |w|·q_max of each channel, float64 (channels,): no weighted sum of codes is larger."""
    parts = [q * np.abs(w).reshape(len(w), -1).sum(axis=1) for w, q in zip(weights, q_max)]
    return np.asarray(np.sum(parts, axis=0))


def on_values(projection: Projection, decoding: Decoding) -> Projection:
    """The projection with the values of its pad codes, where k < 2."""
    levels = decoding.levels
    if levels is None or not isinstance(projection, Conv2d) or projection.pad_value is None:
        return projection
    return replace(projection, pad_value=levels.table[projection.pad_value])


def offset_sum(projection: Projection, decoding: Decoding) -> np.ndarray:
    """Σ W·β/α: sum of the codes' offsets in membrane units, float64 (channels,).

    Padding is a code like any other, so offsets count for taps outside the map, too.
    """
    shift = decoding.offset / decoding.scale
    match projection:
        case Conv2d():
            grouped = projection.weights.sum(axis=(2, 3)).reshape(
                projection.groups, -1, projection.weights.shape[1]
            )
            each = shift.reshape(projection.groups, 1, -1)
            return np.asarray((grouped * each).sum(axis=2).reshape(-1))
        case Linear():
            return np.asarray(projection.weights @ shift)
        case Identity():
            return np.asarray(projection.weights * shift)


def second_moment(
    projection: FloatProjection, codes: torch.Tensor, decoding: Decoding
) -> np.ndarray:
    """E[(q − z)²] of the input of each weight, which broadcasts over the projection's weights.

    z is the code of zero: an error of a weight costs as much as the input that it multiplies.
    """
    square, mean = channel_means(codes, torch.square), channel_means(codes)
    shift = decoding.offset / decoding.scale
    square = np.maximum(square + shift * (2 * mean + shift), 0.0)
    match projection:
        case FloatConv2d():
            each = square.reshape(projection.groups, 1, -1, 1, 1)
            out, fan, ky, kx = projection.weights.shape
            full = np.broadcast_to(each, (projection.groups, out // projection.groups, fan, ky, kx))
            return full.reshape(projection.weights.shape)
        case _:
            return np.asarray(square)


def in_steps(projection: Projection, decoding: Decoding) -> Projection:
    """The projection with the pad value of one timestep (direct input)."""
    if isinstance(projection, Conv2d) and projection.pad_value is not None and decoding.step > 1:
        return replace(projection, pad_value=projection.pad_value // np.int32(decoding.step))
    return projection


def integer_projection(
    projection: FloatProjection, weights: np.ndarray, decoding: Decoding, q_max: float
) -> Projection:
    """The integer projection; ``decoding`` and ``q_max`` of its source determine the pad codes."""
    match projection:
        case FloatConv2d():
            pads = None
            if any(projection.padding):
                value = projection.pad_value
                value = np.zeros(len(decoding.scale)) if value is None else value
                codes = decoding.code(value, q_max)
                pads = codes if codes.any() else None
            return Conv2d(**vars(projection) | {"weights": weights, "pad_value": pads})
        case FloatLinear():
            return Linear(source=projection.source, weights=weights)
        case FloatIdentity():
            return Identity(source=projection.source, weights=weights)
