"""Max-pool: the maximum of values, and the race of trains that finds it step by step."""

from __future__ import annotations

import numpy as np

from hwgen.network import MaxPool2d


def pool_values(values: np.ndarray, pool: MaxPool2d) -> np.ndarray:
    """Largest value of each window; shapes (n, height, width, channels). Outside counts as 0."""
    (ky, kx), (sy, sx) = pool.kernel, pool.stride
    padded = _padded(values, pool)
    height = (padded.shape[1] - ky) // sy + 1
    width = (padded.shape[2] - kx) // sx + 1
    rows = padded[:, : sy * (height - 1) + 1 : sy]
    for y in range(1, ky):
        rows = np.maximum(rows, padded[:, y : y + sy * (height - 1) + 1 : sy])
    best = rows[:, :, : sx * (width - 1) + 1 : sx]
    for x in range(1, kx):
        best = np.maximum(best, rows[:, :, x : x + sx * (width - 1) + 1 : sx])
    return np.ascontiguousarray(best)


def pool_train(train: np.ndarray, pool: MaxPool2d) -> np.ndarray:
    """The race of :class:`hwgen.network.MaxPool2d`; shapes (T, n, height, width, channels)."""
    (ky, kx), (sy, sx) = pool.kernel, pool.stride
    sent, candidates = [], None
    for bits in train:
        windows = np.lib.stride_tricks.sliding_window_view(_padded(bits, pool), (ky, kx), (1, 2))
        windows = windows[:, ::sy, ::sx]
        if candidates is None:
            candidates = np.ones(windows.shape, dtype=np.uint8)
        out = (candidates & windows).max(axis=(-2, -1))
        candidates &= windows | (1 - out[..., None, None])
        sent.append(out)
    return np.stack(sent)


def _padded(values: np.ndarray, pool: MaxPool2d) -> np.ndarray:
    if not any(pool.padding):
        return values
    top, left, bottom, right = pool.padding
    return np.pad(values, ((0, 0), (top, bottom), (left, right), (0, 0)))
