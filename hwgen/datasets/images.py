"""Images and labels in memory, checked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwgen.arguments import require_integer
from hwgen.errors import DataError

_CHANNELS = (1, 3, 4)  # lengths that mark an axis as the channels: grey, RGB, RGBA


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset:
    """Images with their labels, where these are known.

    Parameters
    ----------
    images : uint8 or uint16 array, shape (samples, channels, height, width)
        Frames of address events: shape (samples, timesteps, channels, height, width).
    labels : int64 array, shape (samples,), or None
    """

    images: np.ndarray
    labels: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.images)

    def take(self, samples: int | None) -> Dataset:
        """The first ``samples`` images and labels; None, or more than there are, takes all."""
        require_samples(samples)
        labels = None if self.labels is None else self.labels[:samples]
        return Dataset(images=self.images[:samples], labels=labels)


def require_samples(samples: int | None) -> None:
    """Raise :class:`.DataError` unless ``samples`` is a positive integer or None, for all."""
    if samples is not None:
        require_integer("samples", samples, 1, error=DataError)


def as_array(value: object, *, where: str) -> np.ndarray:
    """``value`` as an array, or :class:`.DataError` if its parts have different shapes."""
    try:
        return np.asarray(value)
    except ValueError as error:
        raise DataError(
            f"{where}: must be a NumPy array, not {type(value).__name__}: {error}; "
            f"bring all samples to one shape and use np.stack"
        ) from error


def as_images(array: np.ndarray, *, where: str, channels_first: bool = False) -> np.ndarray:
    """Check images and bring them to uint8 or uint16, shape (samples, channels, height, width).

    Parameters
    ----------
    array : integer or boolean array
        Shape (N, H, W), (N, H, W, C) with 1, 3 or 4 channels, or (N, C, H, W).
    where : str
        Start of the error message, such as the name of a file.
    channels_first : bool
        Arrays with four axes are (N, C, H, W).

    Raises
    ------
    DataError
        The array is of another type or shape, is empty, or its pixels do not fit 16 bits.
    """
    array = as_array(array, where=where)
    if array.dtype == np.bool_:
        array = array.astype(np.uint8)
    if not np.issubdtype(array.dtype, np.integer):
        raise DataError(
            f"{where}: images must be unsigned integers (pixels as the camera gives them), not "
            f"{array.dtype}; store them as uint8 and pass mean, std and scale to the conversion"
        )
    if array.ndim not in (3, 4):
        raise DataError(
            f"{where}: images must be (N, H, W), (N, H, W, C) or (N, C, H, W), not {array.shape}"
        )
    if array.size == 0:
        raise DataError(f"{where}: there are no images, shape {array.shape}")
    array = _unsigned(array, where=where)
    if array.ndim == 3 or not channels_first:
        array = _channels_first(array, where=where)
    return np.ascontiguousarray(array)


def _unsigned(array: np.ndarray, *, where: str) -> np.ndarray:
    if array.dtype in (np.uint8, np.uint16):
        return array
    low, high = int(array.min()), int(array.max())
    if low < 0:
        raise DataError(f"{where}: pixels must not be negative, but the minimum is {low}")
    if high > 0xFFFF:
        raise DataError(f"{where}: pixels must fit 16 bits, but the maximum is {high}")
    return array.astype(np.uint8 if high <= 0xFF else np.uint16)


def _channels_first(array: np.ndarray, *, where: str) -> np.ndarray:
    if array.ndim == 3:
        return array[:, np.newaxis]
    first, last = array.shape[1] in _CHANNELS, array.shape[3] in _CHANNELS
    if first and last and array.shape[1:] != (1, 1, 1):
        raise DataError(
            f"{where}: shape {array.shape} may be (N, C, H, W) or (N, H, W, C); store images of "
            f"one channel as (N, H, W), others with sides other than {_CHANNELS}"
        )
    return array.transpose(0, 3, 1, 2) if last else array


def as_labels(array: np.ndarray, samples: int, *, where: str) -> np.ndarray:
    """Check the labels of ``samples`` images and bring them to int64, shape (samples,).

    Raises :class:`.DataError`, which starts with ``where``, unless there is one non-negative
    integer per image.
    """
    array = as_array(array, where=where)
    if not np.issubdtype(array.dtype, np.integer) or array.ndim != 1:
        raise DataError(
            f"{where}: labels must be class numbers, one integer per image, not {array.dtype} "
            f"of shape {array.shape}"
        )
    if len(array) != samples:
        raise DataError(f"{where}: {len(array)} labels for {samples} images")
    if samples and int(array.min()) < 0:
        raise DataError(f"{where}: labels must not be negative, but one is {int(array.min())}")
    return array.astype(np.int64)
