"""A float network as tensors that learn.

It computes with what ``rounding`` makes of its weights, and gradients ignore that
(straight-through).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from hwgen.conversion.calibration import float_run as calibrate
from hwgen.conversion.float_graph import FloatGraph, FloatNode, FloatProjection, Population
from hwgen.conversion.op_graph import INPUT
from hwgen.conversion.quantisation.weight_fitting import is_copy
from hwgen.network import Pair, equal_taps, stored_weights

SCALE_RATE = 0.1  # learning rate of λ as a share of that of weights


class Student:
    """The network as trainable tensors: equal taps are one weight; copies and averages stay."""

    def __init__(
        self, graph: FloatGraph, rounding: Callable[[FloatGraph], FloatGraph] = lambda graph: graph
    ) -> None:
        self._graph, self._rounding = graph, rounding
        self._weights: dict[tuple[str, int], torch.Tensor] = {}
        self._tiles: dict[tuple[str, int], Pair] = {}
        self._biases: dict[str, torch.Tensor] = {}
        self._scales: dict[str, torch.Tensor] = {}
        for node in self._populations():
            for index, projection in enumerate(node.projections):
                stored = stored_weights(projection.weights)
                weights = _tensor(stored).requires_grad_(learns(projection))
                self._weights[node.name, index] = weights
                self._tiles[node.name, index] = equal_taps(projection.weights)
            self._biases[node.name] = _tensor(node.bias).requires_grad_()
            if node.steps is not None:
                shared = bool((node.steps.scale == node.steps.scale[0]).all())
                scale = node.steps.scale[:1] if shared else node.steps.scale
                self._scales[node.name] = _tensor(scale).requires_grad_()
        self.refresh()

    def _populations(self) -> Iterator[Population]:
        return (node for node in self._graph.nodes if isinstance(node, Population))

    def groups(self, rate: float) -> list[dict[str, Any]]:
        """Parameter groups: each tensor with a rate in proportion to its size, a bias to λ."""
        weights = [tensor for tensor in self._weights.values() if tensor.requires_grad]
        sizes = [(tensor, _size(tensor)) for tensor in weights]
        sizes += [(tensor, SCALE_RATE * _size(tensor)) for tensor in self._scales.values()]
        for name, bias in self._biases.items():
            sizes.append((bias, _size(self._scales.get(name, bias))))
        return [{"params": [tensor], "lr": rate * size} for tensor, size in sizes]

    def refresh(self) -> None:
        """Round the weights as they are now."""
        populations = [node for node in self.graph().nodes if isinstance(node, Population)]
        self._rounded = {
            (node.name, index): _tensor(projection.weights)
            for node in populations
            for index, projection in enumerate(node.projections)
        }
        self._rounded_biases = {node.name: _tensor(node.bias) for node in populations}

    def logits(self, values: torch.Tensor) -> torch.Tensor:
        known = {INPUT: values}
        for node in self._graph.nodes:
            if not isinstance(node, Population):
                known[node.name] = calibrate.step(node, known)
                continue
            bias = _straight_through(self._biases[node.name], self._rounded_biases[node.name])
            sums = bias.reshape(-1, 1, 1)
            for index, projection in enumerate(node.projections):
                weights = self._taps(node.name, index)
                weights = _straight_through(weights, self._rounded[node.name, index])
                sums = sums + calibrate.linear_map(projection, weights, known[projection.source])
            if node.steps is None:
                known[node.name] = calibrate.activate(node, sums)
            else:
                known[node.name] = node.steps.activate(sums, self._scales[node.name].abs())
        return known[self._graph.nodes[-1].name].flatten(1)

    def _taps(self, name: str, index: int) -> torch.Tensor:
        """Weights of a projection, of all its taps."""
        weights, (ty, tx) = self._weights[name, index], self._tiles[name, index]
        if ty * tx == 1:
            return weights
        return weights.repeat_interleave(ty, dim=2).repeat_interleave(tx, dim=3)

    def graph(self) -> FloatGraph:
        nodes: list[FloatNode] = []
        for node in self._graph.nodes:
            if isinstance(node, Population):
                projections = tuple(
                    replace(projection, weights=_array(self._taps(node.name, index)))
                    for index, projection in enumerate(node.projections)
                )
                node = replace(node, projections=projections, bias=_array(self._biases[node.name]))
                if node.steps is not None:
                    scale = np.broadcast_to(_array(self._scales[node.name].abs()), node.bias.shape)
                    node = replace(node, steps=replace(node.steps, scale=scale.copy()))
            nodes.append(node)
        return self._rounding(replace(self._graph, nodes=tuple(nodes)))


def learns(projection: FloatProjection) -> bool:
    """Whether weights of ``projection`` learn: not those of copies and averages."""
    return not is_copy(stored_weights(projection.weights))


def _straight_through(real: torch.Tensor, rounded: torch.Tensor) -> torch.Tensor:
    return real + (rounded - real).detach()


def _tensor(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.array(array, np.float32))


def _size(tensor: torch.Tensor) -> float:
    return float(tensor.detach().double().square().mean().sqrt())


def _array(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().double().numpy()
