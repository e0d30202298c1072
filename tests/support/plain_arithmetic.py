"""Layers on integer values (n, channels, height, width), written for clarity, not for speed.

Independent of :mod:`hwgen.golden`, so that it can check golden.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hwgen.network import Identity, Input, Linear, Projection


def input_values(images: np.ndarray, source: Input) -> np.ndarray:
    if source.code == "events":
        counts: np.ndarray = images.sum(axis=1, dtype=np.int64)
        return counts
    if source.code == "direct":
        return images.astype(np.int64)
    scale = 1 << source.timesteps if source.code == "radix" else source.timesteps
    half = 0 if source.code == "radix" else 1 << (source.pixel_bits - 1)
    values: np.ndarray = (images.astype(np.int64) * scale + half) >> source.pixel_bits
    return values


def by_channel(values: np.ndarray) -> np.ndarray:
    return values[:, None, None]


def pad_map(values: np.ndarray, padding: tuple[int, ...], outside: Any) -> np.ndarray:
    top, left, bottom, right = padding
    n, channels, height, width = values.shape
    padded = np.empty((n, channels, height + top + bottom, width + left + right), dtype=np.int64)
    padded[...] = outside
    padded[:, :, top : top + height, left : left + width] = values
    return padded


def windows_of(padded: np.ndarray, kernel: tuple[int, ...], stride: tuple[int, ...]) -> np.ndarray:
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel, axis=(2, 3))
    return windows[:, :, :: stride[0], :: stride[1]]


def current(projection: Projection, q: np.ndarray) -> np.ndarray:
    weights = projection.weights.astype(np.int64)
    if isinstance(projection, Linear):
        linear: np.ndarray = (q[:, :, 0, 0] @ weights.T)[:, :, None, None]
        return linear
    if isinstance(projection, Identity):
        return q * by_channel(weights)
    pad = projection.pad_value
    outside = 0 if pad is None else by_channel(pad)
    kernel = weights.shape[2:]
    windows = windows_of(pad_map(q, projection.padding, outside), kernel, projection.stride)
    n, channels, height, width = windows.shape[:4]
    groups = projection.groups
    windows = windows.reshape(n, groups, channels // groups, height, width, *kernel)
    weights = weights.reshape(groups, -1, channels // groups, *kernel)
    sums = np.einsum("ngchwyx,gocyx->ngohw", windows, weights, optimize=True)
    return sums.reshape(n, -1, height, width)
