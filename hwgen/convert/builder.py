"""Collects the nodes of a :class:`FloatGraph` while it is folded: unique names, shapes, ranges."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from hwgen.convert.graph import (
    INPUT,
    FloatConv2d,
    FloatFlatten,
    FloatGraph,
    FloatIdentity,
    FloatLinear,
    FloatMaxPool,
    FloatNode,
    MaxPoolOp,
    Population,
)
from hwgen.convert.operators import Refusal
from hwgen.convert.symbol import Value
from hwgen.network import Shape


class Builder:
    """Finished nodes in order; ``shapes`` and ``highs`` (largest possible value) by name."""

    def __init__(self, input_shape: Shape) -> None:
        self.shapes: dict[str, Shape] = {INPUT: input_shape}
        self.highs: dict[str, float] = {INPUT: math.inf}
        self._nodes: list[FloatNode] = []
        self._flattens: dict[str, str] = {}

    def population(self, node: Population, shape: Shape) -> str:
        return self._add(node, shape, node.high)

    def max_pool(self, op: MaxPoolOp, source: str) -> str:
        node = FloatMaxPool(
            name=self.unique(op.name),
            source=source,
            kernel=op.kernel,
            stride=op.stride,
            padding=op.padding,
        )
        channels, height, width = op.shape
        return self._add(node, (channels, height, width), self.highs[source])

    def flatten(self, source: str, name: str) -> str:
        """The flattened ``source``; itself where it is flat."""
        shape = self.shapes[source]
        if shape[1:] == (1, 1):
            return source
        if source not in self._flattens:
            node = FloatFlatten(name=self.unique(name), source=source)
            size = (math.prod(shape), 1, 1)
            self._flattens[source] = self._add(node, size, self.highs[source])
        return self._flattens[source]

    def close(
        self, value: Value, name: str, *, high: float = math.inf, fires: bool = True
    ) -> Value:
        """The value with all that is pending in a population, and its pools behind that."""
        if value.pad is not None:
            raise Refusal(f"comes after a padding of {name}; pad after the ReLU")
        if value.map is None:
            projection: FloatIdentity | FloatConv2d | FloatLinear
            projection = FloatIdentity(source=value.source, weights=value.scale)
            bias = value.offset
        else:
            done = value.folded_map()
            projection, bias = done.projection, done.bias
        population = Population(
            name=self.unique(name),
            projections=(projection,),
            bias=bias,
            high=high,
            fires=fires,
        )
        shape = value.pools[0][1] if value.pools else value.shape
        node = self.population(population, shape)
        for pool, _ in value.pools:
            node = self.max_pool(pool, node)
        return value.finished(node)

    def close_average(self, value: Value) -> Value:
        """A pending average as a population of its own; any other pending map is refused."""
        assert value.map is not None
        if not value.map.average or value.pools:
            raise Refusal(
                f"follows {value.map.op.where} with no ReLU between, and the two cannot be "
                f"merged exactly; put a ReLU between them"
            )
        closed = self.close(replace(value, pad=None).without_affine(), value.map.op.name)
        return replace(
            closed, scale=value.scale, offset=value.offset, pad=value.pad, view=value.view
        )

    def flattened(self, value: Value) -> Value:
        """The value over a flattened source, one scale a feature."""
        if value.map is not None or value.pad is not None:
            raise Refusal("is applied to the features of a map with no ReLU; put one before it")
        pixels = value.shape[1] * value.shape[2]
        source = self.flatten(value.source, value.flat_name)
        return replace(
            value,
            source=source,
            shape=self.shapes[source],
            scale=np.repeat(value.scale, pixels),
            offset=np.repeat(value.offset, pixels),
        )

    def graph(self) -> FloatGraph:
        return FloatGraph(input_shape=self.shapes[INPUT], nodes=tuple(self._nodes))

    def unique(self, name: str) -> str:
        number, unique = 2, name
        while unique in self.shapes:
            unique, number = f"{name}_{number}", number + 1
        return unique

    def _add(self, node: FloatNode, shape: Shape, high: float) -> str:
        self._nodes.append(node)
        self.shapes[node.name] = shape
        self.highs[node.name] = high
        return node.name
