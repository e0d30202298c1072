"""Checks of the images that a user gives."""

from __future__ import annotations

from typing import Any

import numpy as np

from hwgen.errors import DataError
from hwgen.network import Input, InputCode, Network, value_dtype


def check_images(network: Network, images: Any) -> np.ndarray:
    """``images`` as uint8, or uint16 if the pixels need it.

    Raises :class:`.DataError` if they do not fit the input of ``network``.
    """
    source = network.input
    events = source.code is InputCode.EVENTS
    want = f"({', '.join(['N', *map(str, source.sample_shape)])})"
    where = f"{network.name}: {'frames of events' if events else 'images'}"
    if not isinstance(images, np.ndarray):
        raise DataError(
            f"{where} must be a NumPy array of unsigned integers, not {type(images).__name__}; "
            f"use np.asarray(images, dtype=np.uint8)"
        )
    if images.dtype.kind != "u":
        remedy = (
            "scale the pixels to 0 … 255 and cast them to uint8; the network contains the model's "
            "normalisation"
            if images.dtype.kind == "f"
            else "cast them with images.astype(np.uint8)"
        )
        raise DataError(f"{where} must be unsigned integers, not {images.dtype}; {remedy}")
    if images.shape[1:] != source.sample_shape:
        hint = _hint(images, source)
        raise DataError(f"{where} must have shape {want}, not {images.shape}; {hint}")
    if len(images) == 0:
        raise DataError(f"{where} are empty, shape {images.shape}; give at least one")
    if events and int(images.max()) > 1:
        raise DataError(
            f"{where} contain the value {images.max()}, but must be 0 or 1; several events of one "
            f"pixel and timestep are one spike: use np.minimum(frames, 1)"
        )
    if images.dtype.itemsize * 8 > source.pixel_bits and int(images.max()) >> source.pixel_bits:
        raise DataError(
            f"{where} contain a pixel of {images.max()}, but the network was converted for pixels "
            f"of {source.pixel_bits} bits, 0 … {(1 << source.pixel_bits) - 1}; scale them like the "
            f"calibration data, or convert with pixel_bits={int(images.max()).bit_length()}"
        )
    return images.astype(value_dtype((1 << source.pixel_bits) - 1), copy=False)


def _hint(images: np.ndarray, source: Input) -> str:
    channels, height, width = source.shape
    if images.shape == source.sample_shape:
        return "add the axis of samples: images[None]"
    if source.code is InputCode.EVENTS:
        return "bin the events into frames of 0 and 1, one per timestep (hwgen.datasets.bin_events)"
    if images.ndim == 3 and channels == 1 and images.shape[1:] == (height, width):
        return "add the axis of channels: images[:, None]"
    if images.ndim == 4 and images.shape[1:] == (height, width, channels):
        return "put channels first: images.transpose(0, 3, 1, 2)"
    if images.ndim == 2 and images.shape[1] == channels * height * width:
        return f"reshape them: images.reshape(-1, {channels}, {height}, {width})"
    return "resize them to the size that the network was converted for"
