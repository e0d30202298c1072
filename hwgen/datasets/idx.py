"""idx files, the format of MNIST, and folders of them."""

from __future__ import annotations

import gzip
import math
import os
import zlib
from pathlib import Path
from typing import IO, cast

import numpy as np

from hwgen.datasets.opened import MAX_BYTES, entries, open_data, refused
from hwgen.errors import DataError
from hwgen.reading.values import read_values, require_bounded

SPLITS = {"train": ("train",), "test": ("t10k", "test")}
"""Parts of a file's name that mark each split."""

_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_MAX_AXES = 4
_RAW = ("", "raw", "MNIST/raw", "FashionMNIST/raw", "KMNIST/raw", "QMNIST/raw")
"""Folders below the one that a user names: torchvision's, for one."""


def is_idx(path: Path) -> bool:
    """Whether a file has the name of an idx file of images."""
    return "idx" in path.name.lower() and "images" in path.name.lower()


def find_folder(folder: Path) -> Path | None:
    """The folder of idx files at or below ``folder``, if there is one."""
    return next(
        (
            folder / name
            for name in _RAW
            if (folder / name).is_dir() and any(map(is_idx, entries(folder / name)))
        ),
        None,
    )


def read_folder(folder: Path, *, split: str | None) -> tuple[Path, Path | None]:
    """Files of the images of one split (None: the only one) and, if there are any, the labels."""
    images = _find(folder, "images", split)
    if images is None:
        which = f" of the {split} split" if split else ""
        raise DataError(
            f"{folder}: has no idx file of images{which}; expected a name such as "
            f"train-images-idx3-ubyte or t10k-images-idx3-ubyte.gz"
        )
    return images, _find(folder, "labels", split or _split_of(images))


def labels_beside(images: Path) -> Path | None:
    """The file of labels beside one of images."""
    return _find(images.parent, "labels", _split_of(images))


def read(path: Path) -> np.ndarray:
    """Array of an idx file: 0, 0, type, number of axes; a 32-bit length per axis; values.

    All numbers are big-endian. A file that ends in .gz is decompressed.
    """
    with open_data(path) as file:
        stored = os.fstat(file.fileno()).st_size
        try:
            if path.suffix != ".gz":
                return _parse(file, stored, path)
            with gzip.open(file) as content:
                return _parse(cast(IO[bytes], content), stored, path)
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(f"{path}: cannot be read, or ends too early; it is damaged") from error


def _parse(file: IO[bytes], stored: int, path: Path) -> np.ndarray:
    head = file.read(4)
    if len(head) < 4 or head[:2] != b"\0\0" or head[2] not in _TYPES:
        raise DataError(f"{path}: not an idx file, its first bytes are {head.hex(' ')!r}")
    axes, dtype = head[3], np.dtype(_TYPES[head[2]])
    if not 1 <= axes <= _MAX_AXES:
        raise DataError(f"{path}: must have 1 to {_MAX_AXES} axes, not {axes}")
    lengths = file.read(4 * axes)
    if len(lengths) < 4 * axes:
        raise DataError(f"{path}: ends within its header; it is damaged")
    shape = tuple(int.from_bytes(lengths[i : i + 4], "big") for i in range(0, 4 * axes, 4))
    size = math.prod(shape) * dtype.itemsize
    with refused(path):
        require_bounded(size, stored=stored, limit=MAX_BYTES)
        return read_values(file, size).view(dtype).reshape(shape)


def _split_of(path: Path) -> str | None:
    name = path.name.lower()
    return next((s for s, words in SPLITS.items() if any(word in name for word in words)), None)


def _find(folder: Path, content: str, split: str | None) -> Path | None:
    found = {
        path.name.removesuffix(".gz"): path  # a file and its .gz count as one
        for path in reversed(entries(folder))
        if content in path.name.lower() and "idx" in path.name.lower() and path.is_file()
    }
    if split is not None:
        found = {name: path for name, path in found.items() if _split_of(path) == split}
    if len(found) > 1:
        raise DataError(
            f"{folder}: several idx files of {content}: {', '.join(sorted(found))}; choose with "
            f"split='train' or 'test', or keep one"
        )
    return next(iter(found.values()), None)
