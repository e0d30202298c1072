"""Reference evaluation of an :class:`OpGraph`, in float32 as the model computes."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

from hwgen.conversion import op_graph
from hwgen.conversion.op_graph import INPUT, Op, OpGraph

Values = dict[str, np.ndarray]
"""Values of nodes by name, float32 (samples, …)."""


def run_ops(graph: OpGraph, images: np.ndarray) -> Values:
    """Values of every operation for float images (samples, channels, height, width)."""
    known = {INPUT: torch.from_numpy(images).float()}
    for op in graph.ops:
        known[op.name] = _evaluate(op, [known[name] for name in op.sources])
    return {name: values.numpy() for name, values in known.items()}


def _evaluate(op: Op, given: list[torch.Tensor]) -> torch.Tensor:
    x = given[0]
    match op:
        case op_graph.AddOp():
            return torch.stack([f * each for f, each in zip(op.factors, given)]).sum(dim=0)
        case op_graph.ConvOp():
            padded = _surrounded(x, op.padding, 0.0)
            weights, bias = _tensor(op.weights), _tensor(op.bias)
            return F.conv2d(padded, weights, bias, stride=op.stride, groups=op.groups)
        case op_graph.LinearOp():
            return F.linear(x, _tensor(op.weights), _tensor(op.bias))
        case op_graph.AffineOp():
            axes = (-1, *(1,) * (x.ndim - 2))
            return x * _tensor(op.scale).reshape(axes) + _tensor(op.offset).reshape(axes)
        case op_graph.ClampOp():
            return x.clamp(op.low, op.high)
        case op_graph.MaxPoolOp():
            padded = _surrounded(x, op.padding, -torch.inf)
            return F.max_pool2d(padded, op.kernel, op.stride)
        case op_graph.AveragePoolOp():
            padded = _surrounded(x, op.padding, 0.0)
            return F.avg_pool2d(padded, op.kernel, op.stride, divisor_override=1) / op.divisor
        case op_graph.PadOp():
            return _surrounded(x, op.padding, op.value)
        case op_graph.ReshapeOp():
            return x.reshape(len(x), *op.shape)
    raise AssertionError(f"no rule for {type(op).__name__}")


def _surrounded(x: torch.Tensor, padding: tuple[int, ...], value: float) -> torch.Tensor:
    top, left, bottom, right = padding
    return F.pad(x, (left, right, top, bottom), value=value)


def _tensor(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.asarray(array, np.float32))
