"""Values of the converted nodes on calibration images: float, and as codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from hwgen.conversion.calibration import float_run as calibrate
from hwgen.conversion.calibration.input_decoding import (
    counts_of,
    decode_input,
    encode,
    make_input,
)
from hwgen.conversion.choices import ThresholdRule
from hwgen.conversion.float_graph import FloatFlatten, FloatGraph, FloatMaxPool, Population
from hwgen.conversion.op_graph import INPUT
from hwgen.conversion.options import Options
from hwgen.conversion.quantisation.projections import integer_projection, on_values
from hwgen.golden.incremental import IncrementalRun
from hwgen.network import Flatten, MaxPool2d, Node, Projection

CURRENT_IMAGES = 32  # the largest current in a timestep hardly grows with more


class Known:
    """Values of every node that a later node reads, by the node's name.

    ``values`` are those of the float network, and ``codes`` those of the trains, in units of the
    code: tensors (samples, channels, height, width). ``decodings`` has the real values of codes,
    ``q_max`` the largest codes. ``sent`` is golden's run of the nodes so far, on a few images if
    thresholds need currents, on all if a leak k < 2 has no closed form; otherwise None.
    """

    def __init__(self, graph: FloatGraph, images: np.ndarray, options: Options) -> None:
        self.input = make_input(graph, options)
        pixels = counts_of(images)
        decoding = decode_input(pixels, self.input, graph)
        self.values = {INPUT: calibrate.as_tensor(pixels)}
        self.codes = {INPUT: calibrate.as_tensor(encode(images, self.input))}
        if graph.trained:
            self.values[INPUT] = decoding.of(self.codes[INPUT])  # what fine-tuning has seen
        self.decodings = {INPUT: decoding}
        self.q_max: dict[str, float] = {INPUT: self.input.train_type.q_max * decoding.step}
        self.leaky = not options.inverse_leak.doubles
        self.sent: IncrementalRun | None = None
        if options.thresholds is ThresholdRule.CURRENT:
            self.sent = IncrementalRun(self.input, images[:CURRENT_IMAGES])
        elif self.leaky:
            self.sent = IncrementalRun(self.input, images)

    def trains(self, name: str, images: int) -> np.ndarray:
        """Values q of the first ``images``, int64; where k < 2, trains as binary numbers."""
        if self.sent is not None and self.leaky:
            return self.sent.values(name)[:images].astype(np.int64)
        return self.codes[name][:images].numpy().astype(np.int64)

    def largest_current(self, node: Population, sent: IncrementalRun) -> torch.Tensor:
        """Largest current of each neuron in a timestep, float32 (images, channels, height, width).

        It is in real units: a spike in every timestep is the activation that its train represents.
        """
        timesteps = sent.train_types[node.sources[0]].steps
        planes = {name: _planes(sent, name) for name in node.sources}
        real = {
            name: replace(self.decodings[name], scale=timesteps * self.decodings[name].scale)
            for name in planes
        }
        largest: torch.Tensor | None = None
        for step in range(timesteps):
            values = {name: real[name].of(train[step]) for name, train in planes.items()}
            sums = calibrate.preactivation(node, values)
            largest = sums if largest is None else torch.maximum(largest, sums)
        assert largest is not None
        return largest

    def forget(self, needed: set[str]) -> None:
        """Drop the nodes that are not ``needed`` any more."""
        for name in set(self.values) - needed:
            del self.values[name], self.codes[name]
            if self.sent is not None:
                self.sent.forget(name)

    def rearrange(self, node: FloatMaxPool | FloatFlatten) -> Node:
        """Integer node of a max-pool or flatten."""
        source = node.source
        self.values[node.name] = calibrate.step(node, self.values)
        self.codes[node.name] = calibrate.step(node, self.codes)
        self.q_max[node.name] = self.q_max[source]
        given = self.decodings[source]
        made: Node
        if isinstance(node, FloatMaxPool):
            made = MaxPool2d(**vars(node))
        else:
            pixels = self.codes[node.name].shape[1] // len(given.scale)
            scale, offset = np.repeat(given.scale, pixels), np.repeat(given.offset, pixels)
            given = replace(given, scale=scale, offset=offset)
            made = Flatten(name=node.name, source=source)
        self.decodings[node.name] = given
        if self.sent is not None:
            self.sent.add(made)
        return made

    def projections(
        self, node: Population, weights: Sequence[np.ndarray]
    ) -> tuple[Projection, ...]:
        """Projections of ``node`` with integer ``weights``; their pad values are codes."""
        return tuple(
            integer_projection(p, w, self.decodings[p.source], self.q_max[p.source])
            for p, w in zip(node.projections, weights)
        )

    def on_values(self, projections: Sequence[Projection]) -> tuple[Projection, ...]:
        """``projections`` with the values of their pad codes as pad values."""
        return tuple(on_values(p, self.decodings[p.source]) for p in projections)


def _planes(sent: IncrementalRun, name: str) -> torch.Tensor:
    """Spikes of each timestep, or the value of a constant current, float32 (T, images, …)."""
    steps = sent.train_types[name].constant_steps
    if not steps:
        return calibrate.as_tensor(sent.train(name))
    constant = calibrate.as_tensor(sent.values(name))
    return constant.expand(steps, *constant.shape)
