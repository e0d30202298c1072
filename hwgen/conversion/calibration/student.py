"""The float network as trainable tensors, with the gradients of its spiking neurons."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from hwgen.conversion.calibration import float_run as calibrate
from hwgen.conversion.float_graph import (
    FloatConv2d,
    FloatGraph,
    FloatNode,
    FloatProjection,
    Population,
)
from hwgen.conversion.op_graph import INPUT
from hwgen.conversion.quantisation.weight_fitting import is_copy, is_tied

SCALE_RATE = 0.1  # learning rate of λ as a share of that of weights


class Student:
    """Trainable copy of ``graph``: weights, biases, and λ where a population has steps.

    Copies and averages stay as they are. Maps are channels-last in memory, in which convolutions
    are fastest.
    """

    def __init__(self, graph: FloatGraph) -> None:
        self._graph = graph
        self._weights: dict[tuple[str, int], torch.Tensor] = {}
        self._biases: dict[str, torch.Tensor] = {}
        self._scales: dict[str, torch.Tensor] = {}
        for node in self._populations():
            for index, projection in enumerate(node.projections):
                self._weights[node.name, index] = _weights(projection)
            self._biases[node.name] = _tensor(node.bias).requires_grad_()
            if node.steps is not None:
                shared = bool((node.steps.scale == node.steps.scale[0]).all())
                scale = node.steps.scale[:1] if shared else node.steps.scale
                self._scales[node.name] = _tensor(scale).requires_grad_()

    def _populations(self) -> Iterator[Population]:
        return (node for node in self._graph.nodes if isinstance(node, Population))

    def groups(self, rate: float) -> list[dict[str, Any]]:
        """Parameter groups: each tensor with a rate in proportion to its size, a bias to λ."""
        weights = [tensor for tensor in self._weights.values() if tensor.requires_grad]
        sizes = [(tensor, _size(tensor)) for tensor in weights]
        sizes += [(scale, SCALE_RATE * _size(scale)) for scale in self._scales.values()]
        for name, bias in self._biases.items():
            sizes.append((bias, _size(self._scales.get(name, bias))))
        return [{"params": [tensor], "lr": rate * size} for tensor, size in sizes]

    def logits(self, values: torch.Tensor) -> torch.Tensor:
        known = {INPUT: values.contiguous(memory_format=torch.channels_last)}
        for node in self._graph.nodes:
            if not isinstance(node, Population):
                known[node.name] = calibrate.step(node, known)
                continue
            sums = self._biases[node.name].reshape(-1, 1, 1)
            for index, projection in enumerate(node.projections):
                weights = self._weights[node.name, index]
                sums = sums + _linear_map(projection, weights, known[projection.source])
            if node.steps is None:
                known[node.name] = calibrate.activate(node, sums)
            else:
                known[node.name] = node.steps.activate(sums, self._scales[node.name].abs())

        return known[self._graph.nodes[-1].name].flatten(1)

    def graph(self) -> FloatGraph:
        nodes: list[FloatNode] = []
        for node in self._graph.nodes:
            if isinstance(node, Population):
                projections = tuple(
                    replace(p, weights=_array(self._weights[node.name, index]))
                    for index, p in enumerate(node.projections)
                )
                node = replace(node, projections=projections, bias=_array(self._biases[node.name]))
                if node.steps is not None:
                    scale = np.broadcast_to(_array(self._scales[node.name].abs()), node.bias.shape)
                    node = replace(node, steps=replace(node.steps, scale=scale.copy()))
            nodes.append(node)
        return replace(self._graph, nodes=tuple(nodes))


def _linear_map(
    projection: FloatProjection, weights: torch.Tensor, values: torch.Tensor
) -> torch.Tensor:
    """Weighted sums; a convolution pads by itself where it can, which saves a copy."""
    if isinstance(projection, FloatConv2d) and projection.pad_value is None:
        top, left, bottom, right = projection.padding
        if (top, left) == (bottom, right):
            stride, groups = projection.stride, projection.groups
            return F.conv2d(values, weights, None, stride, (top, left), 1, groups)
    return calibrate.linear_map(projection, weights, values)


def _weights(projection: FloatProjection) -> torch.Tensor:
    """Trainable weights, except those of copies and of averages of several pixels."""
    weights = projection.weights
    fixed = is_copy(weights) or (is_tied(weights) and weights.shape[2:] != (1, 1))
    tensor = _tensor(weights)
    if tensor.ndim == 4:
        tensor = tensor.contiguous(memory_format=torch.channels_last)
    return tensor.requires_grad_(not fixed)


def _tensor(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.array(array, np.float32))


def _size(tensor: torch.Tensor) -> float:
    return float(tensor.detach().square().mean().sqrt().clamp(min=1e-12))


def _array(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().double().contiguous().numpy()
