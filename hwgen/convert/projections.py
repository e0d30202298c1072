"""Projections over codes instead of real values: their weights, their cost, their integers."""

from __future__ import annotations

import numpy as np
import torch

from hwgen.convert.graph import FloatConv2d, FloatIdentity, FloatLinear, FloatProjection
from hwgen.convert.inputs import Decoding
from hwgen.network import Conv2d, Identity, Linear, Projection


def per_code(projection: FloatProjection, decoding: Decoding) -> tuple[np.ndarray, np.ndarray]:
    """Weights in real units per unit of the input code, and what the codes' offsets add up to.

    Padding is a code like any other here, so offsets count for taps outside the map, too.
    """
    weights = projection.weights
    match projection:
        case FloatConv2d():
            groups = projection.groups
            grouped = weights.reshape(groups, -1, *weights.shape[1:])
            scale = decoding.scale.reshape(groups, 1, -1, 1, 1)
            offset = decoding.offset.reshape(groups, 1, -1, 1, 1)
            total = (grouped * offset).sum(axis=(2, 3, 4)).reshape(-1)
            return (grouped * scale).reshape(weights.shape), total
        case FloatLinear():
            return weights * decoding.scale, weights @ decoding.offset
        case FloatIdentity():
            return weights * decoding.scale, weights * decoding.offset


def energy(projection: FloatProjection, codes: torch.Tensor) -> np.ndarray:
    """E[q²] of the inputs of each weight, to broadcast over the projection's weights."""
    square = codes.double().square().mean(dim=(0, 2, 3)).numpy()
    match projection:
        case FloatConv2d():
            each = square.reshape(projection.groups, 1, -1, 1, 1)
            out, fan, ky, kx = projection.weights.shape
            full = np.broadcast_to(each, (projection.groups, out // projection.groups, fan, ky, kx))
            return full.reshape(projection.weights.shape)
        case _:
            return np.asarray(square)


def integer_projection(
    projection: FloatProjection, weights: np.ndarray, decoding: Decoding, q_max: int
) -> Projection:
    """The integer projection; ``decoding`` and ``q_max`` of its source give the pad codes."""
    match projection:
        case FloatConv2d():
            pads = None
            if any(projection.padding):
                value = projection.pad_value
                value = np.zeros(len(decoding.scale)) if value is None else value
                codes = decoding.code(value, q_max)
                pads = codes if codes.any() else None
            return Conv2d(
                source=projection.source,
                weights=weights,
                stride=projection.stride,
                padding=projection.padding,
                groups=projection.groups,
                pad_value=pads,
            )
        case FloatLinear():
            return Linear(source=projection.source, weights=weights)
        case FloatIdentity():
            return Identity(source=projection.source, weights=weights)
