"""Rounded weights while a network trains: what quantisation will make of it.

A network of few levels amplifies a change: one code in a thousand that differs in the first layer
is one in ten after twenty layers. Rounding weights after training is such a change, so training
sees rounded ones, and quantisation finds the same integers again: the unit s of each membrane is
that of the start, and goes with the network (:attr:`hwgen.conversion.float_graph.Steps.unit`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from hwgen.conversion.calibration.input_decoding import Decoding
from hwgen.conversion.float_graph import (
    FloatConv2d,
    FloatFlatten,
    FloatGraph,
    FloatNode,
    FloatProjection,
    Population,
    Steps,
)
from hwgen.conversion.op_graph import INPUT
from hwgen.conversion.quantisation.integers import membrane_unit, quantise_layer
from hwgen.conversion.quantisation.projections import (
    integer_projection,
    offset_sum,
    per_code,
)

_NUDGE = 0.25
"""In units of a whole bias, which it leaves: a float sum on the threshold fires, as integers do."""


class WeightRounding:
    """Rounding of weights to ``bits``, sign included, as quantisation does it.

    ``source`` decodes the codes of the input, 0 … ``q_max``.
    """

    def __init__(self, source: Decoding, q_max: float, bits: int) -> None:
        self._source, self._q_max, self._bits = source, q_max, bits

    def ready(self, graph: FloatGraph) -> FloatGraph:
        """``graph`` with a membrane unit for each population with steps whose inputs are codes.

        Pad values become those of their codes.
        """
        largest: dict[str, float] = {INPUT: self._q_max}
        nodes = list[FloatNode]()
        for node, given in self._decoded(graph):
            if not isinstance(node, Population):
                largest[node.name] = largest[node.source]
            elif node.steps is not None:
                largest[node.name] = node.steps.levels
                if given:
                    weights = [per_code(p, d) for p, d in zip(node.projections, given)]
                    unit = membrane_unit(
                        weights,
                        [np.ones(()) for _ in weights],
                        bits=self._bits,
                        output_scale=node.steps.scale,
                        q_max=max(largest[p.source] for p in node.projections),
                    )
                    node = replace(node, steps=replace(node.steps, unit=unit))
            if isinstance(node, Population) and given:
                pairs = zip(node.projections, given)
                node = replace(node, projections=tuple(self._coded(p, d) for p, d in pairs))
            nodes.append(node)
        return replace(graph, nodes=tuple(nodes))

    def _coded(self, projection: FloatProjection, given: Decoding) -> FloatProjection:
        """``projection`` with the values of its pad codes."""
        if not isinstance(projection, FloatConv2d) or not any(projection.padding):
            return projection
        value = np.zeros(len(given.scale)) if projection.pad_value is None else projection.pad_value
        pads = given.scale * given.code(value, self._q_max) + given.offset
        return replace(projection, pad_value=pads if pads.any() else None)

    def __call__(self, graph: FloatGraph) -> FloatGraph:
        """``graph`` as quantisation will round its populations with a membrane unit."""
        return replace(
            graph,
            nodes=tuple(
                self._rounded(node, node.steps, given)
                if isinstance(node, Population) and node.steps and node.unit is not None
                else node
                for node, given in self._decoded(graph)
            ),
        )

    def _rounded(self, node: Population, steps: Steps, given: list[Decoding]) -> Population:
        made = quantise_layer(
            [per_code(p, d) for p, d in zip(node.projections, given)],
            (),
            bits=self._bits,
            output_scale=steps.scale,
            q_max=0,
            unit=steps.unit,
        )
        integers = [
            integer_projection(p, w, d, self._q_max)
            for p, w, d in zip(node.projections, made.weights, given)
        ]
        offsets = made.scale * sum(offset_sum(p, d) for p, d in zip(integers, given))
        unit = made.scale / (1 << made.frac_bits)
        assert made.threshold is not None
        shift = steps.eta * made.threshold
        bias = unit * (np.round((node.bias + offsets) / unit + shift) - shift + _NUDGE) - offsets
        projections = tuple(
            _real(p, w, made.scale, d) for p, w, d in zip(node.projections, made.weights, given)
        )
        return replace(node, projections=projections, bias=bias)

    def _decoded(self, graph: FloatGraph) -> Iterator[tuple[FloatNode, list[Decoding]]]:
        """Nodes, each with the decodings of its sources; none if one of them is not known yet."""
        known: dict[str, Decoding | None] = {INPUT: self._source}
        shapes = graph.shapes()
        for node in graph.nodes:
            given = [known[name] for name in node.sources]
            yield node, [d for d in given if d is not None] if None not in given else []
            own = given[0]
            if isinstance(node, Population):
                steps, zeros = node.steps, np.zeros(len(node.bias))
                own = None if steps is None else Decoding(scale=steps.scale, offset=zeros)
            elif isinstance(node, FloatFlatten) and own is not None:
                pixels = shapes[node.name][0] // len(own.scale)
                scale, offset = np.repeat(own.scale, pixels), np.repeat(own.offset, pixels)
                own = replace(own, scale=scale, offset=offset)
            known[node.name] = own


def _real(
    projection: FloatProjection, weights: np.ndarray, scale: np.ndarray, given: Decoding
) -> FloatProjection:
    """``projection`` with the real values of integer ``weights``."""
    per_value = replace(given, scale=1 / given.scale)
    real = replace(projection, weights=weights * scale.reshape(-1, *(1,) * (weights.ndim - 1)))
    return replace(projection, weights=per_code(real, per_value))


def with_pads_of(graph: FloatGraph, original: FloatGraph) -> FloatGraph:
    """``graph`` with the pad values of ``original``, a graph of the same structure."""

    def restored(made: FloatProjection, given: FloatProjection) -> FloatProjection:
        if isinstance(made, FloatConv2d) and isinstance(given, FloatConv2d):
            return replace(made, pad_value=given.pad_value)
        return made

    nodes = list[FloatNode]()
    for node, other in zip(graph.nodes, original.nodes):
        if isinstance(node, Population) and isinstance(other, Population):
            pairs = zip(node.projections, other.projections)
            node = replace(node, projections=tuple(restored(*pair) for pair in pairs))
        nodes.append(node)
    return replace(graph, nodes=tuple(nodes))
