"""What each ATen operator is as an :class:`Op`; both before and after core-ATen decomposition."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from hwgen.conversion.float_graph import NO_PADDING, ClampOp, ConvOp, LinearOp, Op, Padding


@dataclass(frozen=True)
class Ref:
    """A value that depends on the images: the op that gives it, its shape without samples."""

    name: str
    shape: tuple[int, ...]


class Refusal(Exception):
    """Why one operator cannot be converted, and what to do; collected, never seen by users."""


@dataclass(frozen=True)
class Call:
    """One call of an operator: unique name, place, result shape without samples, arguments."""

    name: str
    where: str
    shape: tuple[int, ...]
    floating: bool
    last: bool
    arguments: dict[str, Any]

    def __getitem__(self, argument: str) -> Any:
        return self.arguments[argument]

    def source(self, argument: str = "self") -> Ref:
        """The argument that must depend on the images."""
        value = self.arguments.get(argument, self.arguments.get("input"))
        if not isinstance(value, Ref):
            raise Refusal(f"{argument} must depend on the images, and the weights must not")
        return value

    def array(self, argument: str) -> np.ndarray | None:
        """A constant tensor as float64, or None where none is given."""
        value = self.arguments.get(argument)
        if value is None:
            return None
        if isinstance(value, Ref):
            raise Refusal(f"{argument} depends on the images; only constants can be weights")
        return finite(torch.as_tensor(value).detach().cpu().double().numpy(), argument)

    def common(self, ref: Ref, suffix: str = "") -> dict[str, Any]:
        return {"name": self.name + suffix, "source": ref.name, "where": self.where}


Handler = Callable[[Call], Ref | Sequence[Op]]
HANDLERS: dict[str, Handler] = {}


def handles(*operators: str) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        HANDLERS.update(dict.fromkeys(operators, handler))
        return handler

    return register


def finite(array: np.ndarray, what: str) -> np.ndarray:
    bad = array.size - int(np.isfinite(array).sum())
    if bad:
        raise Refusal(
            f"{what} holds {bad} value{'s' if bad > 1 else ''} that {'are' if bad > 1 else 'is'} "
            f"NaN or infinite; train again, or load other weights"
        )
    return array


def pair(value: Any) -> tuple[int, int]:
    values = [int(v) for v in value] if isinstance(value, list | tuple) else [int(value)]
    return (values[0], values[-1])


def four(padding: tuple[int, int]) -> Padding:
    return (padding[0], padding[1], padding[0], padding[1])


# --- linear maps --------------------------------------------------------------------------------


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
            shape=call.shape,
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
    return [LinearOp(**call.common(ref), shape=call.shape, weights=weights, bias=bias)]


# --- activations --------------------------------------------------------------------------------


def _clamp(call: Call, low: Any, high: Any) -> Sequence[Op]:
    bounds = [-np.inf if low is None else low, np.inf if high is None else high]
    if any(isinstance(bound, Ref) for bound in bounds):
        raise Refusal("bounds of a clamp must be constants")
    arrays = [np.unique(torch.as_tensor(bound).double().numpy()) for bound in bounds]
    if any(array.size != 1 for array in arrays):
        raise Refusal("bounds of a clamp must be one number for all channels")
    low, high = (float(array[0]) for array in arrays)
    if np.isnan(low) or np.isnan(high) or low > high:
        raise Refusal(f"clamp({low}, {high}) has no range")
    return [ClampOp(**call.common(call.source()), shape=call.shape, low=low, high=high)]


@handles("relu")
def _relu(call: Call) -> Sequence[Op]:
    return _clamp(call, 0, None)


@handles("relu6")
def _relu6(call: Call) -> Sequence[Op]:
    return _clamp(call, 0, 6)


@handles("hardtanh")
def _hardtanh(call: Call) -> Sequence[Op]:
    return _clamp(call, call["min_val"], call["max_val"])


@handles("clamp", "clip", "clamp_min", "clamp_max")
def _clamp_call(call: Call) -> Sequence[Op]:
    return _clamp(call, call.arguments.get("min"), call.arguments.get("max"))


@handles("threshold")
def _threshold(call: Call) -> Sequence[Op]:
    if call["threshold"] != 0 or call["value"] != 0:
        raise Refusal("only threshold(x, 0, 0), a ReLU, is supported")
    return _clamp(call, 0, None)
