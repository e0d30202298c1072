"""Max-pool: the maximum of values, the race of trains that finds it, and the gate of counts."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from hwgen.network import MaxPool2d


def pool_values(values: np.ndarray, pool: MaxPool2d) -> np.ndarray:
    """Largest value of each window, shape (n, height, width, channels); 0 outside the map."""
    (ky, kx), (sy, sx) = pool.kernel, pool.stride
    padded = _padded(values, pool)
    rows = _largest(padded[:, taps] for taps in _taps(padded.shape[1], ky, sy))
    return _largest(rows[:, :, taps] for taps in _taps(padded.shape[2], kx, sx))


def pool_train(train: np.ndarray, pool: MaxPool2d) -> np.ndarray:
    """The race of :class:`hwgen.network.MaxPool2d`; shapes (T, n, height, width, channels)."""
    sent = []
    racing: list[np.ndarray] = []  # for each tap of the window, whether it is still in the race
    for bits in train:
        taps = _windows(bits, pool)
        if not racing:
            racing = [np.ones_like(tap) for tap in taps]
        out = np.zeros_like(taps[0])
        for candidate, tap in zip(racing, taps):
            out |= candidate & tap
        for candidate, tap in zip(racing, taps):
            candidate &= tap | (1 - out)
        sent.append(out)
    return np.stack(sent)


def pool_counts(train: np.ndarray, pool: MaxPool2d) -> np.ndarray:
    """The gate by spike count; shapes (T, n, height, width, channels).

    The count, the position in the window and the spike of a neuron form one number. The largest
    number belongs to the neuron that wins, and its lowest bit is the output.
    """
    taps = math.prod(pool.kernel)
    largest = 2 * taps * (len(train) + 1)
    number = np.dtype(np.uint16 if largest <= 0xFFFF else np.uint32).type
    counts = np.zeros(train.shape[1:], number)
    sent = []
    for bits in train:
        counts += bits * number(2 * taps)
        windows = enumerate(_windows(counts + bits, pool))
        best = _largest(tap + number(2 * (taps - 1 - index)) for index, tap in windows)
        sent.append((best & number(1)).astype(np.uint8))
    return np.stack(sent)


def _windows(bits: np.ndarray, pool: MaxPool2d) -> list[np.ndarray]:
    """For each tap of the kernel, row by row, the element of every window."""
    padded = _padded(bits, pool)
    return [
        padded[:, rows, columns]
        for rows in _taps(padded.shape[1], pool.kernel[0], pool.stride[0])
        for columns in _taps(padded.shape[2], pool.kernel[1], pool.stride[1])
    ]


def _taps(size: int, kernel: int, stride: int) -> list[slice]:
    """For each tap of the kernel, its positions along an axis of ``size``, over all windows."""
    span = (size - kernel) // stride * stride + 1
    return [slice(tap, tap + span, stride) for tap in range(kernel)]


def _largest(parts: Iterator[np.ndarray]) -> np.ndarray:
    best = next(parts).copy()
    for part in parts:
        np.maximum(best, part, out=best)
    return best


def _padded(values: np.ndarray, pool: MaxPool2d) -> np.ndarray:
    if not any(pool.padding):
        return values
    top, left, bottom, right = pool.padding
    return np.pad(values, ((0, 0), (top, bottom), (left, right), (0, 0)))
