"""Checks of the images that a user gives."""

from __future__ import annotations

from typing import Any

import numpy as np

from hwgen.datasets.images import as_images, channels_to_front
from hwgen.datasets.scaling import Scaling, find_pixels
from hwgen.datasets.sources import as_arrays
from hwgen.errors import DataError
from hwgen.network import Input, InputCode, Network, value_dtype


def check_images(network: Network, images: Any) -> np.ndarray:
    """Pixels of ``images``, in the layout of the network, as uint8 or, if they need it, uint16.

    ``images`` are what :func:`hwgen.datasets.as_arrays` takes. Floats are pixels, or what the float
    model gets of them by the scale, mean and std of the conversion, before or after mean and std.
    Raises :class:`.DataError` if they do not fit the input of ``network``.
    """
    source = network.input
    events = source.code is InputCode.EVENTS
    where = f"{network.name}: {'frames of events' if events else 'images'}"
    array, _ = as_arrays(images, where=where)
    if len(array) == 0:
        raise DataError(f"{where} are empty, shape {array.shape}; give at least one")
    if not _fits(array, source):
        want = f"({', '.join(['N', *map(str, source.sample_shape)])})"
        hint = _hint(array, source)
        raise DataError(f"{where} must have shape {want}, not {array.shape}; {hint}")
    largest = (1 << source.pixel_bits) - 1
    pixels = as_frames(array, where=where) if events else _as_pixels(network, array, where)
    if int(pixels.max()) > largest:
        raise DataError(
            f"{where} contain a pixel of {pixels.max()}, but the network was converted for pixels "
            f"of {source.pixel_bits} bits, 0 … {largest}; scale them like the "
            f"calibration data, or convert with pixel_bits={int(pixels.max()).bit_length()}"
        )
    return pixels.astype(value_dtype(largest), copy=False)


def as_frames(array: np.ndarray, *, where: str) -> np.ndarray:
    """Frames of zeros and ones as uint8, or :class:`.DataError`."""
    if array.dtype.kind == "f" or array.dtype.kind == "i":
        wrong = ~((array == 0) | (array == 1))
        value = array[wrong][0] if wrong.any() else None
    else:
        value = array.max() if int(array.max()) > 1 else None
    if value is not None:
        raise DataError(
            f"{where} contain the value {value}, but must be 0 or 1; several events of one "
            f"pixel and timestep are one spike: use np.minimum(frames, 1)"
        )
    return array.astype(np.uint8)


def _as_pixels(network: Network, array: np.ndarray, where: str) -> np.ndarray:
    images = as_images(array, where=where, shape=network.input.shape, channels_first=True)
    largest = (1 << network.input.pixel_bits) - 1
    pixels, _ = find_pixels(images, _scaling(network), where=where, largest=largest)
    return pixels


def _scaling(network: Network) -> Scaling:
    """Scaling of the conversion, from the provenance; 1 / largest pixel where it has none."""
    scale = _numbers(network, "scale", sizes={()})
    channels = {(), (1,), (network.input.shape[0],)}
    std = _numbers(network, "std", sizes=channels)
    return Scaling(
        scale=float(scale)
        if scale is not None and 1e-9 < scale < 1e9
        else 1 / ((1 << network.input.pixel_bits) - 1),
        mean=_numbers(network, "mean", sizes=channels),
        std=std if std is not None and std.min() > 0 else None,
    )


def _numbers(network: Network, name: str, *, sizes: set[tuple[int, ...]]) -> np.ndarray | None:
    """Finite numbers of the provenance, or None: a network may come from anywhere."""
    try:
        value = np.asarray(network.provenance.get(name), np.float64)
    except (TypeError, ValueError, OverflowError):
        return None
    return value if value.shape in sizes and np.isfinite(value).all() else None


def _fits(array: np.ndarray, source: Input) -> bool:
    """Whether an array has the network's shape, in one of the layouts of images."""
    if source.code is InputCode.EVENTS:
        return array.shape[1:] == source.sample_shape
    if array.ndim == 3:
        return (1, *array.shape[1:]) == source.shape
    return array.ndim == 4 and source.shape in (array.shape[1:], channels_to_front(array).shape[1:])


def _hint(images: np.ndarray, source: Input) -> str:
    channels, height, width = source.shape
    if images.shape == source.sample_shape:
        return "add the axis of samples: images[None]"
    if source.code is InputCode.EVENTS:
        return "bin the events into frames of 0 and 1, one per timestep (hwgen.datasets.bin_events)"
    if images.ndim == 2 and images.shape[1] == channels * height * width:
        return f"reshape them: images.reshape(-1, {channels}, {height}, {width})"
    return "resize them to the size that the network was converted for"
