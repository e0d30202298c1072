"""Checks and choice of calibration images."""

from __future__ import annotations

import numpy as np

from hwgen.conversion.options import Options
from hwgen.errors import ConversionError, DataError


def as_frames(images: np.ndarray, *, timesteps: int) -> np.ndarray:
    """Frames of events as uint8, or :class:`.DataError`."""
    where = "calibration frames of events"
    if images.dtype.kind not in "bu" or not images.size or int(images.max()) > 1:
        raise DataError(
            f"{where}: must be 0 and 1, unsigned, and not empty, not {images.dtype} of shape "
            f"{images.shape}"
        )
    if images.shape[1] != timesteps:
        raise DataError(
            f"{where}: have {images.shape[1]} timesteps, but the input has {timesteps}; split the "
            f"events into {timesteps} frames"
        )
    return images.astype(np.uint8)


def spread(length: int, wanted: int) -> np.ndarray:
    """Indices of ``wanted`` items (all, if there are fewer), evenly spread over ``length``."""
    return np.linspace(0, length - 1, min(length, wanted)).round().astype(int)


def bits_of(pixels: np.ndarray) -> int:
    """Bits of the largest of ``pixels``; those of their type if all are 0."""
    return int(pixels.max()).bit_length() or 8 * pixels.dtype.itemsize


def require_range(pixels: np.ndarray, options: Options) -> None:
    """Raise :class:`.ConversionError` if a pixel needs more than ``pixel_bits``."""
    bits, largest = options.pixel_bits or 8, int(pixels.max())
    if largest >= 1 << bits:
        raise ConversionError(f"pixels must fit {bits} bits, but the largest is {largest}")
