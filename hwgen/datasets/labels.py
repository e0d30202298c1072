"""Labels in memory, checked."""

from __future__ import annotations

import numpy as np

from hwgen.datasets.sources import as_array
from hwgen.errors import DataError

_EXACT = 2.0**53  # from here on a float skips integers


def as_labels(labels: object, samples: int, *, where: str) -> np.ndarray:
    """Check the labels of ``samples`` images and bring them to int64, shape (samples,).

    Parameters
    ----------
    labels : array, tensor or list
        Class numbers, shape (N,) or (N, 1), also as floats or booleans; or one-hot rows, shape
        (N, classes).
    samples : int
        N.
    where : str
        Start of the error message, such as the name of a file.

    Raises
    ------
    DataError
        There is not one class per image, or a class number is negative or no integer.
    """
    array = as_array(labels, where=where)
    if array.dtype.kind not in "biuf" or array.ndim not in (1, 2):
        raise DataError(
            f"{where}: labels must be class numbers, one integer per image, or one-hot rows, not "
            f"{array.dtype} of shape {array.shape}"
        )
    if len(array) != samples:
        raise DataError(f"{where}: {len(array)} labels for {samples} images")
    if array.ndim == 2 and array.shape[1] != 1:
        return _from_rows(array, where=where)
    array = array.reshape(samples)
    if array.dtype.kind == "f":
        _require_integers(array, where=where)
    if samples and (low := int(array.min())) < 0:
        raise DataError(f"{where}: labels must not be negative, but one is {low}")
    if samples and (high := int(array.max())) > np.iinfo(np.int64).max:
        raise DataError(f"{where}: labels must be class numbers, but one is {high}")
    return array.astype(np.int64)


def _from_rows(rows: np.ndarray, *, where: str) -> np.ndarray:
    """Classes of one-hot rows."""
    hot = rows != 0
    if not ((rows == 1) == hot).all() or not (hot.sum(axis=1) == 1).all():
        raise DataError(
            f"{where}: labels of shape {rows.shape} must be one-hot rows, a single 1 and zeros; "
            f"give one class number per image"
        )
    classes: np.ndarray = hot.argmax(axis=1)
    return classes.astype(np.int64)


def _require_integers(array: np.ndarray, *, where: str) -> None:
    wrong = ~(np.isfinite(array) & (np.abs(array) <= _EXACT) & (array == np.rint(array)))
    if wrong.any():
        first = int(wrong.argmax())
        raise DataError(
            f"{where}: labels must be class numbers, but label {first} is {array[first]}"
        )
