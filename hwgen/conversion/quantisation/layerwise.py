"""Quantisation layer by layer, each on the codes that the layers before it send.

A layer computes u = Σ w·x + b and x' = min(max(u, 0), high). With the codes x ≈ α·q + β of its
inputs and x' ≈ λ·q' of its output, the neuron's::

    q' = clip(⌊(2^f·W·q + B) / θ⌋, 0, q'_max)

rounds u / λ to the nearest integer if::

    W = round(w·α / s)          s: real value of a membrane unit, one per channel
    θ = 2^f·λ / s               the threshold, an exact integer: s is moved to fit it
    B = round(2^f·(b / s + Σ W·β/α) + (η + z)·θ)                    (ECC Eq. 9, η = 1/2)

λ, one per layer or per channel, minimises the conversion error on calibration data
(:mod:`hwgen.conversion.calibration.scales`). A bias can correct errors of the codes before it. The
readout has one s for all classes and no offset. :mod:`hwgen.conversion.quantisation.neuron` splits
B between bias and initial membrane. With a leak k < 2, q above is the value of a train, λ that of a
spike in its last step, and layers run step by step (:mod:`hwgen.conversion.calibration.levels`).

z is 0 except for a linear population, one without a ReLU: its train has the value λ·(q − z), so
β = −λ·z for its readers, and its padding with zeros sends z. It is an ordinary neuron with a larger
bias: no signed spikes, and no extra hardware.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from hwgen.conversion.calibration import float_run as calibrate
from hwgen.conversion.calibration.input_decoding import Decoding
from hwgen.conversion.calibration.known import Known
from hwgen.conversion.calibration.levels import Levels, minimum_threshold, rounding_loss
from hwgen.conversion.calibration.scales import choose_linear_scales, choose_scales
from hwgen.conversion.choices import BiasCorrection, DecoderKind, Rounding, ThresholdRule
from hwgen.conversion.converted import Converted, Progress
from hwgen.conversion.float_graph import FloatFlatten, FloatGraph, FloatMaxPool, Population
from hwgen.conversion.op_graph import INPUT
from hwgen.conversion.options import Options
from hwgen.conversion.provenance import Figures, Scales
from hwgen.conversion.quantisation.decoders import make_readout, read_values, with_firing_end
from hwgen.conversion.quantisation.integers import (
    BIAS_BITS,
    MAX_FRAC_BITS,
    MIN_THRESHOLD,
    Quantised,
    quantise_layer,
    quantise_readout,
)
from hwgen.conversion.quantisation.neuron import make_neuron, whole_numbers
from hwgen.conversion.quantisation.projections import (
    in_steps,
    largest_sums,
    offset_sum,
    per_code,
    second_moment,
)
from hwgen.conversion.quantisation.weight_fitting import Fit
from hwgen.network import JoinedTrains, Layer, Node

KEPT_IMAGES = 4


def layerwise(
    graph: FloatGraph, images: np.ndarray, options: Options, progress: Progress
) -> Converted:
    """Quantise ``graph`` on calibration ``images`` (samples, channels, height, width), or frames of
    events (samples, timesteps, channels, height, width)."""
    return _Layerwise(graph, images, options, progress).run()


class _Layerwise:
    def __init__(
        self, graph: FloatGraph, images: np.ndarray, options: Options, progress: Progress
    ) -> None:
        self.counts = options.decoder.fires
        self.float_graph = graph
        self.graph = with_firing_end(graph) if self.counts else graph
        self.options, self.progress = options, progress
        self.known = Known(graph, images, options)
        self.codes = {INPUT: self.known.trains(INPUT, KEPT_IMAGES)}
        decoding = self.known.decodings[INPUT]
        self.leak = leak = options.inverse_leak
        self.figures = Figures(
            input_scale=decoding.scale.tolist(),
            input_offset=decoding.offset.tolist(),
            leak=None if leak.doubles else {"n": leak.n, "m": leak.m, "k": leak.k},
            chosen_timesteps=options.chosen_timesteps,
        )

    def run(self) -> Converted:
        nodes: list[Node] = []
        for done, node in enumerate(self.graph.nodes):
            self.progress(done, len(self.graph.nodes), node.name)
            match node:
                case Population():
                    nodes.append(self._layer(node))
                case FloatMaxPool() | FloatFlatten():
                    nodes.append(self.known.rearrange(node))
            if not isinstance(node, Population) or node.fires:
                self.codes[node.name] = self.known.trains(node.name, KEPT_IMAGES)
            later = self.graph.nodes[done + 1 :]
            self.known.forget({source for other in later for source in other.sources})
        if self.counts:
            last = nodes[-1]
            assert isinstance(last, Layer)
            nodes.append(read_values(last, {INPUT, *(node.name for node in nodes)}))
        self.progress(len(self.graph.nodes), len(self.graph.nodes), "")
        return Converted(
            input=self.known.input,
            nodes=tuple(nodes),
            figures=self.figures,
            graph=self.float_graph,
            codes=self.codes,
        )

    def _layer(self, node: Population) -> Layer:
        known = self.known
        sums = calibrate.preactivation(node, known.values)
        weights = [per_code(p, known.decodings[p.source]) for p in node.projections]
        rounder = None
        if self.options.rounding is Rounding.FITTED and node.unit is None:
            fit = Fit(known.on_values(known.projections(node, weights)), weights, known.codes, sums)
            weights, rounder = fit.weights, fit.round
        second_moments = [
            second_moment(p, known.codes[p.source], known.decodings[p.source])
            for p in node.projections
        ]
        largest = [known.q_max[p.source] for p in node.projections]
        if not node.fires:
            softmax = self.options.decoder is DecoderKind.SOFTMAX
            steps = max(largest) if softmax else 1  # each has its share of the bias
            quantised = quantise_readout(
                weights,
                second_moments,
                bits=self.options.weight_bits,
                bias=node.bias / steps,
                bias_bits=BIAS_BITS if self.leak.doubles else BIAS_BITS - MAX_FRAC_BITS,
                rounder=rounder,
            )
            self.figures.logit_scale = float(quantised.scale[0])
            return self._finish(node, quantised, sums, None)
        options = self.options
        if self.counts and node is self.graph.nodes[-1]:
            options = replace(options, channel_scales=False)  # classes are compared
        q_max: float = self.options.code.q_max(options.steps(node.name))
        levels = values = None
        if not self.leak.doubles:
            levels = Levels.of(self.leak, options.steps(node.name))
            q_max, values = levels.largest, levels.values
        reach = largest_sums(weights, largest) + np.abs(node.bias)
        rule = {"q_max": q_max, "options": options, "levels": values, "reach": reach}
        if node.low < 0:
            scales, zero = choose_linear_scales(sums, **rule)
            self._note(self.figures.zero_points, node, zero.tolist())
        else:
            given = sums
            if self.options.thresholds is ThresholdRule.CURRENT and known.sent is not None:
                given = known.largest_current(node, known.sent)
            scales = (
                choose_scales(given, high=node.high, **rule)
                if node.steps is None
                else node.steps.scale
            )
            zero = np.zeros(len(scales), np.int64)
        if not bool((sums > 0).any()) and node.low == 0:
            self.figures.silent_layers.append(node.name)
        self._note(self.figures.output_scales, node, scales.tolist())
        if self.counts and node is self.graph.nodes[-1]:
            self.figures.logit_scale = float(scales[0])  # of a spike
        given_max = max(largest)
        quantised = quantise_layer(
            weights,
            second_moments,
            bits=self.options.weight_bits,
            output_scale=scales,
            q_max=given_max,
            fractions=not self.options.neuron.single_phase,
            minimum_threshold=MIN_THRESHOLD if levels is None else minimum_threshold(given_max),
            rounder=rounder,
            unit=node.unit,
        )
        output = Decoding(scale=scales, offset=-scales * zero, levels=levels)
        return self._finish(node, quantised, sums, output)

    def _note(self, figure: Scales, node: Population, values: list[float]) -> None:
        """One value per channel, or one for all."""
        figure[node.name] = values if self.options.channel_scales else values[0]

    def _finish(
        self, node: Population, quantised: Quantised, sums: torch.Tensor, output: Decoding | None
    ) -> Layer:
        """The layer with these weights; its codes go to ``known``."""
        known, options = self.known, self.options
        projections = known.projections(node, quantised.weights)
        offsets = [offset_sum(p, known.decodings[p.source]) for p in projections]
        bias = node.bias + quantised.scale * np.sum(offsets, axis=0)
        membranes = calibrate.integer_sums(known.on_values(projections), known.codes)
        # Of 5,000 images new to ResNet-20 at T = 2, 267 were right only uncorrected, 223 only so.
        corrected = options.bias_correction is BiasCorrection.MEAN and not self.float_graph.trained
        if corrected or (options.rounding is Rounding.FITTED and node.unit is None):
            reached = calibrate.channel_means(membranes) * quantised.scale + bias
            bias = bias + calibrate.channel_means(sums) - reached
        projections = tuple(in_steps(p, known.decodings[p.source]) for p in projections)
        units = bias / quantised.scale
        sent, lost = known.sent, 0.0
        if sent is not None:
            lost = rounding_loss(JoinedTrains.of(node, sent.train_types).longest)
        threshold = quantised.threshold
        if threshold is None or output is None:
            readout = make_readout(node, projections, units, lost, known, self.figures, options)
            if self.leak.doubles:
                logits = membranes[:KEPT_IMAGES].double() + calibrate.per_channel(readout.bias)
                self.codes[node.name] = logits.numpy().astype(np.int64)
            return readout
        step = 1 << quantised.frac_bits
        zero = -output.offset / output.scale
        zero = np.round(zero) if output.levels is None else zero
        shift = (options.eta + zero) * threshold + lost
        full = whole_numbers(step * units + shift, node.name)
        known.values[node.name] = calibrate.by_batches(
            lambda part: calibrate.activate(node, part[""]), {"": sums}, out=sums
        )
        neuron, whole = make_neuron(node.name, quantised, units, full, options)
        layer = Layer(name=node.name, projections=projections, bias=whole, neuron=neuron)
        if sent is not None:
            sent.add(layer)
        if sent is not None and output.levels is not None:
            known.q_max[node.name] = output.levels.largest
            table = torch.from_numpy(output.levels.table).float()
            known.codes[node.name] = table[torch.from_numpy(sent.values(node.name).astype(int))]
            # The level D is rounded, too: a spike takes slightly less than θ·k^(T−1).
            level = neuron.level.astype(np.float64)
            taken = level / (threshold * self.leak.k ** (neuron.timesteps - 1))
            output = replace(output, scale=output.scale * taken)
        else:
            q_max = options.code.q_max(options.steps(node.name))
            shifts, divisors = calibrate.per_channel(full), calibrate.per_channel(threshold)

            def fired(part: calibrate.Tensors) -> torch.Tensor:
                closed = part[""].double().mul_(step).add_(shifts)
                return closed.div_(divisors).floor_().clamp_(0, q_max).float()

            out = membranes if membranes.dtype == torch.float32 else None
            known.codes[node.name] = calibrate.by_batches(fired, {"": membranes}, out=out)
            known.q_max[node.name] = q_max
        known.decodings[node.name] = output
        return layer
