"""Projections as exact matrix products. Maps are channels last: (n, height, width, channels)."""

from __future__ import annotations

import math
from typing import Any, Protocol

import numpy as np

from hwgen.network import Conv2d, Linear, Projection, Shape


class Synapses(Protocol):
    """Weighted sums of values, or of the spikes of one timestep."""

    bytes_per_image: int

    def current(self, values: np.ndarray, pad: np.ndarray | None) -> np.ndarray:
        """W·values, shape (n, height, width, out_channels), in the type of the weights.

        ``values`` are unsigned, shape (n, height, width, channels); ``pad`` holds one value per
        channel for taps outside the map, or is None for zeros.
        """


def prepare(
    projection: Projection, shape: Shape, dtype: np.dtype[Any], *, shift: int = 0
) -> Synapses:
    """Synapses of ``projection`` from a source of ``shape``, with weights times 2^``shift``.

    The caller has proven that every partial sum is exact in ``dtype`` (:mod:`hwgen.golden.bounds`).
    """
    weights = projection.weights.astype(np.int64) << shift
    weights = weights.astype(dtype)
    if isinstance(projection, Conv2d):
        return _Conv2d(projection, shape, weights)
    if isinstance(projection, Linear):
        return _Linear(weights)
    return _Identity(weights, shape)


class _Linear:
    def __init__(self, weights: np.ndarray) -> None:
        self._weights = np.ascontiguousarray(weights.T)
        self.bytes_per_image = weights.itemsize * (weights.shape[0] + weights.shape[1])

    def current(self, values: np.ndarray, pad: np.ndarray | None) -> np.ndarray:
        flat = values.reshape(len(values), -1).astype(self._weights.dtype)
        sums: np.ndarray = flat @ self._weights
        return sums[:, None, None, :]


class _Identity:
    def __init__(self, weights: np.ndarray, shape: Shape) -> None:
        self._weights = weights
        self.bytes_per_image = 2 * weights.itemsize * math.prod(shape)

    def current(self, values: np.ndarray, pad: np.ndarray | None) -> np.ndarray:
        scaled: np.ndarray = values.astype(self._weights.dtype)
        scaled *= self._weights
        return scaled


class _Conv2d:
    """Every window as a row of one matrix (im2col), channels last, one matrix for each group."""

    def __init__(self, projection: Conv2d, shape: Shape, weights: np.ndarray) -> None:
        out, fan, ky, kx = weights.shape
        self._groups, self._kernel, self._stride = projection.groups, (ky, kx), projection.stride
        self._padding = projection.padding
        _, self._height, self._width = projection.output_shape(shape)
        grouped = weights.reshape(self._groups, out // self._groups, fan, ky, kx)
        self._weights = np.ascontiguousarray(
            grouped.transpose(0, 3, 4, 2, 1).reshape(self._groups, ky * kx * fan, -1)
        )
        pixels = self._height * self._width
        self.bytes_per_image = weights.itemsize * pixels * (ky * kx * shape[0] + out)

    def current(self, values: np.ndarray, pad: np.ndarray | None) -> np.ndarray:
        images, pixels = len(values), self._height * self._width
        if self._kernel == (1, 1) == self._stride and self._groups == 1:
            windows = values.astype(self._weights.dtype).reshape(images * pixels, -1)
        else:
            windows = self._windows(self._padded(values, pad))
        sums: np.ndarray = windows @ (self._weights[0] if self._groups == 1 else self._weights)
        if self._groups > 1:
            sums = np.moveaxis(sums, 0, 1)  # (n·pixels, groups, channels of a group)
        return sums.reshape(images, self._height, self._width, -1)

    def _padded(self, values: np.ndarray, pad: np.ndarray | None) -> np.ndarray:
        if not any(self._padding):
            return values.astype(self._weights.dtype)
        top, left, bottom, right = self._padding
        images, height, width, channels = values.shape
        padded = np.empty(
            (images, height + top + bottom, width + left + right, channels), self._weights.dtype
        )
        outside = 0 if pad is None else pad
        padded[:, :top] = padded[:, top + height :] = outside
        padded[:, :, :left] = padded[:, :, left + width :] = outside
        padded[:, top : top + height, left : left + width] = values
        return padded

    def _windows(self, padded: np.ndarray) -> np.ndarray:
        """(n·height·width, ky·kx·channels), or (groups, n·height·width, ky·kx·fan)."""
        images, channels = len(padded), padded.shape[3]
        (ky, kx), (sy, sx) = self._kernel, self._stride
        image, row, column, item = padded.strides
        size: tuple[int, ...] = (images, self._height, self._width, ky, kx * channels)
        steps: tuple[int, ...] = (image, row * sy, column * sx, row, item)
        if self._groups > 1:
            fan = channels // self._groups
            size = (self._groups, *size[:4], kx, fan)
            steps = (fan * item, *steps[:4], column, item)
        windows = np.lib.stride_tricks.as_strided(padded, size, steps, writeable=False)
        if self._groups > 1:
            return windows.reshape(self._groups, images * self._height * self._width, -1)
        return windows.reshape(images * self._height * self._width, -1)
