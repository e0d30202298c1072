"""The float network as the model names it: operations on maps.

:mod:`hwgen.conversion.frontend` makes it; importers of other formats may, too.
"""

from __future__ import annotations

import math
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, count

import numpy as np

from hwgen.network import Pair, Shape

INPUT = "input"
"""Name of the source of raw pixels in every graph."""

Padding = tuple[int, int, int, int]  # top, left, bottom, right
NO_PADDING: Padding = (0, 0, 0, 0)
Size = tuple[int, ...]  # shape of one sample


class GraphError(RuntimeError):
    """A graph breaks a rule: a bug of the stage that made it."""


def unique(name: str, taken: Container[str]) -> str:
    """``name``, or name_2, name_3, … that is none of ``taken``."""
    candidates = chain([name], (f"{name}_{number}" for number in count(2)))
    return next(candidate for candidate in candidates if candidate not in taken)


def require(condition: bool, message: str) -> None:
    """Raise :class:`GraphError` unless ``condition`` holds."""
    if not condition:
        raise GraphError(message)


def require_array(array: np.ndarray, shape: Sequence[int], *, where: str, what: str) -> None:
    """Require a finite array of ``shape``."""
    require(array.shape == tuple(shape), f"{where}: {what} {array.shape} must be {tuple(shape)}")
    require(bool(np.isfinite(array).all()), f"{where}: {what} must be finite")


def require_sources(
    name: str, sources: Sequence[str], shapes: Mapping[str, Size]
) -> tuple[Size, ...]:
    """Shapes of the sources of node ``name``, which must be new, and they earlier."""
    require(name not in shapes, f"{name}: name must be unique")
    for source in sources:
        require(
            source in shapes,
            f"{name}: source {source!r} must be an earlier node; available: {', '.join(shapes)}",
        )
    return tuple(shapes[source] for source in sources)


def window_shape(shape: Size, kernel: Pair, stride: Pair, padding: Padding, *, where: str) -> Size:
    """(height, width) of a map of ``shape`` (channels, height, width) after a window."""
    require(len(shape) == 3, f"{where}: source must be maps, not {shape}")
    padded = (shape[1] + padding[0] + padding[2], shape[2] + padding[1] + padding[3])
    require(
        all(n >= k for n, k in zip(padded, kernel)),
        f"{where}: window {kernel} must fit the padded map {padded}",
    )
    return tuple((n - k) // s + 1 for n, k, s in zip(padded, kernel, stride))


@dataclass(frozen=True)
class Place:
    """Where an operation is in the model, for messages: ``features.3 (Sigmoid)``.

    In a forward function there is a line: ``block.forward, "F.gelu(x)" (gelu)``.
    """

    at: str  # path
    kind: str  # class of the module, or name of the operator
    line: str = ""

    def __str__(self) -> str:
        line = f', "{self.line}"' if self.line else ""
        return f"{self.at}{line} ({self.kind})"


@dataclass(frozen=True, kw_only=True, eq=False)
class Op:
    """One operation of the model."""

    name: str  # unique; the module's path in the model ("features.0") where a module does it
    source: str  # name of the op that it reads, or "input"
    where: Place
    shape: Size  # of the result

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.source,)

    def output_shape(self, given: Sequence[Size]) -> Size:
        """Shape of the result for sources of these shapes; :class:`GraphError` if none fits."""
        return given[0]


@dataclass(frozen=True, kw_only=True, eq=False)
class AddOp(Op):
    """y = Σ factors[i] · x_i over maps of one shape; ``others`` are the sources but the first."""

    others: tuple[str, ...]
    factors: tuple[float, ...]

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.source, *self.others)

    def output_shape(self, given: Sequence[Size]) -> Size:
        require(len(set(given)) == 1, f"{self.name}: sources must have one shape, not {given}")
        require_array(np.array(self.factors), (len(given),), where=self.name, what="factors")
        return given[0]


@dataclass(frozen=True, kw_only=True, eq=False)
class ConvOp(Op):
    """y = weights ∗ x + bias; weights (O, I / groups, ky, kx), bias (O,), padded with zeros."""

    weights: np.ndarray
    bias: np.ndarray
    stride: Pair
    padding: Padding
    groups: int

    def output_shape(self, given: Sequence[Size]) -> Size:
        shape, weights = given[0], self.weights
        require(weights.ndim == 4, f"{self.name}: weights {weights.shape} must have 4 axes")
        out, _, ky, kx = weights.shape
        size = window_shape(shape, (ky, kx), self.stride, self.padding, where=self.name)
        fan = shape[0] // self.groups
        require_array(weights, (out, fan, ky, kx), where=self.name, what="weights")
        require_array(self.bias, (out,), where=self.name, what="bias")
        return (out, *size)


@dataclass(frozen=True, kw_only=True, eq=False)
class LinearOp(Op):
    """y = weights · x + bias; weights (O, I), bias (O,)."""

    weights: np.ndarray
    bias: np.ndarray

    def output_shape(self, given: Sequence[Size]) -> Size:
        out = len(self.weights)
        require_array(self.weights, (out, *given[0]), where=self.name, what="weights")
        require_array(self.bias, (out,), where=self.name, what="bias")
        return (out,)


@dataclass(frozen=True, kw_only=True, eq=False)
class AffineOp(Op):
    """y = scale · x + offset; both (channels,), of axis 1."""

    scale: np.ndarray
    offset: np.ndarray

    def output_shape(self, given: Sequence[Size]) -> Size:
        for what, array in (("scale", self.scale), ("offset", self.offset)):
            require_array(array, given[0][:1], where=self.name, what=what)
        return given[0]


@dataclass(frozen=True, kw_only=True, eq=False)
class ClampOp(Op):
    """y = min(max(x, low), high); a ReLU is low = 0, high = ∞."""

    low: float
    high: float = math.inf


@dataclass(frozen=True, kw_only=True, eq=False)
class PoolOp(Op):
    """Pool of the window ``kernel``."""

    kernel: Pair
    stride: Pair
    padding: Padding

    def output_shape(self, given: Sequence[Size]) -> Size:
        size = window_shape(given[0], self.kernel, self.stride, self.padding, where=self.name)
        return (given[0][0], *size)


@dataclass(frozen=True, kw_only=True, eq=False)
class MaxPoolOp(PoolOp):
    """Maximum over a window; taps in the padding never win."""


@dataclass(frozen=True, kw_only=True, eq=False)
class AveragePoolOp(PoolOp):
    """Sum over a window ÷ divisor; taps in the padding are zeros that count."""

    divisor: float


@dataclass(frozen=True, kw_only=True, eq=False)
class PadOp(Op):
    """``value`` all around the map."""

    padding: Padding
    value: float

    def output_shape(self, given: Sequence[Size]) -> Size:
        return (given[0][0], *window_shape(given[0], (1, 1), (1, 1), self.padding, where=self.name))


@dataclass(frozen=True, kw_only=True, eq=False)
class ReshapeOp(Op):
    """The same values in the same order, as ``shape``."""

    def output_shape(self, given: Sequence[Size]) -> Size:
        before, after = math.prod(given[0]), math.prod(self.shape)
        require(before == after, f"{self.name}: {self.shape} must hold {before} values")
        return self.shape


@dataclass(frozen=True, kw_only=True, eq=False)
class OpGraph:
    """Operations in topological order."""

    input_shape: Shape
    ops: tuple[Op, ...]
    output: str  # the operation that gives the logits
    origins: Mapping[str, str] = field(default_factory=dict)  # nodes of equal value a stage before

    def verify(self) -> None:
        """Raise :class:`GraphError` at the first broken rule."""
        shapes: dict[str, Size] = {INPUT: self.input_shape}
        for op in self.ops:
            found = op.output_shape(require_sources(op.name, op.sources, shapes))
            require(found == op.shape, f"{op.name}: shape {op.shape} must be {found}")
            shapes[op.name] = found
        require(self.output in shapes, f"output {self.output!r} must be an operation")
