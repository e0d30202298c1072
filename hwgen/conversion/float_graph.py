"""The float network as the integer network will be: populations, max-pools and flattens.

Fusion makes it out of an :class:`hwgen.conversion.op_graph.OpGraph`; quantisation reads it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from hwgen.conversion.op_graph import (
    INPUT,
    NO_PADDING,
    Padding,
    Size,
    require,
    require_array,
    require_sources,
    window_shape,
)
from hwgen.network import Pair, Shape


@dataclass(frozen=True, kw_only=True, eq=False)
class FloatConv2d:
    """:class:`hwgen.network.Conv2d` with float64 weights; ``pad_value`` in units of the source."""

    source: str
    weights: np.ndarray
    stride: Pair = (1, 1)
    padding: Padding = NO_PADDING
    groups: int = 1
    pad_value: np.ndarray | None = None

    def output_shape(self, given: Size, *, where: str) -> Size:
        """Shape of the sums for maps of shape ``given``.

        Raises :class:`hwgen.conversion.op_graph.GraphError` if the weights do not fit them.
        """
        out, _, ky, kx = self.weights.shape
        size = window_shape(given, (ky, kx), self.stride, self.padding, where=where)
        fan = given[0] // self.groups
        require_array(self.weights, (out, fan, ky, kx), where=where, what="weights")
        if self.pad_value is not None:
            require_array(self.pad_value, given[:1], where=where, what="pad_value")
        return (out, *size)


@dataclass(frozen=True, kw_only=True, eq=False)
class FloatLinear:
    """:class:`hwgen.network.Linear` with float64 weights (O, I)."""

    source: str
    weights: np.ndarray

    def output_shape(self, given: Size, *, where: str) -> Size:
        out = len(self.weights)
        require(given[1:] == (1, 1), f"{where}: source {self.source!r} must be flat, not {given}")
        require_array(self.weights, (out, given[0]), where=where, what="weights")
        return (out, 1, 1)


@dataclass(frozen=True, kw_only=True, eq=False)
class FloatIdentity:
    """:class:`hwgen.network.Identity` with float64 weights (channels,)."""

    source: str
    weights: np.ndarray

    def output_shape(self, given: Size, *, where: str) -> Size:
        require_array(self.weights, given[:1], where=where, what="weights")
        return given


FloatProjection = FloatConv2d | FloatLinear | FloatIdentity


@dataclass(frozen=True, kw_only=True, eq=False)
class Steps:
    """y = λ·min(⌊max(u, 0) / λ + η⌋, levels): a spiking neuron, which fine-tuning trains with."""

    scale: np.ndarray  # λ, float64 (channels,)
    levels: int  # q_max, the largest code
    eta: float
    unit: np.ndarray | None = None
    """s, real value of a membrane unit, float64 (channels,), if weights were trained rounded."""

    def activate(self, sums: torch.Tensor, scale: torch.Tensor | None = None) -> torch.Tensor:
        """y of ``sums`` (samples, channels, height, width), with ``scale`` instead of λ.

        Gradients ignore the floor (straight-through): ∂y/∂u = 1 and ∂y/∂λ = q − u/λ unless the
        neuron saturates; then ∂y/∂λ = q_max.
        """
        step = torch.from_numpy(self.scale).to(sums.dtype) if scale is None else scale
        given = (sums, step.reshape(-1, 1, 1), self.levels, self.eta)
        apply: Callable[..., torch.Tensor] = _StraightThrough.apply
        return apply(*given)


class _StraightThrough(torch.autograd.Function):
    """:meth:`Steps.activate` in few passes over memory, forwards and backwards."""

    @staticmethod
    def forward(
        ctx: Any, sums: torch.Tensor, scale: torch.Tensor, levels: int, eta: float
    ) -> torch.Tensor:
        units = sums / scale
        codes = (units + eta).floor_().clamp_(0, levels)
        ctx.save_for_backward(units, codes, scale)
        ctx.levels = levels
        return codes * scale

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        units, codes, scale = ctx.saved_tensors
        inside = (units.clamp(0, ctx.levels) == units).to(units.dtype)
        (grad,) = grads
        to_sums = grad * inside
        each = (grad * codes - to_sums * units).sum(dim=(0, 2, 3)).reshape(-1, 1, 1)
        return to_sums, each.sum_to_size(scale.shape), None, None


@dataclass(frozen=True, kw_only=True, eq=False)
class Population:
    """y = min(max(Σ projections + bias, low), high); without the clamp where it does not fire."""

    name: str
    projections: tuple[FloatProjection, ...]  # several where branches are added (residual networks)
    bias: np.ndarray  # float64 (channels,)
    low: float = 0.0  # of a ReLU; −∞ for a linear population, which has none
    high: float = math.inf  # saturation of the activation; ∞ for a plain ReLU
    fires: bool = True  # False for the readout
    steps: Steps | None = None  # activation instead of the clamp, chosen by fine-tuning

    @property
    def sources(self) -> tuple[str, ...]:
        return tuple(projection.source for projection in self.projections)

    @property
    def unit(self) -> np.ndarray | None:
        """Membrane unit that the weights were trained rounded for, if they were."""
        return None if self.steps is None else self.steps.unit

    def output_shape(self, given: Sequence[Size]) -> Size:
        """Shape of the result for sources of these shapes.

        Raises :class:`hwgen.conversion.op_graph.GraphError` if none fits.
        """
        sums = [p.output_shape(g, where=self.name) for p, g in zip(self.projections, given)]
        require(len(set(sums)) == 1, f"{self.name}: sums of projections must agree, not {sums}")
        require_array(self.bias, sums[0][:1], where=self.name, what="bias")
        return sums[0]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Rearrangement:
    """Node that moves the values of one source."""

    name: str
    source: str

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.source,)


@dataclass(frozen=True, kw_only=True, eq=False)
class FloatMaxPool(_Rearrangement):
    """:class:`hwgen.network.MaxPool2d` on float values."""

    kernel: Pair
    stride: Pair
    padding: Padding = NO_PADDING

    def output_shape(self, given: Sequence[Size]) -> Size:
        size = window_shape(given[0], self.kernel, self.stride, self.padding, where=self.name)
        return (given[0][0], *size)


@dataclass(frozen=True, kw_only=True, eq=False)
class FloatFlatten(_Rearrangement):
    """:class:`hwgen.network.Flatten` on float values."""

    def output_shape(self, given: Sequence[Size]) -> Size:
        return (math.prod(given[0]), 1, 1)


FloatNode = Population | FloatMaxPool | FloatFlatten


@dataclass(frozen=True, kw_only=True, eq=False)
class FloatGraph:
    """Nodes in topological order over "input", whose values are raw pixels.

    All values are ≥ 0, except those of linear populations and of pools and flattens after them.
    """

    input_shape: Shape
    nodes: tuple[FloatNode, ...]  # the last is the readout; names are unique, and none is "input"
    origins: Mapping[str, str] = field(default_factory=dict)  # as those of an OpGraph

    @property
    def trained(self) -> bool:
        """Whether fine-tuning has given steps to populations."""
        return any(isinstance(node, Population) and node.steps is not None for node in self.nodes)

    def shapes(self) -> dict[str, Size]:
        """Shape of the values of the input and of every node, by name.

        Raises :class:`hwgen.conversion.op_graph.GraphError` if a node does not fit its sources.
        """
        shapes: dict[str, Size] = {INPUT: self.input_shape}
        for node in self.nodes:
            shapes[node.name] = node.output_shape(require_sources(node.name, node.sources, shapes))
        return shapes

    def verify(self) -> None:
        """Raise :class:`hwgen.conversion.op_graph.GraphError` at the first broken rule."""
        self.shapes()
        readouts = [n for n in self.nodes if isinstance(n, Population) and not n.fires]
        require(
            len(readouts) == 1 and readouts[0] is self.nodes[-1],
            f"the last node, and no other, must be a readout, not {[r.name for r in readouts]}",
        )
