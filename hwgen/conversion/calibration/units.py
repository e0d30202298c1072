"""A float graph in units of its own: the same network, whatever the scale of each layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from hwgen.conversion.float_graph import (
    FloatConv2d,
    FloatGraph,
    FloatNode,
    FloatProjection,
    Population,
)

Units = Mapping[str, np.ndarray]
"""Real value of one unit of each channel, float64 (channels,), by node and "input"."""


def power_of_two(sizes: np.ndarray) -> np.ndarray:
    """Largest power of two up to each of ``sizes``, which changes no digit; 1 for 0."""
    _, exponents = np.frexp(sizes)
    return np.where(sizes > 0, np.ldexp(0.5, exponents), 1.0)


def in_units(graph: FloatGraph, units: Units) -> FloatGraph:
    """``graph`` with the values of each node divided by its unit; saturations stay as they are."""
    nodes: list[FloatNode] = []
    for node in graph.nodes:
        if isinstance(node, Population):
            own = units[node.name]
            projections = tuple(_in_units(p, units[p.source], own) for p in node.projections)
            steps = node.steps and replace(node.steps, scale=node.steps.scale / own)
            node = replace(node, projections=projections, bias=node.bias / own, steps=steps)
        nodes.append(node)
    return replace(graph, nodes=tuple(nodes))


def inverse(units: Units) -> Units:
    """Units that undo ``units``."""
    return {name: 1 / unit for name, unit in units.items()}


def _in_units(projection: FloatProjection, given: np.ndarray, own: np.ndarray) -> FloatProjection:
    weights = projection.weights
    column = own.reshape(-1, *(1,) * (weights.ndim - 1))
    if not isinstance(projection, FloatConv2d):
        return replace(projection, weights=weights * given / column)
    grouped = weights.reshape(projection.groups, -1, *weights.shape[1:])
    scaled = (grouped * given.reshape(projection.groups, 1, -1, 1, 1)).reshape(weights.shape)
    pads = None if projection.pad_value is None else projection.pad_value / given
    return replace(projection, weights=scaled / column, pad_value=pads)
