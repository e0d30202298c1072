"""Where training starts: the float network with the activation of its spiking neurons.

λ follows the rule of the options, on the sums of the float network. Weights and biases are then
fitted layer by layer, as quantisation does: the sums that a layer computes from the rounded values
of the layers before it should be those of the float network.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from hwgen.conversion.calibration import float_run as calibrate
from hwgen.conversion.calibration.distillation import Lessons
from hwgen.conversion.calibration.images import spread
from hwgen.conversion.calibration.scales import choose_scales
from hwgen.conversion.calibration.student import learns
from hwgen.conversion.calibration.units import Units, forget, in_units, inverse, units_of
from hwgen.conversion.choices import BiasCorrection, Rounding
from hwgen.conversion.float_graph import FloatGraph, FloatNode, FloatProjection, Population, Steps
from hwgen.conversion.op_graph import INPUT
from hwgen.conversion.options import Options
from hwgen.conversion.quantisation.weight_fitting import Fit

FITTED_IMAGES = 1000  # more change no scale, and weights hardly
_MEASURED_IMAGES = 64  # for units, which need not be exact


class Start:
    """Networks with steps before training.

    ``untrained`` is what conversion makes of ``graph`` without training, up to the rounding of
    weights and the fit of the readout; ``fitted`` has corrected biases and fitted weights whatever
    the options say. ``best`` is the better one on images held out: few images make a poor fit.
    Those of a ``graph`` that has steps, which training gave it, stay as they are. ``units`` are
    those to train in.
    """

    def __init__(self, graph: FloatGraph, lessons: Lessons, options: Options) -> None:
        picks = lessons.known[spread(len(lessons.known), FITTED_IMAGES)]
        pixels, values = lessons.pixels(picks), lessons.values(picks)
        made = with_steps(graph, pixels, options)
        few = values[:_MEASURED_IMAGES]
        self.units = units_of(made, few, each=options.channel_scales)
        if graph.trained:
            self.untrained = self.fitted = self.best = graph
            return
        given = (made, graph, pixels, values, self.units)
        self.fitted = fitted(*given, weights=True)
        if options.rounding is Rounding.FITTED:
            self.untrained = self.fitted
        elif options.bias_correction is BiasCorrection.MEAN:
            self.untrained = fitted(*given, weights=False)
        else:
            self.untrained = made
        better, _ = lessons.better(self.untrained, self.fitted)
        self.best = self.fitted if better else self.untrained


def with_steps(graph: FloatGraph, pixels: np.ndarray, options: Options) -> FloatGraph:
    """``graph`` with steps for every population that fires, on raw ``pixels``.

    A linear population keeps its float activation; its zero point is chosen later. A population
    that has steps keeps them.
    """
    known, nodes = {INPUT: calibrate.as_tensor(pixels)}, list[FloatNode]()
    for done, node in enumerate(graph.nodes):
        if isinstance(node, Population):
            sums = calibrate.preactivation(node, known)
            known[node.name] = calibrate.activate(node, sums)
            if node.fires and node.low == 0 and node.steps is None:
                q_max = options.code.q_max(options.steps(node.name))
                scale = choose_scales(sums, q_max=q_max, high=node.high, options=options)
                node = replace(node, steps=Steps(scale=scale, levels=q_max, eta=options.eta))
        else:
            known[node.name] = calibrate.step(node, known)
        nodes.append(node)
        forget(known, graph.nodes[done + 1 :])
    return replace(graph, nodes=tuple(nodes))


def fitted(
    graph: FloatGraph,
    wanted: FloatGraph,
    pixels: np.ndarray,
    values: torch.Tensor,
    units: Units,
    *,
    weights: bool,
) -> FloatGraph:
    """``graph`` with corrected biases and, with ``weights``, fitted weights.

    Those of the readout stay: it has a single window per image, which makes a poor fit to train on.
    Its sums from the input ``values`` shall be those of the network ``wanted`` from raw ``pixels``.
    The fit is in ``units``, in which the channels of a layer are of one size.
    """
    graph = in_units(graph, units)
    known, real = {INPUT: values}, {INPUT: calibrate.as_tensor(pixels)}
    nodes = list[FloatNode]()
    for done, (node, model) in enumerate(zip(graph.nodes, wanted.nodes)):
        if isinstance(node, Population) and isinstance(model, Population):
            sums = calibrate.preactivation(model, real)
            real[node.name] = calibrate.activate(model, sums)
            sums = sums / calibrate.per_channel(units[node.name]).float()
            if weights and node.fires:
                node = replace(node, projections=_fitted(node.projections, known, sums))
            reached = calibrate.preactivation(node, known)
            error = calibrate.channel_means(sums) - calibrate.channel_means(reached)
            node = replace(node, bias=node.bias + error)
        else:
            real[node.name] = calibrate.step(model, real)
        known[node.name] = calibrate.step(node, known)
        nodes.append(node)
        for values_by_name in (known, real):
            forget(values_by_name, graph.nodes[done + 1 :])
    return in_units(replace(graph, nodes=tuple(nodes)), inverse(units))


def _fitted(
    projections: tuple[FloatProjection, ...], known: dict[str, torch.Tensor], sums: torch.Tensor
) -> tuple[FloatProjection, ...]:
    """``projections`` whose learning weights are fitted to what the others leave of ``sums``."""
    learning = [p for p in projections if learns(p)]
    for projection in projections:
        if projection not in learning:
            sums = sums - calibrate.weighted_sums(projection, known[projection.source])
    made = iter(Fit(learning, [p.weights for p in learning], known, sums).weights)
    return tuple(replace(p, weights=next(made)) if learns(p) else p for p in projections)
