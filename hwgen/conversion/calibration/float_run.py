"""Evaluation of float networks, and of integer projections, on calibration images.

Float values are float32, as in the model; integer sums are exact. Samples go through in batches
that stay in the cache, and on all cores (:mod:`hwgen.conversion.threads`); their size depends on
shapes only, so no value depends on the number of threads.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F

from hwgen.conversion import float_graph
from hwgen.conversion.float_graph import FloatGraph, FloatNode, FloatProjection, Population
from hwgen.conversion.op_graph import INPUT, Padding
from hwgen.conversion.threads import map_batches
from hwgen.network import Conv2d, Identity, Linear, Projection

Tensors = Mapping[str, torch.Tensor]

_BATCH = 256  # maximum number of samples at a time
_VALUES = 1 << 19  # of a map, in a batch: 2 MiB of float32
_GRAPH_BATCH = 32  # samples that go through a whole graph at a time
_EXACT = 1 << 24  # float32 holds every integer below, and is several times as fast as float64


def run_float(graph: FloatGraph, images: np.ndarray) -> np.ndarray:
    """Logits (samples, classes), float32, of raw pixels (samples, channels, height, width)."""
    needed = [{name for later in graph.nodes[i + 1 :] for name in later.sources}
              for i in range(len(graph.nodes))]  # fmt: skip

    def logits(start: int) -> np.ndarray:
        values = {INPUT: as_tensor(images[start : start + _GRAPH_BATCH])}
        for node, later in zip(graph.nodes, needed):
            result = step(node, values)
            values = {name: tensor for name, tensor in values.items() if name in later}
            values[node.name] = result
        return result.flatten(1).numpy()

    return np.concatenate(map_batches(logits, range(0, len(images), _GRAPH_BATCH)))


def run_nodes(graph: FloatGraph, images: np.ndarray) -> dict[str, np.ndarray]:
    """Values of every node by name, float32 (samples, channels, height, width), of raw pixels."""
    values = {INPUT: as_tensor(images)}
    for node in graph.nodes:
        values[node.name] = step(node, values)
    return {name: tensor.numpy() for name, tensor in values.items()}


def as_tensor(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(array.astype(np.float32))


def by_batches(
    function: Callable[[Tensors], torch.Tensor], values: Tensors, out: torch.Tensor | None = None
) -> torch.Tensor:
    """``function`` of ``values``, whose first axis are samples, in batches.

    The result goes to ``out``, if given, which may be one of the values.
    """
    first, *others = _parts(values.values())
    made = function({name: tensor[first] for name, tensor in values.items()})
    if out is None:
        if not others:
            return made
        out = made.new_empty(len(next(iter(values.values()))), *made.shape[1:])
    result = out
    result[first] = made

    def run(part: slice) -> None:
        result[part] = function({name: tensor[part] for name, tensor in values.items()})

    map_batches(run, others)
    return result


def channel_means(
    values: torch.Tensor, function: Callable[[torch.Tensor], torch.Tensor] = torch.clone
) -> np.ndarray:
    """Mean of ``function(values)`` for each channel, float64 (channels,)."""

    def total(part: slice) -> torch.Tensor:
        return function(values[part]).sum(dim=(0, 2, 3), dtype=torch.float64)

    totals = torch.stack(map_batches(total, _parts([values]))).sum(dim=0)
    return np.asarray(totals.numpy() / (values.numel() // values.shape[1]))


def _parts(values: Iterable[torch.Tensor]) -> list[slice]:
    values = list(values)
    size = max(1, min(_BATCH, _VALUES // max(tensor[0].numel() for tensor in values)))
    return [slice(start, start + size) for start in range(0, len(values[0]), size)]


def per_channel(array: np.ndarray) -> torch.Tensor:
    """Array (channels,) as float64, for broadcasting over (samples, channels, height, width)."""
    return torch.from_numpy(np.asarray(array, np.float64)).reshape(-1, 1, 1)


def step(node: FloatNode, values: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Values of ``node`` (samples, channels, height, width), from those of its sources."""
    match node:
        case float_graph.FloatMaxPool():
            given = {"": values[node.source]}
            return by_batches(lambda part: max_pool(node, part[""]), given)
        case float_graph.FloatFlatten():
            return values[node.source].reshape(len(values[node.source]), -1, 1, 1)
        case Population():
            return activate(node, preactivation(node, values))


def preactivation(node: Population, values: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Σ projections + bias."""
    weights = [torch.from_numpy(p.weights.astype(np.float32)) for p in node.projections]
    sums = partial(_sums, node.projections, weights, per_channel(node.bias).float())
    return by_batches(sums, {name: values[name] for name in node.sources})


def activate(node: Population, sums: torch.Tensor) -> torch.Tensor:
    if node.steps is not None:
        return node.steps.activate(sums)
    return sums.clamp(node.low, node.high) if node.fires else sums


def max_pool(node: float_graph.FloatMaxPool, values: torch.Tensor) -> torch.Tensor:
    """Maximum over windows; taps outside the map never win. Codes there are 0, the smallest."""
    top, left, bottom, right = node.padding
    if any(node.padding):
        values = F.pad(values, (left, right, top, bottom), value=-math.inf)
    return F.max_pool2d(values, node.kernel, node.stride)


def integer_sums(projections: Sequence[Projection], codes: Tensors) -> torch.Tensor:
    """Exact sums of ``projections`` of integer codes, without bias; float32 where that is exact."""
    largest = 0.0
    for p in projections:
        fan_in = np.abs(p.weights.reshape(len(p.weights), -1).astype(np.float64)).sum(axis=1)
        pad_value = p.pad_value if isinstance(p, Conv2d) else None
        outside = 0.0 if pad_value is None else float(pad_value.max())
        largest += max(float(codes[p.source].max()), outside) * float(fan_in.max())
    kind = torch.float32 if largest < _EXACT else torch.float64
    weights = [torch.from_numpy(p.weights).to(kind) for p in projections]
    sums = partial(_sums, projections, weights, torch.zeros((), dtype=kind))
    return by_batches(sums, {p.source: codes[p.source] for p in projections})


def weighted_sums(projection: FloatProjection | Projection, values: torch.Tensor) -> torch.Tensor:
    """Float32 sums of one projection with float weights, without bias."""
    weights = [torch.from_numpy(projection.weights.astype(np.float32))]
    sums = partial(_sums, [projection], weights, torch.zeros(()))
    return by_batches(sums, {projection.source: values})


def _sums(
    projections: Sequence[FloatProjection | Projection],
    weights: Sequence[torch.Tensor],
    bias: torch.Tensor,
    values: Tensors,
) -> torch.Tensor:
    total: torch.Tensor | None = None
    for projection, matrix in zip(projections, weights):
        sums = linear_map(projection, matrix, values[projection.source].to(matrix.dtype))
        total = sums if total is None else total.add_(sums)
    assert total is not None
    return total.add_(bias)


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
    outside: torch.Tensor = 1 - F.pad(torch.ones_like(values), sides)
    return F.pad(values, sides) + outside * per_channel(pad_value).to(values.dtype)
