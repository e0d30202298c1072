"""The weighted connections into a layer."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from hwgen.network.checks import MAX_WEIGHT_BITS, require, require_integers, require_windows
from hwgen.network.storage import INT32
from hwgen.network.trains import Integers, Pair, Quad, Shape


def window_positions(shape: Shape, kernel: Pair, stride: Pair, padding: Quad) -> Pair:
    """(rows, columns) of the windows on a map of ``shape``."""
    top, left, bottom, right = padding
    rows = (shape[1] + top + bottom - kernel[0]) // stride[0] + 1
    return rows, (shape[2] + left + right - kernel[1]) // stride[1] + 1


def equal_taps(weights: np.ndarray) -> Pair:
    """(ty, tx): the largest tiles of a kernel's taps such that taps of one tile are equal.

    ``weights`` (out, in, ky, kx) are those of a convolution; any others have no taps to share.
    Tiles divide the kernel. They are an average's windows where an average is merged into the
    weights, and (1, 1) for most kernels.
    """
    if weights.ndim != 4:
        return 1, 1
    sizes = []
    for axis in (2, 3):
        taps = np.moveaxis(weights, axis, 0)
        differ = np.any(taps[1:] != taps[:-1], axis=(1, 2, 3))  # from the tap before
        sizes.append(math.gcd(len(taps), *(np.flatnonzero(differ) + 1).tolist()))
    return sizes[0], sizes[1]


def stored_weights(weights: np.ndarray) -> np.ndarray:
    """The weights of a projection of any kind, with one tap of each tile of equal ones."""
    ty, tx = equal_taps(weights)
    return weights[:, :, ::ty, ::tx] if ty * tx > 1 else weights


@dataclass(frozen=True, kw_only=True, eq=False)
class Conv2d:
    """I[t, o, y, x] = Σ w[o, i, ky, kx] · s[t, i, y·sy − top + ky, x·sx − left + kx].

    A tap outside the map reads the train of the value ``pad_value`` (0: no spikes; a rate train
    holds its spikes first).

    Parameters
    ----------
    source : str
        Name of the node that the spikes come from.
    weights : int32 array, shape (out_channels, in_channels / groups, kernel_y, kernel_x)
    stride : (sy, sx)
    padding : (top, left, bottom, right)
    groups : int
    pad_value : int32 array, shape (in_channels,), or None for zeros
    """

    kind: ClassVar[str] = "conv2d"

    source: str
    weights: np.ndarray = field(metadata=INT32)
    stride: Pair = (1, 1)
    padding: Quad = (0, 0, 0, 0)
    groups: int = 1
    pad_value: np.ndarray | None = field(default=None, metadata=INT32)

    def verify(self, shape: Shape, q_max: int, *, where: str) -> None:
        """Check against the ``shape`` and the largest value of the source."""
        require_integers(self.weights, 4, where=where, what="weights", bits=MAX_WEIGHT_BITS)
        out, fan, ky, kx = self.weights.shape
        require(
            self.groups >= 1 and out % self.groups == 0 and fan * self.groups == shape[0],
            f"{where}: weights {self.weights.shape} with groups={self.groups} do not fit "
            f"{shape[0]} input channels of {self.source!r}",
        )
        require(
            len(self.stride) == 2 and min(self.stride) >= 1,
            f"{where}: stride must be two positive integers, not {self.stride}",
        )
        require_windows(
            shape, (ky, kx), self.padding, source=self.source, where=where, what="kernel"
        )
        if self.pad_value is not None:
            require_integers(self.pad_value, 1, where=where, what="pad_value", bits=32)
            require(
                self.pad_value.shape == (shape[0],)
                and int(self.pad_value.min()) >= 0
                and int(self.pad_value.max()) <= q_max,
                f"{where}: pad_value must hold {shape[0]} values from 0 to {q_max}, "
                f"not {self.pad_value}",
            )

    def output_shape(self, shape: Shape) -> Shape:
        out, _, ky, kx = self.weights.shape
        return (out, *window_positions(shape, (ky, kx), self.stride, self.padding))


@dataclass(frozen=True, kw_only=True, eq=False)
class Linear:
    """I[t, o] = Σ w[o, i] · s[t, i], for a source of shape (in_features, 1, 1).

    Parameters
    ----------
    source : str
    weights : int32 array, shape (out_features, in_features)
    """

    kind: ClassVar[str] = "linear"

    source: str
    weights: np.ndarray = field(metadata=INT32)

    def verify(self, shape: Shape, q_max: int, *, where: str) -> None:
        require_integers(self.weights, 2, where=where, what="weights", bits=MAX_WEIGHT_BITS)
        require(
            shape[1:] == (1, 1),
            f"{where}: a linear projection needs a flattened source, but {self.source!r} has "
            f"shape {shape}; put a Flatten between",
        )
        require(
            self.weights.shape[1] == shape[0],
            f"{where}: weights {self.weights.shape} do not fit {shape[0]} inputs of "
            f"{self.source!r}",
        )

    def output_shape(self, shape: Shape) -> Shape:
        return (self.weights.shape[0], 1, 1)


@dataclass(frozen=True, kw_only=True, eq=False)
class Identity:
    """I[t, c, y, x] = w[c] · s[t, c, y, x].

    Parameters
    ----------
    source : str
    weights : int32 array, shape (channels,)
    """

    kind: ClassVar[str] = "identity"

    source: str
    weights: np.ndarray = field(metadata=INT32)

    def verify(self, shape: Shape, q_max: int, *, where: str) -> None:
        require_integers(self.weights, 1, where=where, what="weights", bits=MAX_WEIGHT_BITS)
        require(
            self.weights.shape == shape[:1],
            f"{where}: {self.weights.size} weights do not fit {shape[0]} channels of "
            f"{self.source!r}",
        )

    def output_shape(self, shape: Shape) -> Shape:
        return shape


Projection = Conv2d | Linear | Identity


def current_range(projection: Projection) -> tuple[Integers, Integers]:
    """Lowest and highest current of each channel in one timestep, over all inputs.

    A sum of integers, in whatever order a matrix product takes them, lies between the sum of its
    negative and the sum of its positive terms.

    Returns
    -------
    two object arrays of Python ints, shape (channels,)
    """
    channels = len(projection.weights)
    weights = projection.weights.astype(np.int64).reshape(channels, -1)
    low = np.minimum(weights, 0).sum(axis=1).astype(object)
    return low, np.maximum(weights, 0).sum(axis=1).astype(object)
