"""Operators that are linear maps: convolutions and matrix products."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hwgen.conversion.frontend.operators.call import Call, Ref, Refusal, four, handles, pair
from hwgen.conversion.op_graph import NO_PADDING, ConvOp, LinearOp, Op, Padding


@handles("conv2d", "convolution")
def _conv(call: Call) -> Sequence[Op]:
    ref = call.source("input")
    weights = call.array("weight")
    assert weights is not None
    if weights.ndim != 4:
        raise Refusal("only 2-D convolutions are supported, on (samples, channels, height, width)")
    if call.arguments.get("transposed"):
        raise Refusal("transposed convolutions are not supported; use Conv2d")
    dilation = pair(call["dilation"])
    if dilation != (1, 1):
        raise Refusal(
            f"dilation {dilation} is not supported; use dilation 1 with a larger kernel or stride"
        )
    if len(ref.shape) != 3:
        raise Refusal("a convolution needs maps (samples, channels, height, width)")
    bias = call.array("bias")
    return [
        ConvOp(
            **call.common(ref),
            weights=weights,
            bias=np.zeros(len(weights)) if bias is None else bias,
            stride=pair(call["stride"]),
            padding=_conv_padding(call["padding"], weights),
            groups=int(call["groups"]),
        )
    ]


def _conv_padding(padding: Any, weights: np.ndarray) -> Padding:
    if padding == "valid":
        return NO_PADDING
    if padding == "same":  # PyTorch puts the odd one behind
        top, left = ((k - 1) // 2 for k in weights.shape[2:])
        return (top, left, weights.shape[2] - 1 - top, weights.shape[3] - 1 - left)
    return four(pair(padding))


@handles("linear")
def _linear(call: Call) -> Sequence[Op]:
    return _dense(call, call.source("input"), call.array("weight"), call.array("bias"))


@handles("addmm")
def _addmm(call: Call) -> Sequence[Op]:
    weights, bias = call.array("mat2"), call.array("self")
    assert weights is not None
    assert bias is not None
    alpha, beta = float(call["alpha"]), float(call["beta"])
    return _dense(call, call.source("mat1"), alpha * weights.T, beta * bias)


@handles("mm", "matmul")
def _matmul(call: Call) -> Sequence[Op]:
    weights = call.array("mat2" if "mat2" in call.arguments else "other")
    assert weights is not None
    return _dense(call, call.source("self"), weights.T, None)


def _dense(
    call: Call, ref: Ref, weights: np.ndarray | None, bias: np.ndarray | None
) -> Sequence[Op]:
    assert weights is not None
    if len(ref.shape) != 1 or weights.ndim != 2:
        raise Refusal(
            f"a linear map needs features (samples, features), not {len(ref.shape) + 1} axes; "
            f"flatten before it"
        )
    outputs = len(weights)
    bias = np.zeros(outputs) if bias is None else np.broadcast_to(bias.reshape(-1), (outputs,))
    return [LinearOp(**call.common(ref), weights=weights, bias=bias)]
