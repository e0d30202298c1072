"""Checks and choice of calibration images."""

from __future__ import annotations

import numpy as np

from hwgen.conversion.options import Options
from hwgen.datasets.images import as_array, as_images
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


def as_calibration(
    images: np.ndarray, *, timesteps: int, input_code: str | None
) -> tuple[np.ndarray, str | None]:
    """Checked images, or frames of ``timesteps``; and the input code, "events" for frames.

    Raises :class:`.DataError`, or :class:`.ConversionError` for a code that does not go with them.
    """
    images = as_array(images, where="calibration images")
    frames = images.ndim == 5
    input_code = input_code or ("events" if frames else None)
    if frames:
        pixels = as_frames(images, timesteps=timesteps)
    else:
        pixels = as_images(images, where="calibration images", channels_first=True)
    if (input_code == "events") != frames:
        raise ConversionError(
            "input_code 'events' goes with frames (samples, timesteps, channels, height, width), "
            f"and other codes with images; here is {input_code!r} with shape {images.shape}"
        )
    return pixels, input_code


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
