"""Operators that pool maps: maxima and averages over windows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from hwgen.conversion.frontend.operators.call import Call, Ref, Refusal, four, handles, pair
from hwgen.conversion.op_graph import (
    NO_PADDING,
    AveragePoolOp,
    MaxPoolOp,
    Op,
    Padding,
    ReshapeOp,
    Size,
)
from hwgen.network import Pair


def _map(call: Call) -> Ref:
    ref = call.source()
    if len(ref.shape) != 3:
        raise Refusal("a pool needs maps (samples, channels, height, width)")
    return ref


def _window(call: Call) -> tuple[Pair, Pair, Pair]:
    kernel = pair(call["kernel_size"])
    stride = pair(call["stride"]) if call["stride"] else kernel
    return kernel, stride, pair(call["padding"])


def _padding_to_fit(ref: Ref, shape: Size, kernel: Pair, stride: Pair, padding: Pair) -> Padding:
    """Padding with which a floor gives ``shape``: ceil_mode needs more below and on the right."""
    ends = [
        max(p, (out - 1) * s + k - n - p)
        for p, out, s, k, n in zip(padding, shape[1:], stride, kernel, ref.shape[1:])
    ]
    return (padding[0], padding[1], ends[0], ends[1])


@handles("max_pool2d", "max_pool2d_with_indices")
def _max_pool(call: Call) -> Sequence[Op]:
    ref = _map(call)
    kernel, stride, padding = _window(call)
    if pair(call["dilation"]) != (1, 1):
        raise Refusal(f"dilation {pair(call['dilation'])} of a pool is not supported; use 1")
    sides = _padding_to_fit(ref, call.shape, kernel, stride, padding)
    return [MaxPoolOp(**call.common(ref), kernel=kernel, stride=stride, padding=sides)]


@handles("avg_pool2d")
def _average_pool(call: Call) -> Sequence[Op]:
    ref = _map(call)
    kernel, stride, padding = _window(call)
    sides = _padding_to_fit(ref, call.shape, kernel, stride, padding)
    if sides != four(padding) or (any(padding) and not call["count_include_pad"]):
        raise Refusal(
            "windows over the border that divide by another number of pixels are not supported; "
            "use ceil_mode=False and count_include_pad=True, or no padding"
        )
    divisor = call["divisor_override"] or kernel[0] * kernel[1]
    return [
        AveragePoolOp(
            **call.common(ref),
            kernel=kernel,
            stride=stride,
            padding=sides,
            divisor=float(divisor),
        )
    ]


def _adaptive(call: Call) -> dict[str, Any]:
    ref = _map(call)
    size, wanted = ref.shape[1:], call.shape[1:]
    if any(n % w for n, w in zip(size, wanted)):
        raise Refusal(
            f"an adaptive pool from {size} to {wanted} has windows of unequal size; use sizes "
            f"that divide, or 1"
        )
    kernel = (size[0] // wanted[0], size[1] // wanted[1])
    return call.common(ref) | {"kernel": kernel, "stride": kernel, "padding": NO_PADDING}


@handles("adaptive_avg_pool2d", "_adaptive_avg_pool2d")
def _adaptive_average(call: Call) -> Sequence[Op]:
    window = _adaptive(call)
    return [AveragePoolOp(**window, divisor=float(math.prod(window["kernel"])))]


@handles("adaptive_max_pool2d")
def _adaptive_max(call: Call) -> Sequence[Op]:
    return [MaxPoolOp(**_adaptive(call))]


@handles("mean", "amax")
def _over_the_map(call: Call) -> Sequence[Op]:
    ref = _map(call)
    axes = {int(axis) % 4 for axis in call.arguments.get("dim") or ()}
    if axes != {2, 3}:
        raise Refusal("only a mean or maximum over height and width together, dim=(2, 3)")
    size = ref.shape[1:]
    window = {"shape": (ref.shape[0], 1, 1), "kernel": size, "stride": size, "padding": NO_PADDING}
    fields = call.common(ref) | window
    op: Op = MaxPoolOp(**fields)
    if "dtype" in call.arguments:  # amax has none
        op = AveragePoolOp(**fields, divisor=float(math.prod(size)))
    if call["keepdim"]:
        return [op]
    flat = ReshapeOp(name=f"{op.name}.flatten", source=op.name, where=call.where, shape=call.shape)
    return [op, flat]
