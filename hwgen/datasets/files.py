"""Datasets from disk: arrays, idx files, CIFAR's files, images by class, address events."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from hwgen.arguments import require_path
from hwgen.datasets import address_events, array_names, cifar, idx, image_folder
from hwgen.datasets.dataset import Dataset, require_samples
from hwgen.datasets.images import Shape, as_images
from hwgen.datasets.labels import as_labels
from hwgen.datasets.opened import MAX_BYTES, is_folder, open_data, refused
from hwgen.errors import DataError
from hwgen.reading import ReadingError
from hwgen.reading.npz import open_npz, read_npy
from hwgen.suggest import require_known

_FOLDERS = "idx files, CIFAR's files or a folder of image files for each class"
_FILES = "an .npz file, an .npy file, an idx file or a folder"


def load(
    path: str | os.PathLike[str],
    *,
    split: str | None = None,
    timesteps: int | None = None,
    shape: Shape | None = None,
    samples: int | None = None,
) -> Dataset:
    """Load the images and labels of a file or a folder.

    Parameters
    ----------
    path
        - An ``.npz`` with ``images``, (N, H, W), (N, H, W, C) with 1, 3 or 4 channels, or
          (N, C, H, W), and optionally ``labels``; or with the names x and y, data and target,
          x_train and y_train, x_test and y_test, train_images and train_labels. An ``.npy`` with
          images alone.
        - An ``.npz`` with the arrays of :class:`AddressEvents` and optionally ``labels``.
        - A file such as ``t10k-images-idx3-ubyte.gz``, with the labels beside it, or a folder of
          such files.
        - The folder ``cifar-10-batches-py``, ``cifar-10-batches-bin`` or ``cifar-100-python``.
        - A folder of image files, one subfolder per class, with Pillow; their order is the first
          image of each class, the second of each and so on.
    split : "train", "test" or None
        Split of a file or folder that has several; None takes the only one there is.
    timesteps
        Frames of address events: see :func:`bin_events`.
    shape : (channels, height, width) or None
        Input of a network: size of the frames of address events, and layout of images that may be
        read in two ways.
    samples : int or None
        Keep only the first ones.

    Raises
    ------
    DataError
        A file is missing, damaged, too large, or does not hold images or address events.
    """
    path = require_path("path", path, error=DataError)
    require_samples(samples)
    if split is not None:
        require_known("split", split, idx.SPLITS, error=DataError)
    try:
        if is_folder(path):
            return _load_folder(path, split, shape, samples)
        if path.suffix.lower() == ".npz":
            return _load_npz(path, split, timesteps, shape, samples)
        if path.suffix.lower() == ".npy":
            with refused(path):
                images = read_npy(path, limit=MAX_BYTES)
            return _dataset(path, images, None, shape).take(samples)
        if idx.is_idx(path):
            return _load_idx(path, idx.labels_beside(path), shape).take(samples)
    except MemoryError as error:
        raise DataError(f"{path}: does not fit into memory; give fewer samples") from error
    with open_data(path):
        raise DataError(f"{path}: data must be {_FILES} with {_FOLDERS}")


def holds_events(path: str | os.PathLike[str]) -> bool:
    """Whether ``path`` is an ``.npz`` file of address events."""
    try:
        with open_npz(require_path("path", path, error=DataError), limit=MAX_BYTES) as archive:
            return archive.members.keys() >= set(address_events.ARRAYS)
    except ReadingError:
        return False


def _load_folder(
    path: Path, split: str | None, shape: Shape | None, samples: int | None
) -> Dataset:
    if (folder := idx.find_folder(path)) is not None:
        return _load_idx(*idx.read_folder(folder, split=split), shape).take(samples)
    if (files := cifar.find_files(path)) is not None:
        images, labels = cifar.read_split(path, files, split=split)
        return Dataset(images=np.ascontiguousarray(images), labels=labels).take(samples)
    if (classes := image_folder.find_classes(path, split=split)) is not None:
        channels = shape[0] if shape is not None and shape[0] in (1, 3) else None
        images, labels = image_folder.read_classes(
            path, classes, channels=channels, samples=samples
        )
        pixels = images[:, np.newaxis] if images.ndim == 3 else images.transpose(0, 3, 1, 2)
        return Dataset(images=np.ascontiguousarray(pixels), labels=labels)
    raise DataError(f"{path}: must hold {_FOLDERS}; it has no idx file of images")


def _load_idx(images: Path, labels: Path | None, shape: Shape | None) -> Dataset:
    pixels = as_images(idx.read(images), where=str(images), shape=shape)
    if labels is None:
        return Dataset(images=pixels)
    return Dataset(
        images=pixels, labels=as_labels(idx.read(labels), len(pixels), where=str(labels))
    )


def _load_npz(
    path: Path, split: str | None, timesteps: int | None, shape: Shape | None, samples: int | None
) -> Dataset:
    with refused(path), open_npz(path, limit=MAX_BYTES) as archive:
        names = tuple(archive.members)
        if set(address_events.ARRAYS) <= set(names):
            wanted = (*address_events.ARRAYS, "labels")
            arrays = {name: archive.read(name) for name in wanted if name in names}
            return _frames(path, arrays, timesteps, shape, samples)
        x, y = array_names.choose(path, names, split)
        images, labels = archive.read(x), None if y is None else archive.read(y)
    return _dataset(path, images, labels, shape, x, y).take(samples)


def _dataset(
    path: Path,
    images: np.ndarray,
    labels: np.ndarray | None,
    shape: Shape | None,
    x: str = "images",
    y: str | None = "labels",
) -> Dataset:
    pixels = as_images(images, where=f"{path}, {x}", shape=shape)
    if labels is None:
        return Dataset(images=pixels)
    return Dataset(images=pixels, labels=as_labels(labels, len(pixels), where=f"{path}, {y}"))


def _frames(
    path: Path,
    arrays: dict[str, np.ndarray],
    timesteps: int | None,
    shape: Shape | None,
    samples: int | None,
) -> Dataset:
    if timesteps is None:
        raise DataError(
            f"{path}: holds address events; pass the number of timesteps to divide their time into"
        )
    events = address_events.read_address_events(arrays, where=str(path))
    labels = None
    if "labels" in arrays:
        labels = as_labels(arrays["labels"], len(events), where=f"{path}, labels")[:samples]
    try:
        frames = address_events.bin_events(
            events, timesteps=timesteps, shape=shape, samples=samples
        )
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    return Dataset(images=frames, labels=labels)
