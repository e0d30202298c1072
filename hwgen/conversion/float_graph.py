"""The float network as the integer network will be: populations, max-pools and flattens.

Fusion makes it out of an :class:`hwgen.conversion.op_graph.OpGraph`; quantisation reads it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hwgen.conversion.calibration.steps import Steps
from hwgen.conversion.op_graph import NO_PADDING, Padding
from hwgen.network import Pair, Shape


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
