"""Datasets from disk: ``.npz`` files of images or of address events, folders of idx files."""

from __future__ import annotations

import os
import zipfile
import zlib
from pathlib import Path

import numpy as np

from hwgen.arguments import require_path
from hwgen.datasets import address_events, idx
from hwgen.datasets.images import Dataset, as_images, as_labels, require_samples
from hwgen.errors import DataError
from hwgen.suggest import require_known

_DAMAGE = (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, zlib.error)


def load(
    path: str | os.PathLike[str],
    *,
    split: str | None = None,
    timesteps: int | None = None,
    shape: tuple[int, int, int] | None = None,
    samples: int | None = None,
) -> Dataset:
    """Load the images and labels of an ``.npz`` file or of a folder of idx files.

    Parameters
    ----------
    path
        - An ``.npz`` with ``images``, (N, H, W), (N, H, W, C) with 1, 3 or 4 channels, or
          (N, C, H, W), and optionally ``labels``, (N,).
        - An ``.npz`` with the arrays of :class:`AddressEvents` and optionally ``labels``.
        - A folder with files such as ``t10k-images-idx3-ubyte.gz``, ``t10k-labels-idx1-ubyte.gz``.
    split : "train", "test" or None
        Split of an idx folder; None takes the only one there is.
    timesteps, shape
        Frames of address events: see :func:`bin_events`.
    samples : int or None
        Keep only the first ones.

    Raises
    ------
    DataError
        A file is missing, damaged, or does not hold images or address events.
    """
    path = require_path("path", path, error=DataError)
    require_samples(samples)
    if split is not None:
        require_known("split", split, idx.SPLITS, error=DataError)
    if path.is_dir():
        return idx.read_folder(path, split=split).take(samples)
    if not path.exists():
        raise DataError(f"{path}: no such file or folder")
    if path.suffix.lower() != ".npz":
        raise DataError(f"{path}: data must be an .npz file or a folder of idx files")
    arrays = _read_npz(path)
    if set(address_events.ARRAYS) <= arrays.keys():
        return _frames(path, arrays, timesteps, shape, samples)
    if "images" not in arrays:
        names = ", ".join(sorted(arrays)) or "nothing"
        raise DataError(f"{path}: has no array 'images', only {names}")
    images = as_images(arrays["images"], where=f"{path}, images")
    return Dataset(images=images, labels=_labels(path, arrays, len(images))).take(samples)


def holds_events(path: str | os.PathLike[str]) -> bool:
    """Whether ``path`` is an ``.npz`` file of address events."""
    try:
        with zipfile.ZipFile(require_path("path", path, error=DataError)) as archive:
            return {f"{name}.npy" for name in address_events.ARRAYS} <= set(archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return False


def _read_npz(path: Path) -> dict[str, np.ndarray]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            wanted = {"images", "labels", *address_events.ARRAYS}
            found = {name: archive[name] for name in archive.files if name in wanted}
            return found or dict.fromkeys(archive.files, np.empty(0))
    except _DAMAGE as error:
        raise DataError(f"{path}: not an .npz file of plain arrays, or damaged: {error}") from error


def _labels(path: Path, arrays: dict[str, np.ndarray], samples: int) -> np.ndarray | None:
    if "labels" not in arrays:
        return None
    return as_labels(arrays["labels"], samples, where=f"{path}, labels")


def _frames(
    path: Path,
    arrays: dict[str, np.ndarray],
    timesteps: int | None,
    shape: tuple[int, int, int] | None,
    samples: int | None,
) -> Dataset:
    if timesteps is None:
        raise DataError(
            f"{path}: holds address events; pass the number of timesteps to divide their time into"
        )
    events = address_events.read_address_events(arrays, where=str(path))
    labels = _labels(path, arrays, len(events))
    try:
        frames = address_events.bin_events(
            events, timesteps=timesteps, shape=shape, samples=samples
        )
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    return Dataset(images=frames, labels=None if labels is None else labels[:samples])
