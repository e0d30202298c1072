"""Sensitivity of the logits to the timesteps of each layer, measured without labels.

The loss of a layer at T timesteps is that of the float network in which this layer alone has the
activation of a two-phase neuron of T timesteps, with the λ that the conversion would choose::

    loss = Σ ‖z − z_float‖² / Σ ‖z_float‖² over the images,  z: logits without their mean

Errors of several layers hardly correlate, so the sum of the losses stands for the loss of all
layers together. With very short trains that is larger (ResNet-20 with 2.5 timesteps on average:
0.25 instead of 0.16), but few exchanges of a timestep between two layers make it smaller, and by
little.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import torch

from hwgen.conversion.calibration import float_run
from hwgen.conversion.calibration.images import spread
from hwgen.conversion.calibration.input_decoding import counts_of
from hwgen.conversion.calibration.scales import choose_linear_scales, choose_scales
from hwgen.conversion.choices import BiasCorrection, Rounding
from hwgen.conversion.float_graph import FloatGraph, FloatNode, Population
from hwgen.conversion.op_graph import INPUT
from hwgen.conversion.options import Options

IMAGES = 128  # enough to rank layers, whose losses differ by factors
MEMORY = 1 << 29  # bytes of all maps of the float network; fewer images if they are large

Values = dict[str, torch.Tensor]


class Sensitivity:
    """Losses of the layers of ``graph`` on ``images``, for conversion with ``options``."""

    def __init__(self, graph: FloatGraph, images: np.ndarray, options: Options) -> None:
        self._graph, self._options = graph, options
        self._corrected = (
            options.bias_correction is BiasCorrection.MEAN or options.rounding is Rounding.FITTED
        )
        one = float_run.run_nodes(graph, counts_of(images[:1]))
        each = sum(values.nbytes for values in one.values())
        count = max(1, min(IMAGES, MEMORY // each))
        pixels = counts_of(images[spread(len(images), count)])
        self._values: Values = {INPUT: float_run.as_tensor(pixels)}
        self._means: Values = {}
        for node in graph.nodes:
            if isinstance(node, Population):
                sums = float_run.preactivation(node, self._values)
                self._means[node.name] = _mean(sums)
                self._values[node.name] = float_run.activate(node, sums)
            else:
                self._values[node.name] = float_run.step(node, self._values)
        self._logits = _centred(self._values[graph.nodes[-1].name])

    def losses(self, name: str, timesteps: Iterable[int]) -> list[float]:
        """Loss of the layer ``name`` alone at each number of ``timesteps``."""
        node = self._population(name)
        sums = float_run.preactivation(node, self._values)
        return [
            self._loss({name: quantised(node, sums, steps, self._options)}) for steps in timesteps
        ]

    def _population(self, name: str) -> Population:
        return next(
            node for node in self._graph.nodes if isinstance(node, Population) and node.name == name
        )

    def _loss(self, changed: Values) -> float:
        """Loss with the values ``changed`` instead of those of the float network."""
        values = {**self._values, **changed}
        for node in self._graph.nodes:
            if node.name in changed or changed.keys().isdisjoint(node.sources):
                continue
            changed[node.name] = values[node.name] = self._step(node, values)
        logits = _centred(values[self._graph.nodes[-1].name])
        size = self._logits.square().sum().clamp(min=1e-30)
        return float((logits - self._logits).square().sum() / size)

    def _step(self, node: FloatNode, values: Mapping[str, torch.Tensor]) -> torch.Tensor:
        if not isinstance(node, Population):
            return float_run.step(node, values)
        sums = float_run.preactivation(node, values)
        if self._corrected:
            sums = sums + (self._means[node.name] - _mean(sums))
        return float_run.activate(node, sums)


def quantised(
    node: Population, sums: torch.Tensor, timesteps: int, options: Options
) -> torch.Tensor:
    """Values of ``node`` for ``sums`` if it fires trains of ``timesteps``."""
    q_max = options.code.q_max(timesteps)
    if node.low < 0:
        scale, zero = choose_linear_scales(sums, q_max=q_max, options=options)
        low, high = -zero, q_max - zero
    else:
        scale = choose_scales(sums, q_max=q_max, high=node.high, options=options)
        low, high = 0 * scale, q_max + 0 * scale
    step = float_run.per_channel(scale).to(sums.dtype)
    codes = (sums / step + options.eta).floor()
    ends = (float_run.per_channel(end).to(sums.dtype) for end in (low, high))
    return step * codes.clamp(*ends)


def _mean(sums: torch.Tensor) -> torch.Tensor:
    return sums.mean(dim=(0, 2, 3), keepdim=True)


def _centred(logits: torch.Tensor) -> torch.Tensor:
    flat = logits.flatten(1).double()
    return flat - flat.mean(dim=1, keepdim=True)
