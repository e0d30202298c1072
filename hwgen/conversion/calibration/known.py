"""What conversion knows of the nodes behind it: on calibration images, floats and their codes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from hwgen.conversion.calibration import float_run as calibrate
from hwgen.conversion.calibration.input_decoding import (
    Decoding,
    counts_of,
    decode_input,
    encode,
    make_input,
)
from hwgen.conversion.calibration.leaky import LeakySteps
from hwgen.conversion.calibration.stepping import Stepper
from hwgen.conversion.choices import ThresholdRule
from hwgen.conversion.float_graph import FloatFlatten, FloatGraph, FloatMaxPool, Population
from hwgen.conversion.op_graph import INPUT
from hwgen.conversion.options import Options
from hwgen.conversion.quantisation.projections import integer_projection, on_values
from hwgen.network import Flatten, MaxPool2d, Node, Projection


class Known:
    """Of every node that some later one reads.

    Attributes
    ----------
    input : :class:`hwgen.network.Input`
    values : float tensors (samples, channels, height, width), what the float network has
    codes : tensors of the same shapes, what trains stand for
    decodings : what a code stands for in real units
    q_max : the largest code
    stepper : the trains of single-phase neurons step by step, or None where no threshold needs them
    leaky : the trains of a leak k < 2 step by step, or None where k = 2
    """

    def __init__(self, graph: FloatGraph, images: np.ndarray, options: Options) -> None:
        self.input = make_input(graph, options)
        pixels = counts_of(images)
        decoding = decode_input(pixels, self.input, graph)
        self.values = {INPUT: calibrate.as_tensor(pixels)}
        self.codes = {INPUT: calibrate.as_tensor(encode(pixels, self.input))}
        if any(isinstance(node, Population) and node.steps is not None for node in graph.nodes):
            self.values[INPUT] = decoding.of(self.codes[INPUT])  # what fine-tuning has seen
        self.decodings = {INPUT: decoding}
        self.q_max: dict[str, float] = {INPUT: self.input.train_type.q_max * decoding.step}
        self.stepper = None
        if options.thresholds is ThresholdRule.CURRENT:
            self.stepper = Stepper(images, self.input)
        self.leaky = None
        if not options.inverse_leak.doubles:
            self.leaky = LeakySteps(self.codes[INPUT], self.input.timesteps)

    def trains(self, name: str) -> torch.Tensor:
        """Trains of ``name`` as integers: codes q, or binary numbers where k < 2."""
        return self.codes[name] if self.leaky is None else self.leaky.words[name]

    def forget(self, needed: set[str]) -> None:
        """Drop the nodes that are not ``needed`` any more."""
        for name in set(self.values) - needed:
            del self.values[name], self.codes[name]
            if self.stepper is not None:
                self.stepper.forget(name)
            if self.leaky is not None:
                self.leaky.forget(name)

    def rearrange(self, node: FloatMaxPool | FloatFlatten) -> Node:
        """The node of integers that moves values as ``node`` does."""
        source = node.source
        self.values[node.name] = calibrate.step(node, self.values)
        self.codes[node.name] = calibrate.step(node, self.codes)
        self.q_max[node.name] = self.q_max[source]
        given = self.decodings[source]
        if self.stepper is not None:
            self.stepper.rearrange(node)
        if self.leaky is not None:
            self.leaky.rearrange(node)
        if isinstance(node, FloatMaxPool):
            self.decodings[node.name] = given
            return MaxPool2d(
                name=node.name,
                source=source,
                kernel=node.kernel,
                stride=node.stride,
                padding=node.padding,
            )
        pixels = self.codes[node.name].shape[1] // len(given.scale)
        self.decodings[node.name] = Decoding(
            scale=np.repeat(given.scale, pixels),
            offset=np.repeat(given.offset, pixels),
            levels=given.levels,
            step=given.step,
        )
        return Flatten(name=node.name, source=source)

    def projections(
        self, node: Population, weights: Sequence[np.ndarray]
    ) -> tuple[Projection, ...]:
        """Those of ``node`` with integer ``weights``, of values as trains carry them."""
        return tuple(
            integer_projection(p, w, self.decodings[p.source], self.q_max[p.source])
            for p, w in zip(node.projections, weights)
        )

    def on_values(self, projections: Sequence[Projection]) -> tuple[Projection, ...]:
        """The same, of codes."""
        return tuple(on_values(p, self.decodings[p.source]) for p in projections)
