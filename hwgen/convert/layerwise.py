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
s for all classes and no offset. A single-phase neuron gets B / T in every step and η·θ as its
initial membrane.

z is 0 but for a linear population, one with no ReLU: its train stands for λ·(q − z), so that
β = −λ·z for those that read it, and z is what its padding with zeros sends. It is an ordinary
neuron with a larger bias: no signed spikes, and nothing new in hardware.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from hwgen.convert import calibrate
from hwgen.convert.graph import INPUT, FloatFlatten, FloatGraph, FloatMaxPool, Population
from hwgen.convert.inputs import Decoding, counts_of, decode_input, encode
from hwgen.convert.options import SINGLE_PHASE, Converted, Options, Progress
from hwgen.convert.projections import (
    energy,
    in_steps,
    integer_projection,
    offset_sum,
    per_code,
)
from hwgen.convert.quantise import Quantised, quantise_layer, quantise_readout
from hwgen.convert.rounding import Fit
from hwgen.convert.stepping import Stepper
from hwgen.convert.thresholds import choose_linear_scales, choose_scales
from hwgen.errors import ConversionError
from hwgen.network import (
    Flatten,
    HardResetNeuron,
    Input,
    InverseLeakyNeuron,
    Layer,
    MaxPool2d,
    Neuron,
    Node,
    Projection,
    ReadOut,
    SoftResetNeuron,
    TimeToFirstSpikeNeuron,
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
        self.graph, self.options, self.progress = graph, options, progress
        self.code = options.code
        self.input = Input(
            shape=graph.input_shape,
            timesteps=options.steps(INPUT),
            code=options.source_code,
            pixel_bits=options.pixel_bits or 8,
        )
        pixels = counts_of(images)
        decoding = decode_input(pixels, self.input, graph)
        # Of every node: float values, codes, what the codes stand for, the largest code.
        self.values = {INPUT: calibrate.as_tensor(pixels)}
        self.codes = {INPUT: calibrate.as_tensor(encode(pixels, self.input))}
        self.decodings = {INPUT: decoding}
        self.q_max = {INPUT: self.input.signal.q_max * decoding.step}
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
        self.progress(len(self.graph.nodes), len(self.graph.nodes), "")
        return Converted(input=self.input, nodes=tuple(nodes), figures=self.figures)

    def _forget(self, done: int) -> None:
        """Drop what no later node reads."""
        needed = {source for node in self.graph.nodes[done + 1 :] for source in node.sources}
        for name in set(self.values) - needed:
            del self.values[name], self.codes[name]
            if self.stepper is not None:
                self.stepper.forget(name)

    def _rearrange(self, node: FloatMaxPool | FloatFlatten) -> Node:
        source = node.source
        self.values[node.name] = calibrate.step(node, self.values)
        self.codes[node.name] = calibrate.step(node, self.codes)
        self.q_max[node.name] = self.q_max[source]
        given = self.decodings[source]
        if self.stepper is not None:
            self.stepper.rearrange(node)
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
            step=given.step,
        )
        return Flatten(name=node.name, source=source)

    # --- layers ---------------------------------------------------------------------------------

    def _layer(self, node: Population) -> Layer:
        sums = calibrate.preactivation(node, self.values)
        weights = [per_code(p, self.decodings[p.source]) for p in node.projections]
        rounder = None
        if self.options.rounding == "fitted":
            fit = Fit(self._projections(node, weights), weights, self.codes, sums)
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
        q_max = code_max(self.code, self.options.steps(node.name))
        if node.low < 0:
            scales, zero = choose_linear_scales(sums, q_max=q_max, options=self.options)
            self._note("zero_points", node, zero.tolist())
        else:
            given = sums
            if self.stepper is not None:
                given = self.stepper.largest_current(node, self.decodings)
            scales = choose_scales(given, q_max=q_max, high=node.high, options=self.options)
            zero = np.zeros(len(scales), np.int64)
        if not bool((sums > 0).any()) and node.low == 0:
            self.figures["silent_layers"].append(node.name)
        self._note("output_scales", node, scales.tolist())
        quantised = quantise_layer(
            weights,
            energies,
            bits=self.options.weight_bits,
            output_scale=scales,
            q_max=max(self.q_max[name] for name in node.sources),
            fractions=self.options.neuron not in SINGLE_PHASE,
            rounder=rounder,
        )
        return self._finish(node, quantised, sums, Decoding(scale=scales, offset=-scales * zero))

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
        for p in projections:
            membranes = membranes + calibrate.project(p, self.codes[p.source])
        if self.options.bias_correction == "mean" or self.options.rounding == "fitted":
            reached = membranes.mean(dim=(0, 2, 3)).numpy() * quantised.scale + bias
            bias = bias + sums.double().mean(dim=(0, 2, 3)).numpy() - reached
        projections = tuple(in_steps(p, self.decodings[p.source]) for p in projections)
        units = bias / quantised.scale
        threshold = quantised.threshold
        if threshold is None or output is None:
            whole = _integers(units, node.name)
            return Layer(name=node.name, projections=projections, bias=whole, neuron=ReadOut())
        step = 1 << quantised.frac_bits
        zero = np.round(-output.offset / output.scale)
        full = _integers(step * units + (self.options.eta + zero) * threshold, node.name)
        q_max = code_max(self.code, self.options.steps(node.name))
        closed = step * membranes + calibrate.per_channel(full)
        codes = (closed / calibrate.per_channel(threshold)).floor().clamp(0, q_max)
        self.values[node.name] = calibrate.activate(node, sums)
        self.codes[node.name] = codes.float()
        self.decodings[node.name] = output
        self.q_max[node.name] = q_max
        neuron, whole = self._neuron(node.name, quantised, threshold, units, full)
        layer = Layer(name=node.name, projections=projections, bias=whole, neuron=neuron)
        if self.stepper is not None:
            self.stepper.fire(layer)
        return layer

    def _neuron(
        self,
        name: str,
        quantised: Quantised,
        threshold: np.ndarray,
        units: np.ndarray,
        full: np.ndarray,
    ) -> tuple[Neuron, np.ndarray]:
        timesteps = self.options.steps(name)
        match self.options.neuron:
            case "ilif":
                return InverseLeakyNeuron(
                    threshold=threshold,
                    timesteps=timesteps,
                    threshold_frac_bits=quantised.frac_bits,
                ), full
            case "if2":
                return SoftResetNeuron(
                    threshold=threshold,
                    timesteps=timesteps,
                    threshold_frac_bits=quantised.frac_bits,
                ), full
            case "ttfs":
                return TimeToFirstSpikeNeuron(
                    threshold=threshold,
                    timesteps=timesteps,
                    threshold_frac_bits=quantised.frac_bits,
                ), full
        initial = np.minimum(np.round(self.options.eta * threshold), threshold - 1)
        bias = _integers(units / timesteps, name)
        start = _integers(initial, name)
        if self.options.neuron == "if-hard":
            return HardResetNeuron(threshold=threshold, timesteps=timesteps, initial=start), bias
        return SoftResetNeuron(
            threshold=threshold, timesteps=timesteps, two_phase=False, initial=start
        ), bias


def _integers(values: np.ndarray, name: str) -> np.ndarray:
    if not np.isfinite(values).all() or np.abs(values).max() >= 2.0**47:
        raise ConversionError(
            f"{name}: a bias is out of range beside the weights; are they trained?"
        )
    return np.round(values).astype(np.int64)
