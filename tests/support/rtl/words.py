"""Stream words from arrays: an independent version of the layouts of ``docs/hardware.md``."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np


def join(values: Iterable[int], width: int) -> int:
    """Values of ``width`` bits in one word, the first in the lowest bits; negative values wrap."""
    word = 0
    for index, value in enumerate(values):
        word |= (int(value) & ((1 << width) - 1)) << (index * width)
    return word


def split(word: int, width: int, count: int) -> list[int]:
    """The inverse of :func:`join`, for signed values."""
    values = [(word >> (index * width)) & ((1 << width) - 1) for index in range(count)]
    return [value - (1 << width) if value >> (width - 1) else value for value in values]


def pixel_words(planes: np.ndarray, groups: list[list[int]], width: int) -> list[int]:
    """One word per group of channels and pixel of each plane.

    ``planes`` has shape (..., height, width, channels), with ``width`` bits per channel. An index
    −1 in a group marks an unused lane, which is 0.
    """
    flat = planes.reshape(-1, planes.shape[-1])
    flat = np.concatenate([flat, np.zeros((len(flat), 1), flat.dtype)], axis=1)  # index −1
    return [join(pixel[group].tolist(), width) for pixel in flat for group in groups]


def groups_of(channels: int, size: int) -> list[list[int]]:
    """Channels in groups of ``size``; −1 fills the last one."""
    order = [*range(channels), *[-1] * (-channels % size)]
    return [order[n : n + size] for n in range(0, len(order), size)]


def spike_words(train: np.ndarray, width: int) -> list[int]:
    """Words of trains (T, samples, height, width, channels) in layout "pixel", sample by sample."""
    return pixel_words(np.moveaxis(train, 1, 0), groups_of(train.shape[-1], width), 1)
