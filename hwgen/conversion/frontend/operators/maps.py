"""Operators on maps: batch norm, sums, arithmetic with constants, padding and slices."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from hwgen.conversion.frontend.operators.call import Call, Ref, Refusal, handles
from hwgen.conversion.op_graph import NO_PADDING, AddOp, AffineOp, ConvOp, Op, PadOp

# --- per-channel affine maps --------------------------------------------------------------------


@handles("batch_norm", "_native_batch_norm_legit_no_training", "cudnn_batch_norm")
def _batch_norm(call: Call) -> Sequence[Op]:
    """y = γ·(x − µ) / √(σ² + ε) + β, with the model's own ε (ECC, Eq. 11–12)."""
    ref = call.source("input")
    mean, variance = call.array("running_mean"), call.array("running_var")
    if call.arguments.get("training") or mean is None or variance is None:
        raise Refusal(
            "batch norm uses the statistics of the batch; export the model in eval mode, with "
            "track_running_stats=True"
        )
    if (low := float(variance.min())) < 0:
        raise Refusal(f"running_var must not be negative, but one is {low}")
    gamma, beta = call.array("weight"), call.array("bias")
    deviation = np.sqrt(variance + float(call["eps"]))
    if not deviation.all():
        raise Refusal("running_var + eps is 0; set eps, or train again")
    scale = (1.0 if gamma is None else gamma) / deviation
    offset = (0.0 if beta is None else beta) - scale * mean
    return [AffineOp(**call.common(ref), scale=scale, offset=offset)]


def _constant(call: Call, value: Any, shape: tuple[int, ...]) -> np.ndarray:
    """``value`` broadcast to one number per channel of ``shape`` (channels, …)."""
    array = np.asarray(value.detach().cpu().double() if hasattr(value, "detach") else value, float)
    try:
        full = np.broadcast_to(array, (1, *shape)).reshape(shape[0], -1)
    except ValueError:
        raise Refusal(f"a constant of shape {array.shape} does not fit maps of {shape}") from None
    if not np.isfinite(full).all():
        raise Refusal("the constant holds NaN or infinite values")
    if (full != full[:, :1]).any():
        raise Refusal(
            "a constant that differs between pixels cannot be fused; subtract one value per channel"
        )
    return full[:, 0].copy()


def _arithmetic(call: Call, kind: str) -> Sequence[Op]:
    left, right = call.arguments["self"], call.arguments["other"]
    if isinstance(left, Ref) and isinstance(right, Ref):
        return _sum_of_maps(call, kind, left, right)
    ref = left if isinstance(left, Ref) else right
    if call.shape != ref.shape or call.arguments.get("rounding_mode") is not None:
        raise Refusal("only plain arithmetic that keeps the shape is supported")
    alpha = float(call.arguments.get("alpha", 1) or 0)
    one = np.ones(ref.shape[0])
    constant = _constant(call, right if ref is left else left, ref.shape)
    scale, offset = one, 0 * one
    match kind:
        case "add":
            scale, offset = (one, alpha * constant) if ref is left else (alpha * one, constant)
        case "sub":
            scale, offset = (one, -alpha * constant) if ref is left else (-alpha * one, constant)
        case "rsub":  # other − alpha·self
            scale, offset = (-alpha * one, constant) if ref is left else (one, -alpha * constant)
        case "mul":
            scale = constant
        case "div":
            if ref is not left:
                raise Refusal("division by a map is not supported")
            if not constant.all():
                raise Refusal("division by zero")
            scale = 1 / constant
    return [AffineOp(**call.common(ref), scale=scale, offset=offset)]


def _sum_of_maps(call: Call, kind: str, left: Ref, right: Ref) -> Sequence[Op]:
    """A residual addition; each side becomes projections of one population."""
    if kind not in ("add", "sub", "rsub"):
        raise Refusal(
            f"{kind} of two maps is not supported: spikes add up, but are not multiplied; only "
            f"sums and differences of maps, and arithmetic with constants"
        )
    if not left.shape == right.shape == call.shape:
        raise Refusal(
            f"adds maps of {left.shape} and {right.shape}; only maps of one shape can be added"
        )
    alpha = float(call.arguments.get("alpha", 1))
    factors = {"add": (1.0, alpha), "sub": (1.0, -alpha), "rsub": (-alpha, 1.0)}[kind]
    return [AddOp(**call.common(left), others=(right.name,), factors=factors)]


for _kind, _names in {
    "add": ["add"],
    "sub": ["sub", "subtract"],
    "rsub": ["rsub"],
    "mul": ["mul", "multiply"],
    "div": ["div", "divide", "true_divide"],
}.items():
    handles(*_names)(partial(_arithmetic, kind=_kind))


@handles("neg")
def _neg(call: Call) -> Sequence[Op]:
    ref = call.source()
    one = np.ones(ref.shape[0])
    return [AffineOp(**call.common(ref), scale=-one, offset=0 * one)]


# --- padding ------------------------------------------------------------------------------------


@handles("pad", "constant_pad_nd")
def _pad(call: Call) -> Ref | Sequence[Op]:
    ref = call.source()
    if call.arguments.get("mode", "constant") != "constant":
        raise Refusal(f"padding mode {call['mode']!r} is not supported; pad with zeros")
    sides = [int(n) for n in call["pad"]] + [0] * 6
    left, right, top, bottom, front, back, *others = sides
    if any(others) or len(ref.shape) != 3:
        raise Refusal("only channels, height and width of a map can be padded")
    if min(sides) < 0:
        raise Refusal("negative padding (a crop) is not supported; crop the images before")
    if not any(sides):
        return ref
    value = float(call.arguments.get("value") or 0)
    ops: list[Op] = []
    if front or back:
        if value:
            raise Refusal(f"pads channels with {value:g}; only with zeros")
        wide = np.eye(ref.shape[0] + front + back, ref.shape[0], -front)
        ops.append(_pick(call, ref, wide[:, :, np.newaxis, np.newaxis], suffix=".channels"))
    if left or right or top or bottom:
        source = ops[-1].name if ops else ref.name
        ops.append(
            PadOp(
                **call.common(Ref(source, ref.shape)),
                padding=(top, left, bottom, right),
                value=value,
            )
        )
    return ops


# --- slices: convolutions of ones and zeros -----------------------------------------------------


def _pick(
    call: Call,
    ref: Ref,
    weights: np.ndarray,
    *,
    stride: tuple[int, int] = (1, 1),
    groups: int = 1,
    suffix: str = "",
) -> Op:
    """A convolution without bias or padding that copies values."""
    shape = (len(weights), *(-(-n // s) for n, s in zip(ref.shape[1:], stride)))
    return ConvOp(
        **call.common(ref, suffix) | {"shape": shape},
        weights=weights,
        bias=np.zeros(len(weights)),
        stride=stride,
        padding=NO_PADDING,
        groups=groups,
    )


@handles("slice", "slice_copy")
def _slice(call: Call) -> Ref | Sequence[Op]:
    """x[:, a:b:s], x[:, :, ::s] and x[:, :, :, ::s]."""
    ref = call.source()
    axis, step = int(call["dim"]) % (1 + len(ref.shape)), int(call["step"])
    start, end = (0 if call["start"] is None else call["start"]), call["end"]
    if not isinstance(start, int) or not isinstance(end, int | None):
        raise Refusal("bounds of a slice must be constants")
    if axis == 0:
        if start == 0 and step == 1 and (end is None or end >= 1 << 31):
            return ref
        raise Refusal("a slice of the samples is not supported")
    size = ref.shape[axis - 1]
    indices = np.arange(size)[start : end if end is None else min(end, size) : step]
    if len(indices) == size:
        return ref
    if len(ref.shape) != 3 or not len(indices):
        raise Refusal("only slices of maps (samples, channels, height, width) are supported")
    channels = ref.shape[0]
    if axis == 1:
        return [_pick(call, ref, np.eye(channels)[indices][:, :, np.newaxis, np.newaxis])]
    if start != 0 or len(indices) != -(-size // step):
        raise Refusal("cuts a part of a map out; only a stride over the whole map is supported")
    stride = (step, 1) if axis == 2 else (1, step)
    return [_pick(call, ref, np.ones((channels, 1, 1, 1)), stride=stride, groups=channels)]
