"""Evaluation of float networks, and of integer projections, on calibration images.

Float values are float32, as in the model; integer sums are exact.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch
import torch.nn.functional as F

from hwgen.conversion import float_graph
from hwgen.conversion.float_graph import FloatGraph, FloatNode, FloatProjection, Population
from hwgen.conversion.op_graph import INPUT, Padding
from hwgen.network import Conv2d, Identity, Linear, Projection

_BATCH = 256  # images at a time: enough for BLAS, little memory
_EXACT = 1 << 24  # float32 holds every integer below, and is several times as fast as float64


def run_float(graph: FloatGraph, images: np.ndarray) -> np.ndarray:
    """Logits (samples, classes), float32, of raw pixels (samples, channels, height, width)."""
    last = graph.nodes[-1].name
    batches = (images[start : start + _BATCH] for start in range(0, len(images), _BATCH))
    return np.concatenate(
        [run_nodes(graph, batch)[last].reshape(len(batch), -1) for batch in batches]
    )


def run_nodes(graph: FloatGraph, images: np.ndarray) -> dict[str, np.ndarray]:
    """Values of every node by name, float32 (samples, channels, height, width), of raw pixels."""
    values = {INPUT: as_tensor(images)}
    for node in graph.nodes:
        values[node.name] = step(node, values)
    return {name: tensor.numpy() for name, tensor in values.items()}


def as_tensor(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(array.astype(np.float32))


def per_channel(array: np.ndarray) -> torch.Tensor:
    """Array (channels,) as float64, for broadcasting over (samples, channels, height, width)."""
    return torch.from_numpy(np.asarray(array, np.float64)).reshape(-1, 1, 1)


def step(node: FloatNode, values: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Values of ``node`` (samples, channels, height, width), from those of its sources."""
    match node:
        case float_graph.FloatMaxPool():
            return max_pool(node, values[node.source])
        case float_graph.FloatFlatten():
            return values[node.source].reshape(len(values[node.source]), -1, 1, 1)
        case Population():
            return activate(node, preactivation(node, values))


def preactivation(node: Population, values: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Σ projections + bias."""
    total: torch.Tensor | float = 0.0
    for projection in node.projections:
        total = total + project(projection, values[projection.source])
    assert isinstance(total, torch.Tensor)
    return total + per_channel(node.bias).to(total.dtype)


def activate(node: Population, sums: torch.Tensor) -> torch.Tensor:
    if node.steps is not None:
        return node.steps.activate(sums)
    return sums.clamp(node.low, node.high) if node.fires else sums


def max_pool(node: float_graph.FloatMaxPool, values: torch.Tensor) -> torch.Tensor:
    """Maximum over windows; taps outside the map never win. Codes there are 0, the smallest."""
    top, left, bottom, right = node.padding
    padded = F.pad(values, (left, right, top, bottom), value=-math.inf)
    return F.max_pool2d(padded, node.kernel, node.stride)


def project(projection: FloatProjection | Projection, values: torch.Tensor) -> torch.Tensor:
    """Weighted sums of ``values``, without bias; exact if weights and values are integers."""
    weights = projection.weights
    kind = torch.float32
    if np.issubdtype(weights.dtype, np.integer):
        fan_in = np.abs(weights.reshape(len(weights), -1).astype(np.float64)).sum(axis=1)
        pad_value = projection.pad_value if isinstance(projection, Conv2d) else None
        outside = 0.0 if pad_value is None else float(pad_value.max())
        largest = max(float(values.max()), outside) * float(fan_in.max())
        kind = torch.float32 if largest < _EXACT else torch.float64
    matrix = torch.from_numpy(weights.astype(np.float64)).to(kind)
    parts = [
        linear_map(projection, matrix, values[start : start + _BATCH].to(kind))
        for start in range(0, len(values), _BATCH)
    ]
    return torch.cat(parts)


def linear_map(
    projection: FloatProjection | Projection, weights: torch.Tensor, values: torch.Tensor
) -> torch.Tensor:
    """Weighted sums of ``values`` with ``weights`` instead of the projection's own."""
    match projection:
        case float_graph.FloatConv2d() | Conv2d():
            padded = pad(values, projection.padding, projection.pad_value)
            return F.conv2d(padded, weights, stride=projection.stride, groups=projection.groups)
        case float_graph.FloatLinear() | Linear():
            return (values.flatten(1) @ weights.T).reshape(len(values), -1, 1, 1)
        case float_graph.FloatIdentity() | Identity():
            return values * weights.reshape(-1, 1, 1)


def pad(values: torch.Tensor, padding: Padding, pad_value: np.ndarray | None) -> torch.Tensor:
    """Maps (samples, channels, height, width) padded with ``pad_value`` (channels,), or zeros."""
    top, left, bottom, right = padding
    if not any(padding):
        return values
    sides = (left, right, top, bottom)
    if pad_value is None:
        return F.pad(values, sides)
    inside = F.pad(torch.ones_like(values), sides)
    return F.pad(values, sides) + (1 - inside) * per_channel(pad_value).to(values.dtype)
