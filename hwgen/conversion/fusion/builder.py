"""Nodes of the :class:`FloatGraph` under construction: unique names, shapes, ranges."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from hwgen.conversion.float_graph import (
    FloatFlatten,
    FloatGraph,
    FloatMaxPool,
    FloatNode,
    Population,
)
from hwgen.conversion.frontend.operators.call import Refusal
from hwgen.conversion.fusion.pending import Value
from hwgen.conversion.op_graph import INPUT, MaxPoolOp, unique
from hwgen.network import Shape


class Builder:
    """Finished nodes in order; ``shapes``, ``lows`` and ``highs`` (bounds of values) by name.

    ``linear``: whether populations without a ReLU are possible.
    """

    def __init__(self, input_shape: Shape, *, linear: bool) -> None:
        self.linear = linear
        self.shapes: dict[str, Shape] = {INPUT: input_shape}
        self.lows: dict[str, float] = {INPUT: 0.0}
        self.highs: dict[str, float] = {INPUT: math.inf}
        self._nodes: list[FloatNode] = []
        self._flattens: dict[str, str] = {}

    def max_pool(self, op: MaxPoolOp, source: str) -> str:
        node = FloatMaxPool(
            name=unique(op.name, self.shapes),
            source=source,
            kernel=op.kernel,
            stride=op.stride,
            padding=op.padding,
        )
        channels, height, width = op.shape
        return self._add(node, (channels, height, width), self.lows[source], self.highs[source])

    def flatten(self, source: str, name: str) -> str:
        """Name of the flattened ``source``; ``source`` itself if it is flat."""
        shape = self.shapes[source]
        if shape[1:] == (1, 1):
            return source
        if source not in self._flattens:
            node = FloatFlatten(name=unique(name, self.shapes), source=source)
            size = (math.prod(shape), 1, 1)
            bounds = self.lows[source], self.highs[source]
            self._flattens[source] = self._add(node, size, *bounds)
        return self._flattens[source]

    def close(
        self,
        value: Value,
        name: str,
        *,
        low: float = 0.0,
        high: float = math.inf,
        fires: bool = True,
    ) -> Value:
        """Put everything pending into a population, followed by the value's pools."""
        if value.pad is not None:
            raise Refusal(f"comes after a padding of {name}; pad after the ReLU")
        projections, bias = value.terms()
        population = Population(
            name=unique(name, self.shapes),
            projections=projections,
            bias=bias,
            low=low,
            high=high,
            fires=fires,
        )
        shape = value.pools[0][1] if value.pools else value.shape
        node = self._add(population, shape, low, high)
        for pool, _ in value.pools:
            node = self.max_pool(pool, node)
        return value.finished(node)

    def settle(self, value: Value) -> Value:
        """Put a pending map into a population of its own, a linear one if values may be negative.

        An average keeps weights of one; scale and offset after it stay pending.
        """
        if value.map is None:
            return value
        bare = replace(value, pad=None)
        if value.map.average and not value.pools:
            bare = bare.without_affine()
        low = 0.0 if self.not_negative(bare) else -math.inf
        if low < 0 and not self.linear:
            raise Refusal(
                f"follows {value.map.op.where} with no ReLU between, and the two cannot be "
                f"merged exactly; put a ReLU between them, or use neuron 'ilif', whose code "
                f"carries negative values"
            )
        closed = replace(
            self.close(bare, value.map.op.name, low=low), pad=value.pad, view=value.view
        )
        if value.map.average and not value.pools:
            closed = replace(closed, scale=value.scale, offset=value.offset)
        return closed

    def not_negative(self, value: Value) -> bool:
        """Whether no image can make the value negative, apart from padding and pools."""
        projections, bias = value.terms()
        return bool((bias >= 0).all()) and all(
            self.lows[p.source] >= 0 and bool((p.weights >= 0).all()) for p in projections
        )

    def flattened(self, value: Value) -> Value:
        """The value over a flattened source, with one scale per feature."""
        if value.pad is not None:
            raise Refusal("is applied to the features of a padded map; pad before a convolution")
        value = self.settle(value)
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

    def _add(self, node: FloatNode, shape: Shape, low: float, high: float) -> str:
        self._nodes.append(node)
        self.shapes[node.name] = shape
        self.lows[node.name] = low
        self.highs[node.name] = high
        return node.name
