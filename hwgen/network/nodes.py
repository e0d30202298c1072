"""The nodes of a network: layers, pools and flattens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hwgen.network.neuron import Neuron
from hwgen.network.projections import Projection, current_range, window_positions
from hwgen.network.trains import Integers, Pair, Quad, Shape


@dataclass(frozen=True, kw_only=True, eq=False)
class Layer:
    """A population: projections that add into one membrane, a bias, a neuron.

    The trains of the projections have one code; of a two-phase neuron they may have several
    lengths, and then end in the same timestep (:class:`hwgen.network.JoinedTrains`).

    Parameters
    ----------
    name : str
    projections : tuple of Projection
    bias : int64 array, shape (channels,)
        B, in units of 2^−threshold_frac_bits membrane units, with the rounding offset in it.
    neuron : Neuron
    """

    kind: ClassVar[str] = "layer"

    name: str
    projections: tuple[Projection, ...]
    bias: np.ndarray
    neuron: Neuron

    @property
    def sources(self) -> tuple[str, ...]:
        return tuple(projection.source for projection in self.projections)

    def current_range(self) -> tuple[Integers, Integers]:
        """Lowest and highest current of each channel in a timestep in which all projections spike.

        Returns
        -------
        two object arrays of Python ints, shape (channels,)
        """
        lows, highs = zip(*map(current_range, self.projections), strict=True)
        return sum(lows[1:], lows[0]), sum(highs[1:], highs[0])

    def __repr__(self) -> str:
        neuron, sources = type(self.neuron).__name__, ", ".join(self.sources)
        return f"<Layer {self.name!r}: {neuron} of {self.bias.size} channels, from {sources}>"


@dataclass(frozen=True, kw_only=True, eq=False)
class MaxPool2d:
    """Max-pool of trains, one step at a time.

    Race: each window starts with all candidates in it. At each step the output is the OR of those
    still in it; where it is 1, candidates that sent 0 drop out. On radix trains, on ttfs trains
    (the first spike wins) and on those of two-phase soft-reset neurons (ones first, then zeros)
    this is the exact maximum.

    Gate by spike count, for rate trains in any order (threshold ReLU, 3.1.3; Rueckauer et al.): at
    each step c ← c + s[t] for each candidate; the output is the spike of the one with the largest
    c, the first one in the order of rows and columns where several have it.

    Parameters
    ----------
    kernel, stride : (y, x)
    padding : (top, left, bottom, right)
        Taps outside the map send no spikes.
    """

    kind: ClassVar[str] = "max_pool2d"

    name: str
    source: str
    kernel: Pair
    stride: Pair
    padding: Quad = (0, 0, 0, 0)

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.source,)

    def output_shape(self, shape: Shape) -> Shape:
        return (shape[0], *window_positions(shape, self.kernel, self.stride, self.padding))


@dataclass(frozen=True, kw_only=True, eq=False)
class Flatten:
    """(channels, height, width) → (channels·height·width, 1, 1), in the order of PyTorch."""

    kind: ClassVar[str] = "flatten"

    name: str
    source: str

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.source,)

    def output_shape(self, shape: Shape) -> Shape:
        return (shape[0] * shape[1] * shape[2], 1, 1)


Node = Layer | MaxPool2d | Flatten
