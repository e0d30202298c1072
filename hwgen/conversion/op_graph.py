"""The float network as the model names it: operations on maps.

:mod:`hwgen.conversion.frontend` gives it; importers of other formats may, too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hwgen.network import Pair, Shape

INPUT = "input"
"""Name of the source of raw pixels in every graph."""

Padding = tuple[int, int, int, int]  # top, left, bottom, right
NO_PADDING: Padding = (0, 0, 0, 0)


@dataclass(frozen=True, kw_only=True, eq=False)
class Op:
    """One operation of the model.

    Parameters
    ----------
    name : str
        Unique; the module's path in the model ("features.0") where a module does it.
    source : str
        Name of the op that it reads, or "input".
    where : str
        How messages name it: path, kind and, in a forward function, the line.
    shape : tuple of int
        Of the result, without the samples' axis.
    """

    name: str
    source: str
    where: str
    shape: tuple[int, ...]

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.source,)


@dataclass(frozen=True, kw_only=True, eq=False)
class AddOp(Op):
    """y = Σ factors[i] · x_i over maps of one shape; ``others`` are the sources but the first."""

    others: tuple[str, ...]
    factors: tuple[float, ...]

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.source, *self.others)


@dataclass(frozen=True, kw_only=True, eq=False)
class ConvOp(Op):
    """y = weights ∗ x + bias; weights (O, I / groups, ky, kx), bias (O,), padded with zeros."""

    weights: np.ndarray
    bias: np.ndarray
    stride: Pair
    padding: Padding
    groups: int


@dataclass(frozen=True, kw_only=True, eq=False)
class LinearOp(Op):
    """y = weights · x + bias; weights (O, I), bias (O,)."""

    weights: np.ndarray
    bias: np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class AffineOp(Op):
    """y = scale · x + offset; both (channels,), of axis 1."""

    scale: np.ndarray
    offset: np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class ClampOp(Op):
    """y = min(max(x, low), high); a ReLU is low = 0, high = ∞."""

    low: float
    high: float = math.inf


@dataclass(frozen=True, kw_only=True, eq=False)
class MaxPoolOp(Op):
    """Maximum over a window; taps in the padding never win."""

    kernel: Pair
    stride: Pair
    padding: Padding


@dataclass(frozen=True, kw_only=True, eq=False)
class AveragePoolOp(Op):
    """Sum over a window ÷ divisor; taps in the padding are zeros that count."""

    kernel: Pair
    stride: Pair
    padding: Padding
    divisor: float


@dataclass(frozen=True, kw_only=True, eq=False)
class PadOp(Op):
    """``value`` all around the map."""

    padding: Padding
    value: float


@dataclass(frozen=True, kw_only=True, eq=False)
class ReshapeOp(Op):
    """The same values in the same order, as ``shape``."""


@dataclass(frozen=True, kw_only=True, eq=False)
class OpGraph:
    """Operations in topological order; ``output`` names the one that gives the logits."""

    input_shape: Shape
    ops: tuple[Op, ...]
    output: str
