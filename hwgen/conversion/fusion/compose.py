"""Composition of two linear maps into one, exactly; None if that is not possible."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hwgen.conversion.float_graph import FloatConv2d, FloatIdentity, FloatLinear, FloatProjection
from hwgen.conversion.op_graph import NO_PADDING, ConvOp, Padding
from hwgen.network import Pair, Shape

MAX_WEIGHTS = 1 << 24  # larger merged maps are not worth their memory


@dataclass(frozen=True, kw_only=True, eq=False)
class Kernel:
    """A convolution without a source: the second of two maps."""

    weights: np.ndarray
    bias: np.ndarray
    stride: Pair = (1, 1)
    padding: Padding = NO_PADDING
    groups: int = 1

    @classmethod
    def of(cls, op: ConvOp) -> Kernel:
        return cls(
            weights=op.weights, bias=op.bias, stride=op.stride, padding=op.padding, groups=op.groups
        )


def regroup(weights: np.ndarray, groups: int, wanted: int) -> np.ndarray:
    """Weights (O, I / groups, …) of a grouped convolution for fewer groups; ``wanted`` divides."""
    out, fan, *kernel = weights.shape
    together = groups // wanted
    wide = np.zeros((out, fan * together, *kernel))
    slot = np.arange(out) // (out // groups) % together  # index of its group in the wider one
    for index in range(together):
        wide[slot == index, index * fan : (index + 1) * fan] = weights[slot == index]
    return wide


def as_convolution(projection: FloatProjection) -> FloatConv2d | None:
    """The projection as a convolution, or None for a linear one."""
    match projection:
        case FloatConv2d():
            return projection
        case FloatIdentity(source=source, weights=weights):
            return FloatConv2d(
                source=source, weights=weights.reshape(-1, 1, 1, 1), groups=len(weights)
            )
        case _:
            return None


def composed_size(first: FloatConv2d, second: Kernel) -> int:
    """Weights of the convolution that ``compose_convolutions`` gives."""
    groups = math.gcd(first.groups, second.groups)
    fan = first.weights.shape[1] * first.groups // groups
    height, width = _composed_kernel(first, second)
    return int(len(second.weights) * fan * height * width)


def _composed_kernel(first: FloatConv2d, second: Kernel) -> Pair:
    sizes = [
        a + (c - 1) * s
        for a, c, s in zip(first.weights.shape[2:], second.weights.shape[2:], first.stride)
    ]
    return (sizes[0], sizes[1])


def join(projections: Sequence[FloatProjection]) -> tuple[FloatProjection, ...]:
    """The projections; those that differ only in their weights are added into one."""
    joined: dict[tuple[object, ...], FloatProjection] = {}
    for projection in projections:
        pads = None
        key: tuple[object, ...] = (type(projection), projection.source, projection.weights.shape)
        if isinstance(projection, FloatConv2d):
            pads = projection.pad_value
            key += (projection.stride, projection.padding, projection.groups)
            key += (None if pads is None else pads.tobytes(),)
        if key in joined:
            weights = joined[key].weights + projection.weights
            projection = replace(joined[key], weights=weights)
        joined[key] = projection
    return tuple(joined.values())


def compose_convolutions(
    first: FloatConv2d, bias: np.ndarray, second: Kernel, *, given: Shape, middle: Shape
) -> tuple[FloatConv2d, np.ndarray] | None:
    """``second`` after ``first`` + ``bias``, as one convolution of the same source.

    W[o, i, c·s + a] = Σ_m second[o, m, c] · first[m, i, a], with s the stride of ``first``; shapes
    are ``given`` for the source and ``middle`` between the two.
    """
    groups = math.gcd(first.groups, second.groups)
    if composed_size(first, second) > MAX_WEIGHTS:
        return None
    if any(second.padding) and not _padding_merges(first, bias, given=given, middle=middle):
        return None
    ours = regroup(first.weights, first.groups, groups)
    theirs = regroup(second.weights, second.groups, groups)
    kernel = _composed_kernel(first, second)
    weights = np.zeros((len(theirs), ours.shape[1], *kernel))
    for g in range(groups):
        one = ours[g * len(ours) // groups : (g + 1) * len(ours) // groups]
        rows = slice(g * len(theirs) // groups, (g + 1) * len(theirs) // groups)
        for y, x in np.ndindex(*theirs.shape[2:]):
            top, left = y * first.stride[0], x * first.stride[1]
            weights[rows, :, top : top + one.shape[2], left : left + one.shape[3]] += np.einsum(
                "om,miab->oiab", theirs[rows, :, y, x], one
            )
    total = second.bias + _apply_to_constant(second, bias)
    stride = (first.stride[0] * second.stride[0], first.stride[1] * second.stride[1])
    merged = FloatConv2d(
        source=first.source,
        weights=weights,
        stride=stride,
        padding=_merged_padding(first, second, kernel, stride, given, middle),
        groups=groups,
        pad_value=first.pad_value,
    )
    return merged, total


def _apply_to_constant(second: Kernel, bias: np.ndarray) -> np.ndarray:
    """Result of ``second`` on a map that is ``bias`` everywhere, without padding."""
    grouped = bias.reshape(second.groups, 1, -1)
    sums = second.weights.sum(axis=(2, 3)).reshape(second.groups, -1, grouped.shape[2])
    return np.asarray((sums * grouped).sum(axis=2).reshape(-1))


def _padding_merges(first: FloatConv2d, bias: np.ndarray, *, given: Shape, middle: Shape) -> bool:
    """Whether ``first`` maps taps outside its source to the zeros around the middle map."""
    if bias.any() or first.pad_value is not None:
        return False
    for axis in range(2):
        kernel, stride = first.weights.shape[2 + axis], first.stride[axis]
        before = first.padding[axis]
        ends_outside = kernel - 1 - stride - before < 0
        starts_outside = middle[1 + axis] * stride - before >= given[1 + axis]
        if not (ends_outside and starts_outside):
            return False
    return True


def _merged_padding(
    first: FloatConv2d, second: Kernel, kernel: Pair, stride: Pair, given: Shape, middle: Shape
) -> Padding:
    before, after = [], []
    for axis in range(2):
        padded = middle[1 + axis] + second.padding[axis] + second.padding[axis + 2]
        outputs = (padded - second.weights.shape[2 + axis]) // second.stride[axis] + 1
        start = first.padding[axis] + second.padding[axis] * first.stride[axis]
        needed = (outputs - 1) * stride[axis] + kernel[axis] - given[1 + axis] - start
        before.append(start)
        after.append(max(0, needed))
    return (before[0], before[1], after[0], after[1])


def compose_linear(
    first: FloatConv2d | FloatLinear,
    bias: np.ndarray,
    weights: np.ndarray,
    offset: np.ndarray,
    *,
    given: Shape,
    middle: Shape,
) -> tuple[FloatLinear, np.ndarray] | None:
    """A linear map after ``first`` + ``bias``, as one linear map of the flattened source."""
    if isinstance(first, FloatLinear):
        return FloatLinear(source=first.source, weights=weights @ first.weights), (
            offset + weights @ bias
        )
    if len(weights) * math.prod(given) > MAX_WEIGHTS:
        return None
    whole = Kernel(weights=weights.reshape(len(weights), *middle), bias=offset)
    merged = compose_convolutions(first, bias, whole, given=given, middle=middle)
    if merged is None:
        return None
    conv, total = merged
    top, left, *_ = conv.padding
    channels, height, width = given
    full = np.zeros((len(weights), channels, height, width))
    kernel = conv.weights
    rows = [y for y in range(kernel.shape[2]) if 0 <= y - top < height]
    columns = [x for x in range(kernel.shape[3]) if 0 <= x - left < width]
    inside = kernel[:, :, rows][:, :, :, columns]
    full[:, :, rows[0] - top : rows[-1] - top + 1, columns[0] - left : columns[-1] - left + 1] = (
        inside
    )
    if conv.pad_value is not None:
        outside = kernel.sum(axis=(2, 3)) - inside.sum(axis=(2, 3))
        total = total + outside @ conv.pad_value
    return FloatLinear(source=first.source, weights=full.reshape(len(weights), -1)), total
