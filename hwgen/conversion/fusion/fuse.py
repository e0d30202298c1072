"""OpGraph to FloatGraph: everything between two neurons becomes one linear map.

Batch norm and normalisation are fused into the weights before or after them, average pools into the
next linear layer; where that is not exact, or takes more weights than the model has, they become a
population of their own. Each op changes a symbolic :class:`Value` until a ReLU closes it into a
:class:`hwgen.conversion.float_graph.Population`.

An addition makes one population with the projections of all its branches. A linear map without a
ReLU (the bottleneck of a MobileNet) is merged with the next one if that takes no more weights: a
bottleneck's two matrices (E × P and P × E) would become one of E × E. Otherwise, and where several
ops read it, it becomes a linear population, whose trains carry negative values, too.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

import numpy as np

from hwgen.conversion import op_graph
from hwgen.conversion.float_graph import FloatGraph, FloatLinear
from hwgen.conversion.frontend.operators.call import Refusal
from hwgen.conversion.frontend.refusals import Refused, refuse
from hwgen.conversion.fusion.builder import Builder
from hwgen.conversion.fusion.compose import Kernel
from hwgen.conversion.fusion.merge import add, merge_kernel, merge_linear
from hwgen.conversion.fusion.pending import Map, Value
from hwgen.conversion.op_graph import INPUT, Op, OpGraph
from hwgen.errors import ConversionError
from hwgen.network import Shape


def fuse(
    graph: OpGraph, *, scale: np.ndarray, offset: np.ndarray, linear: bool = True
) -> FloatGraph:
    """Populations of ``graph``, whose images are ``scale · pixel + offset`` (one per channel).

    With ``linear`` the neuron's code can carry negative values, which allows populations without a
    ReLU. Raises :class:`.ConversionError`, which lists every op that does not fit a network of
    populations.
    """
    shape = graph.input_shape
    fuser = _Fuser(shape, linear=linear)
    start = Value(source=INPUT, shape=shape, view=shape, scale=scale, offset=offset)
    values: dict[str, Value | None] = {INPUT: start}
    refusals: list[Refused] = []
    readers = Counter(name for op in graph.ops for name in set(op.sources))
    for op in graph.ops:
        values[op.name] = None  # ops after a refused one are skipped
        try:
            if linear:  # computed once for all its readers
                for name in op.sources:
                    if readers[name] > 1 and (value := values[name]) is not None:
                        values[name] = fuser.build.settle(value)
            known = [value for name in op.sources if (value := values[name]) is not None]
            if len(known) == len(op.sources):
                values[op.name] = fuser.apply(op, known)
        except Refusal as refusal:
            refusals.append(Refused(op.where, str(refusal)))
    refuse(refusals)
    last = values[graph.output]
    assert last is not None
    try:
        readout = fuser.finish(last)
    except Refusal as refusal:
        raise ConversionError(str(refusal)) from refusal
    origins = {readout: graph.output}
    for name, value in values.items():
        if value is not None and value.map is None and value.is_plain and name != INPUT:
            origins.setdefault(value.source, name)
    return replace(fuser.build.graph(), origins=origins)


class _Fuser:
    def __init__(self, shape: Shape, *, linear: bool) -> None:
        self.build = Builder(shape, linear=linear)

    def apply(self, op: Op, values: list[Value]) -> Value:
        value = values[0]
        match op:
            case op_graph.AddOp():
                return add(self.build, op, values)
            case op_graph.ReshapeOp():
                if value.pad is not None:
                    raise Refusal("reshapes a padded map; flatten without padding")
                return replace(value, view=op.shape, flat_name=op.name)
            case op_graph.AffineOp():
                return self._affine(op, value)
            case op_graph.AveragePoolOp():
                return self._average(op, value.require_maps())
            case op_graph.ConvOp():
                return self._convolve(op, Kernel.of(op), value.require_maps())
            case op_graph.LinearOp():
                return self._linear(op, value)
            case op_graph.ClampOp():
                return self._clamp(op, value)
            case op_graph.MaxPoolOp():
                return self._max_pool(op, value.require_maps())
            case op_graph.PadOp():
                return value.require_maps().padded(op.padding, op.value)
        raise AssertionError(f"no rule for {type(op).__name__}")

    def finish(self, value: Value) -> str:
        """Close the readout, a map whose sums are the logits; returns its name."""
        if value.map is None or value.pools or value.pad is not None:
            raise Refusal(
                "the model must end with a linear map (Linear, Conv2d or an average), whose sums "
                "are the logits; leave out the activation or pool at its end"
            )
        if not value.is_flat or value.shape[1:] != (1, 1):
            raise Refusal(
                f"the logits must be one number per class, but they have shape {value.view}"
            )
        return self.build.close(value, value.map.op.name, fires=False).source

    # --- linear maps ----------------------------------------------------------------------------

    def _affine(self, op: op_graph.AffineOp, value: Value) -> Value:
        scale, offset = op.scale, op.offset
        if value.is_flat and value.shape[1:] != (1, 1):
            shared = value.per_channel(np.stack([scale, offset]))
            if shared is None:
                value = self.build.flattened(value)
            else:
                scale, offset = shared
        elif not value.is_flat:
            value.require_maps()
        if value.pools and (scale <= 0).any():
            raise Refusal(
                "a scale that is not positive, after a max-pool of a linear map, turns the "
                "maximum into a minimum; put the ReLU before the pool"
            )
        return value.affine(scale, offset)

    def _average(self, op: op_graph.AveragePoolOp, value: Value) -> Value:
        channels = value.shape[0]
        kernel = Kernel(
            weights=np.full((channels, 1, *op.kernel), 1 / op.divisor),
            bias=np.zeros(channels),
            stride=op.stride,
            padding=op.padding,
            groups=channels,
        )
        even = not any(op.padding) and op.divisor == math.prod(op.kernel)
        outside = even or not value.offset.any()  # whether scale and offset may stay pending
        if value.map is None and value.pad is None and outside:
            # The average of values ≥ 0 is ≥ 0, so it may become a population of its own.
            bounds = {"low": -math.inf, "high": math.inf}  # padding with zeros is exact
            projection, bias = value.without_affine().project(kernel, **bounds)
            average = Map(projections=(projection,), bias=bias, op=op, average=True)
            return value.mapped(average, _shape(op))
        return self._convolve(op, kernel, value)

    def _convolve(self, op: Op, kernel: Kernel, value: Value) -> Value:
        if value.map is not None and value.map.average and value.shape[1:] != (1, 1):
            # Merged, each spike would have as many times more weights as the pool has pixels.
            value = self.build.settle(value)
        if value.map is not None:
            merged = merge_kernel(self.build, op, kernel, value)
            if merged is not None:
                return merged
            value = self.build.settle(value)
        low, high = self.build.lows[value.source], self.build.highs[value.source]
        projection, bias = value.project(kernel, low=low, high=high)
        return value.mapped(Map(projections=(projection,), bias=bias, op=op), _shape(op))

    def _linear(self, op: op_graph.LinearOp, value: Value) -> Value:
        if not value.is_flat:
            raise Refusal("a linear map needs flattened maps; put a Flatten before it")
        shape = (len(op.weights), 1, 1)
        if value.map is not None and (value.map.average or value.shape[1:] == (1, 1)):
            # After an average: a convolution over the whole map, whose taps are equal in tiles.
            kernel = Kernel(weights=op.weights.reshape(-1, *value.shape), bias=op.bias)
            merged = merge_kernel(self.build, op, kernel, value)
            if merged is not None:
                return replace(merged, view=shape[:1])
        if value.map is not None and not value.pools:
            new = merge_linear(self.build, op, value)
            if new is not None:
                return replace(value, source=new.projections[0].source).mapped(
                    new, shape, flat=True
                )
        value = self.build.flattened(value)
        projection = FloatLinear(source=value.source, weights=op.weights * value.scale)
        bias = op.bias + op.weights @ value.offset
        return value.mapped(Map(projections=(projection,), bias=bias, op=op), shape, flat=True)

    # --- neurons --------------------------------------------------------------------------------

    def _clamp(self, op: op_graph.ClampOp, value: Value) -> Value:
        if op.high <= 0 or op.low > op.high:
            raise Refusal(f"clamp({op.low:g}, {op.high:g}) lets nothing through; use clamp(0, c)")
        positive = (
            value.is_plain
            and (value.map is None or value.map.average)
            and self.build.not_negative(value)
        )
        if op.low > 0 or (op.low < 0 and not positive):
            raise Refusal(
                f"clamps below at {op.low:g}, but a neuron is silent below 0; use clamp(0, c) "
                f"and train again"
            )
        known = math.inf if value.map else self.build.highs[value.source]
        if positive and op.high >= known:
            return value  # a ReLU of values that are never negative
        return self.build.close(value, (value.map.op if value.map else op).name, high=op.high)

    # --- max-pools and flattens -----------------------------------------------------------------

    def _max_pool(self, op: op_graph.MaxPoolOp, value: Value) -> Value:
        if value.map is not None and value.map.average:
            value = self.build.settle(value)
        if value.map is not None:
            if value.pad is not None:
                raise Refusal("pools a padded linear map; pad after the ReLU")
            fused = value.fused_map()
            pools = (*value.pools, (op, value.shape))
            return replace(
                value.without_affine(), map=fused, pools=pools, shape=_shape(op), view=op.shape
            )
        if (value.scale < 0).any():
            raise Refusal("a negative scale before a max-pool; put the batch norm after the pool")
        padding = op.padding
        if value.pad is not None:
            if self.build.lows[value.source] < 0 or (value.pad.value > value.offset).any():
                raise Refusal("pools a map padded with more than silence; pad after the ReLU")
            top, left, bottom, right = (a + b for a, b in zip(padding, value.pad.sides))
            padding = (top, left, bottom, right)
            if any(p >= k for p, k in zip(padding, op.kernel * 2)):
                raise Refusal(f"padding {padding} must be less than the window {op.kernel}")
        node = self.build.max_pool(replace(op, padding=padding), value.source)
        return replace(value, source=node, shape=_shape(op), view=op.shape, pad=None)


def _shape(op: Op) -> Shape:
    channels, height, width = op.shape
    return (channels, height, width)
