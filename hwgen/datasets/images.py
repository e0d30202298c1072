"""Images in memory, checked and laid out."""

from __future__ import annotations

import numpy as np

from hwgen.datasets.sources import as_array
from hwgen.errors import DataError

Shape = tuple[int, int, int]
CHANNELS = (1, 3, 4)
"""Lengths that mark an axis as the channels: grey, RGB, RGBA."""


def as_images(
    images: object, *, where: str, shape: Shape | None = None, channels_first: bool = False
) -> np.ndarray:
    """Check images and lay them out as (samples, channels, height, width).

    Parameters
    ----------
    images : array, tensor or list of arrays
        Shape (N, H, W), (N, H, W, C) with 1, 3 or 4 channels, or (N, C, H, W).
    where : str
        Start of the error message, such as the name of a file.
    shape : (channels, height, width) or None
        Shape that a network takes: images that fit it in one of the orders are in that order.
    channels_first : bool
        Other arrays with four axes are (N, C, H, W).

    Returns
    -------
    uint8 or uint16 array; floats stay what they are, for :func:`find_pixels`

    Raises
    ------
    DataError
        The array is of another type or shape, is empty, or its integers do not fit 16 bits.
    """
    array = as_array(images, where=where)
    if array.ndim not in (3, 4):
        raise DataError(
            f"{where}: images must be (N, H, W), (N, H, W, C) or (N, C, H, W), not {array.shape}"
        )
    if array.size == 0:
        raise DataError(f"{where}: there are no images, shape {array.shape}")
    if array.dtype.kind != "f":
        array = _unsigned(array, where=where)
    return np.ascontiguousarray(_lay_out(array, where, shape, channels_first))


def channels_last(array: np.ndarray) -> bool:
    """Whether (N, ?, ?, ?) may be (N, H, W, C)."""
    return array.ndim == 4 and array.shape[3] in CHANNELS


def channels_to_front(array: np.ndarray) -> np.ndarray:
    """(N, H, W, C) as (N, C, H, W)."""
    return array.transpose(0, 3, 1, 2)


def _unsigned(array: np.ndarray, *, where: str) -> np.ndarray:
    if array.dtype in (np.uint8, np.uint16):
        return array
    low, high = int(array.min()), int(array.max())
    if low < 0:
        raise DataError(f"{where}: pixels must not be negative, but the minimum is {low}")
    if high > 0xFFFF:
        raise DataError(f"{where}: pixels must fit 16 bits, but the maximum is {high}")
    return array.astype(np.uint8 if high <= 0xFF else np.uint16)


def _lay_out(
    array: np.ndarray, where: str, shape: Shape | None, channels_first: bool
) -> np.ndarray:
    if array.ndim == 3:
        return array[:, np.newaxis]
    if shape is not None and array.shape[1:] == shape:
        return array
    if shape is not None and channels_to_front(array).shape[1:] == shape:
        return channels_to_front(array)
    first, last = array.shape[1] in CHANNELS, channels_last(array)
    if channels_first or not last or array.shape[1:] == (1, 1, 1):
        return array
    if first:
        raise DataError(
            f"{where}: shape {array.shape} may be (N, C, H, W) or (N, H, W, C); store images of "
            f"one channel as (N, H, W), others with sides other than {CHANNELS}"
        )
    return channels_to_front(array)
