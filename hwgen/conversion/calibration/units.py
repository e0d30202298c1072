"""A float graph in units of its own: the same network, whatever the scale of each layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch

from hwgen.conversion.calibration import float_run as calibrate
from hwgen.conversion.float_graph import (
    FloatConv2d,
    FloatGraph,
    FloatNode,
    FloatProjection,
    Population,
    Steps,
)
from hwgen.conversion.op_graph import INPUT

Units = Mapping[str, np.ndarray]
"""Real value of one unit of each channel, float64 (channels,), by node and "input"."""


def power_of_two(sizes: np.ndarray) -> np.ndarray:
    """Largest power of two up to each of ``sizes``, which changes no digit; 1 for 0."""
    _, exponents = np.frexp(sizes)
    return np.where(sizes > 0, np.ldexp(0.5, exponents), 1.0)


def units_of(graph: FloatGraph, values: torch.Tensor, *, each: bool) -> Units:
    """Powers of two of the size of a node's values: about λ, or the largest value without steps.

    ``values`` are those of the input on a few images. ``each`` channel has a unit of its own; those
    of the readout are compared, so that they share one.
    """
    known = {INPUT: values}
    units: dict[str, np.ndarray] = {INPUT: np.ones(values.shape[1])}
    for done, node in enumerate(graph.nodes):
        made = known[node.name] = calibrate.step(node, known)
        channels = made.shape[1]
        if not isinstance(node, Population):
            given = units[node.source]
            units[node.name] = np.repeat(given, channels // len(given))
        elif node.steps is not None:
            units[node.name] = power_of_two(node.steps.scale)
        else:
            sizes = made.abs().amax(dim=(0, 2, 3)).double().numpy()
            own = each and node.fires
            units[node.name] = power_of_two(sizes if own else np.full(channels, sizes.max()))
        forget(known, graph.nodes[done + 1 :])
    return units


def forget(known: dict[str, torch.Tensor], later: tuple[FloatNode, ...]) -> None:
    """Drop values of nodes that no ``later`` node reads."""
    for name in set(known) - {source for node in later for source in node.sources}:
        del known[name]


def in_units(graph: FloatGraph, units: Units) -> FloatGraph:
    """``graph`` with the values of each node divided by its unit; saturations stay as they are."""
    nodes: list[FloatNode] = []
    for node in graph.nodes:
        if isinstance(node, Population):
            own = units[node.name]
            projections = tuple(_in_units(p, units[p.source], own) for p in node.projections)
            steps = node.steps and _steps_in_units(node.steps, own)
            node = replace(node, projections=projections, bias=node.bias / own, steps=steps)
        nodes.append(node)
    return replace(graph, nodes=tuple(nodes))


def _steps_in_units(steps: Steps, own: np.ndarray) -> Steps:
    unit = None if steps.unit is None else steps.unit / own
    return replace(steps, scale=steps.scale / own, unit=unit)


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
