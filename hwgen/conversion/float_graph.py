"""The float network on its way from PyTorch to integers, in two forms.

An :class:`OpGraph` holds the operations as the model names them (trace gives it; importers of
other formats may, too). A :class:`FloatGraph` holds what the integer network will hold:
populations with incoming projections, max-pools and flattens (fuse gives it, methods read it).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hwgen.conversion.calibration.steps import Steps
from hwgen.network import Pair, Shape

Padding = tuple[int, int, int, int]  # top, left, bottom, right
NO_PADDING: Padding = (0, 0, 0, 0)


# --- operations of the model --------------------------------------------------------------------


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


# --- the folded network -------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class FloatConv2d:
    """As :class:`hwgen.network.Conv2d`; float64 weights, ``pad_value`` in units of the source."""

    source: str
    weights: np.ndarray
    stride: Pair = (1, 1)
    padding: Padding = NO_PADDING
    groups: int = 1
    pad_value: np.ndarray | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class FloatLinear:
    """As :class:`hwgen.network.Linear`; float64 weights (O, I)."""

    source: str
    weights: np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class FloatIdentity:
    """As :class:`hwgen.network.Identity`; float64 weights (channels,)."""

    source: str
    weights: np.ndarray


FloatProjection = FloatConv2d | FloatLinear | FloatIdentity


@dataclass(frozen=True, kw_only=True, eq=False)
class Population:
    """y = min(max(Σ projections + bias, low), high), without the clamp where it does not fire.

    Parameters
    ----------
    name : str
    projections : tuple of FloatProjection
        Several of them where branches are added, as in residual networks.
    bias : float64 array, shape (channels,)
    low : float
        0 for a ReLU; −∞ for a linear population, which has none.
    high : float
        Where the activation saturates; ∞ for a plain ReLU.
    fires : bool
        False for the read-out.
    steps : Steps or None
        The activation instead of the clamp, where fine-tuning has chosen it.
    """

    name: str
    projections: tuple[FloatProjection, ...]
    bias: np.ndarray
    low: float = 0.0
    high: float = math.inf
    fires: bool = True
    steps: Steps | None = None

    @property
    def sources(self) -> tuple[str, ...]:
        return tuple(projection.source for projection in self.projections)


@dataclass(frozen=True, kw_only=True, eq=False)
class FloatMaxPool:
    """As :class:`hwgen.network.MaxPool2d`."""

    name: str
    source: str
    kernel: Pair
    stride: Pair
    padding: Padding = NO_PADDING

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.source,)


@dataclass(frozen=True, kw_only=True, eq=False)
class FloatFlatten:
    """As :class:`hwgen.network.Flatten`."""

    name: str
    source: str

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.source,)


FloatNode = Population | FloatMaxPool | FloatFlatten


@dataclass(frozen=True, kw_only=True, eq=False)
class FloatGraph:
    """Nodes in topological order over "input", whose values are raw pixels.

    All values are ≥ 0 but those of linear populations and of what pools or flattens them.

    Parameters
    ----------
    input_shape : (channels, height, width)
    nodes : tuple of FloatNode
        The last is the read-out. Names are unique; none is "input".
    """

    input_shape: Shape
    nodes: tuple[FloatNode, ...]


INPUT = "input"
