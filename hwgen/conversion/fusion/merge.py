"""Merging of linear maps: added branches, and consecutive maps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hwgen.conversion.float_graph import FloatLinear, FloatProjection
from hwgen.conversion.frontend.operators.call import Refusal
from hwgen.conversion.fusion.builder import Builder
from hwgen.conversion.fusion.compose import (
    Kernel,
    as_convolution,
    compose_convolutions,
    compose_linear,
    composed_size,
    join,
)
from hwgen.conversion.fusion.pending import Map, Value
from hwgen.conversion.op_graph import AddOp, AveragePoolOp, LinearOp, Op
from hwgen.network import stored_weights


def add(build: Builder, op: AddOp, values: list[Value]) -> Value:
    """The pending sum, with the projections of all branches."""
    if any(value.pad is not None for value in values):
        raise Refusal("adds a padded map; pad after the addition")
    values = [build.settle(v) if v.pools else v for v in values]
    if len({v.shape for v in values}) > 1:  # features of a map, and of a linear map
        values = [build.flattened(v) for v in values]
    terms = [v.affine(np.full(v.shape[0], f), np.zeros(v.shape[0])).terms()
             for v, f in zip(values, op.factors)]  # fmt: skip
    projections = join([p for several, _ in terms for p in several])
    bias = np.sum([bias for _, bias in terms], axis=0)
    new = Map(projections=projections, bias=bias, op=op)
    return replace(values[0].mapped(new, values[0].shape), view=op.shape)


def merge_kernel(build: Builder, op: Op, kernel: Kernel, value: Value) -> Value | None:
    """Merge ``kernel`` into the pending map of ``value``; None if not exact or not worthwhile.

    An average repeats weights of the map after it: merged where the hardware stores them once
    (:func:`hwgen.network.equal_taps`).
    """
    first = value.fused_map()
    parts = [as_convolution(projection) for projection in first.projections]
    convolutions = [part for part in parts if part is not None]
    if value.pools or value.pad is not None or len(convolutions) < len(parts):
        return None
    averages = isinstance(op, AveragePoolOp)
    if not averages and not first.average:
        separate = sum(part.weights.size for part in convolutions) + kernel.weights.size
        if not _pays(build, sum(composed_size(part, kernel) for part in convolutions), separate):
            return None
    projections: list[FloatProjection] = []
    total = first.bias
    for part in convolutions:
        merged = compose_convolutions(
            part, first.bias, kernel, given=build.shapes[part.source], middle=value.shape
        )
        if merged is None:
            return None
        projections.append(merged[0])
        total = merged[1]  # the kernel on the whole bias: the same for every part
    if first.average and _stored(projections) > kernel.weights.size:
        return None
    named = first.op if averages else op
    shape = (op.shape[0], *op.shape[1:], 1, 1)[:3]
    new = Map(projections=join(projections), bias=total, op=named)
    return value.mapped(new, (shape[0], shape[1], shape[2]))


def merge_linear(build: Builder, op: LinearOp, value: Value) -> Map | None:
    """Merge ``op`` into the pending map of ``value``: one linear map of flattened sources.

    None where that takes more weights, as with an average.
    """
    first = value.fused_map()
    given = [build.shapes[projection.source] for projection in first.projections]
    size = sum(len(op.weights) * math.prod(shape) for shape in given)
    separate = sum(p.weights.size for p in first.projections) + op.weights.size
    if first.average or not _pays(build, size, separate):
        return None
    projections: list[FloatProjection] = []
    bias, offset, total = first.bias, op.bias, np.zeros_like(op.bias)
    for projection, shape in zip(first.projections, given):
        part = projection if isinstance(projection, FloatLinear) else as_convolution(projection)
        assert part is not None
        merged = compose_linear(part, bias, op.weights, offset, given=shape, middle=value.shape)
        if merged is None:
            return None
        source = build.flatten(part.source, value.flat_name)
        projections.append(replace(merged[0], source=source))
        total = total + merged[1]
        bias, offset = np.zeros_like(bias), np.zeros_like(offset)  # counted once
    return Map(projections=join(projections), bias=total, op=op)


def _stored(projections: Sequence[FloatProjection]) -> int:
    """Weights that the hardware stores for the projections."""
    return sum(stored_weights(projection.weights).size for projection in projections)


def _pays(build: Builder, merged: int, separate: int) -> bool:
    """Whether one map has at most as many weights as two; always true if two are impossible."""
    return merged <= separate or not build.linear
