"""Two-phase neurons layer after layer, each on the codes that those before it give.

A layer computes u = Σ w·x + b and x' = min(max(u, 0), high). With the codes x ≈ α·q + β of its
inputs and x' ≈ λ·q' of its output, the neuron's

    q' = clip(⌊(2^f·W·q + B) / θ⌋, 0, q'_max)

rounds u / λ to the nearest integer when

    W = round(w·α / s)          s: real units of a membrane unit, one a channel
    θ = 2^f·λ / s               the threshold, an exact integer: s is moved to fit it
    B = round(2^f·(b / s + Σ W·β/α) + (η + z)·θ)                    (ECC Eq. 9, η = 1/2)

λ, one a layer or a channel, minimises the conversion error on calibration data
(:mod:`hwgen.convert.thresholds`). A bias can make up for the codes before it. The read-out has one
s for all classes and no offset. What a neuron gets of B: :mod:`hwgen.convert.neuron`. With a leak
k < 2, q above is what a train stands for, λ a spike of its last step, and layers run step by step
(:mod:`hwgen.convert.leaky`).

z is 0 but for a linear population, one with no ReLU: its train stands for λ·(q − z), so that
β = −λ·z for those that read it, and z is what its padding with zeros sends. It is an ordinary
neuron with a larger bias: no signed spikes, and nothing new in hardware.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from hwgen.convert import calibrate
from hwgen.convert.decoders import FIRING, read_values, softmax_of, with_firing_end
from hwgen.convert.graph import INPUT, FloatFlatten, FloatGraph, FloatMaxPool, Population
from hwgen.convert.inputs import Decoding, counts_of, decode_input, encode, make_input
from hwgen.convert.leaky import LeakySteps, firing_level, least_threshold, readout_bits
from hwgen.convert.levels import Levels
from hwgen.convert.neuron import make_neuron, whole_numbers
from hwgen.convert.options import SINGLE_PHASE, Converted, Options, Progress
from hwgen.convert.projections import (
    energy,
    in_steps,
    integer_projection,
    offset_sum,
    on_values,
    per_code,
)
from hwgen.convert.quantise import MIN_THRESHOLD, Quantised, quantise_layer, quantise_readout
from hwgen.convert.rounding import Fit
from hwgen.convert.stepping import Stepper
from hwgen.convert.thresholds import choose_linear_scales, choose_scales
from hwgen.network import (
    Decoder,
    Flatten,
    InverseLeakyNeuron,
    Layer,
    MaxPool2d,
    Node,
    Projection,
    ReadOut,
    code_max,
)


def layerwise(
    graph: FloatGraph, images: np.ndarray, options: Options, progress: Progress
) -> Converted:
    """Integers of ``graph``, calibrated on ``images`` (samples, channels, height, width) or frames
    of events (samples, timesteps, channels, height, width)."""
    return _Layerwise(graph, images, options, progress).run()


class _Layerwise:
    def __init__(
        self, graph: FloatGraph, images: np.ndarray, options: Options, progress: Progress
    ) -> None:
        self.counts = options.decoder in FIRING
        self.graph = with_firing_end(graph) if self.counts else graph
        self.options, self.progress = options, progress
        self.code = options.code
        self.input = make_input(graph, options)
        pixels = counts_of(images)
        decoding = decode_input(pixels, self.input, graph)
        # Of every node: float values, codes, what the codes stand for, the largest code.
        self.values = {INPUT: calibrate.as_tensor(pixels)}
        self.codes = {INPUT: calibrate.as_tensor(encode(pixels, self.input))}
        if any(isinstance(node, Population) and node.steps is not None for node in graph.nodes):
            self.values[INPUT] = decoding.of(self.codes[INPUT])  # what fine-tuning has seen
        self.decodings = {INPUT: decoding}
        self.q_max: dict[str, float] = {INPUT: self.input.signal.q_max * decoding.step}
        self.figures: dict[str, Any] = {
            "input_scale": [float(x) for x in decoding.scale],
            "input_offset": [float(x) for x in decoding.offset],
            "output_scales": {},
            "zero_points": {},
            "silent_layers": [],
        }
        self.stepper = None
        if options.thresholds == "current":
            self.stepper = Stepper(images, self.input)
        self.leak, self.leaky = options.inverse_leak, None
        if not self.leak.doubles:
            self.leaky = LeakySteps(self.codes[INPUT], self.input.timesteps)
            self.figures["leak"] = {"n": self.leak.n, "m": self.leak.m, "k": self.leak.k}

    def run(self) -> Converted:
        nodes: list[Node] = []
        for done, node in enumerate(self.graph.nodes):
            self.progress(done, len(self.graph.nodes), node.name)
            match node:
                case Population():
                    nodes.append(self._layer(node))
                case FloatMaxPool() | FloatFlatten():
                    nodes.append(self._rearrange(node))
            self._forget(done)
        if self.counts:
            last = nodes[-1]
            assert isinstance(last, Layer)
            nodes.append(read_values(last, {INPUT, *(node.name for node in nodes)}))
        self.progress(len(self.graph.nodes), len(self.graph.nodes), "")
        return Converted(input=self.input, nodes=tuple(nodes), figures=self.figures)

    def _forget(self, done: int) -> None:
        """Drop what no later node reads."""
        needed = {source for node in self.graph.nodes[done + 1 :] for source in node.sources}
        for name in set(self.values) - needed:
            del self.values[name], self.codes[name]
            if self.stepper is not None:
                self.stepper.forget(name)
            if self.leaky is not None:
                self.leaky.forget(name)

    def _rearrange(self, node: FloatMaxPool | FloatFlatten) -> Node:
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

    # --- layers ---------------------------------------------------------------------------------

    def _layer(self, node: Population) -> Layer:
        sums = calibrate.preactivation(node, self.values)
        weights = [per_code(p, self.decodings[p.source]) for p in node.projections]
        rounder = None
        if self.options.rounding == "fitted":
            fit = Fit(self._on_values(self._projections(node, weights)), weights, self.codes, sums)
            weights, rounder = fit.weights, fit.round
        energies = [
            energy(p, self.codes[p.source], self.decodings[p.source]) for p in node.projections
        ]
        if not node.fires:
            quantised = quantise_readout(
                weights, energies, bits=self.options.weight_bits, rounder=rounder
            )
            self.figures["logit_scale"] = float(quantised.scale[0])
            return self._finish(node, quantised, sums, None)
        options = self.options
        if self.counts and node is self.graph.nodes[-1]:
            options = replace(options, channel_scales=False)  # classes are compared
        q_max: float = code_max(self.code, options.steps(node.name))
        levels = values = None
        if self.leaky is not None:
            levels = Levels.of(self.leak, options.steps(node.name))
            q_max, values = levels.largest, levels.values
        if node.low < 0:
            scales, zero = choose_linear_scales(sums, q_max=q_max, options=options, levels=values)
            self._note("zero_points", node, zero.tolist())
        else:
            given = sums
            if self.stepper is not None:
                given = self.stepper.largest_current(node, self.decodings)
            scales = (
                choose_scales(given, q_max=q_max, high=node.high, options=options, levels=values)
                if node.steps is None
                else node.steps.scale
            )
            zero = np.zeros(len(scales), np.int64)
        if not bool((sums > 0).any()) and node.low == 0:
            self.figures["silent_layers"].append(node.name)
        self._note("output_scales", node, scales.tolist())
        given_max = max(self.q_max[name] for name in node.sources)
        quantised = quantise_layer(
            weights,
            energies,
            bits=self.options.weight_bits,
            output_scale=scales,
            q_max=given_max,
            fractions=self.options.neuron not in SINGLE_PHASE,
            least_threshold=MIN_THRESHOLD if levels is None else least_threshold(given_max),
            rounder=rounder,
        )
        output = Decoding(scale=scales, offset=-scales * zero, levels=levels)
        return self._finish(node, quantised, sums, output)

    def _note(self, what: str, node: Population, values: list[Any]) -> None:
        """One value a channel, or one for all."""
        self.figures[what][node.name] = values if self.options.channel_scales else values[0]

    def _projections(
        self, node: Population, weights: Sequence[np.ndarray]
    ) -> tuple[Projection, ...]:
        return tuple(
            integer_projection(p, w, self.decodings[p.source], self.q_max[p.source])
            for p, w in zip(node.projections, weights)
        )

    def _on_values(self, projections: Sequence[Projection]) -> tuple[Projection, ...]:
        return tuple(on_values(p, self.decodings[p.source]) for p in projections)

    def _finish(
        self,
        node: Population,
        quantised: Quantised,
        sums: torch.Tensor,
        output: Decoding | None,
    ) -> Layer:
        """The layer of these weights, and the codes that it gives."""
        projections = self._projections(node, quantised.weights)
        offsets = [offset_sum(p, self.decodings[p.source]) for p in projections]
        bias = node.bias + quantised.scale * np.sum(offsets, axis=0)
        membranes = torch.zeros((), dtype=torch.float64)
        for p in self._on_values(projections):
            membranes = membranes + calibrate.project(p, self.codes[p.source])
        if self.options.bias_correction == "mean" or self.options.rounding == "fitted":
            reached = membranes.mean(dim=(0, 2, 3)).numpy() * quantised.scale + bias
            bias = bias + sums.double().mean(dim=(0, 2, 3)).numpy() - reached
        projections = tuple(in_steps(p, self.decodings[p.source]) for p in projections)
        units = bias / quantised.scale
        lost = 0.0 if self.leaky is None else self.leaky.lost(node.sources[0])
        threshold = quantised.threshold
        if threshold is None or output is None:
            scale = float(quantised.scale[0])
            return self._read_out(node, projections, units, scale, lost)
        step = 1 << quantised.frac_bits
        zero = -output.offset / output.scale
        zero = np.round(zero) if output.levels is None else zero
        shift = (self.options.eta + zero) * threshold + lost
        full = whole_numbers(step * units + shift, node.name)
        self.values[node.name] = calibrate.activate(node, sums)
        neuron, whole = make_neuron(node.name, quantised, units, full, self.options)
        layer = Layer(name=node.name, projections=projections, bias=whole, neuron=neuron)
        if self.leaky is not None and output.levels is not None:
            assert isinstance(neuron, InverseLeakyNeuron)
            self.q_max[node.name] = output.levels.largest
            table = torch.from_numpy(output.levels.table).float()
            self.codes[node.name] = table[self.leaky.fire(layer).long()]
            # The level is rounded too, so that a spike takes a little less off than θ asks for.
            taken = firing_level(neuron) / (threshold * self.leak.k ** (neuron.timesteps - 1))
            output = replace(output, scale=output.scale * taken)
        else:
            q_max = code_max(self.code, self.options.steps(node.name))
            closed = step * membranes + calibrate.per_channel(full)
            codes = (closed / calibrate.per_channel(threshold)).floor().clamp(0, q_max)
            self.codes[node.name], self.q_max[node.name] = codes.float(), q_max
        self.decodings[node.name] = output
        if self.stepper is not None:
            self.stepper.fire(layer)
        return layer

    def _read_out(
        self,
        node: Population,
        projections: tuple[Projection, ...],
        units: np.ndarray,
        scale: float,
        lost: float,
    ) -> Layer:
        """Membranes as logits, a unit of them being ``scale``; or a softmax that draws spikes."""
        fractions = 0
        if any(self.decodings[name].levels is not None for name in node.sources):
            fractions = readout_bits(max(self.q_max[name] for name in node.sources))
        self.figures["logit_scale"] /= 1 << fractions
        units = units * (1 << fractions) + lost
        neuron: Decoder = ReadOut(frac_bits=fractions)
        if self.options.decoder == "softmax":
            timesteps = int(self.q_max[node.sources[0]])  # of a rate train
            neuron, step = softmax_of(scale, timesteps, self.options.temperature)
            self.figures["softmax_step"] = step
            units = units / timesteps  # a share in every timestep
        bias = whole_numbers(units, node.name)
        return Layer(name=node.name, projections=projections, bias=bias, neuron=neuron)
