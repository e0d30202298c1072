"""Folders of idx files, the format of MNIST."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path

import numpy as np

from hwgen.datasets.images import Dataset, as_images, as_labels
from hwgen.errors import DataError

SPLITS = {"train": ("train",), "test": ("t10k", "test")}
"""Parts of a file's name that mark each split."""

_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def read_folder(folder: Path, *, split: str | None) -> Dataset:
    """Read the images of one split (None: the only one) and, where there are any, its labels."""
    images = _find(folder, "images", split)
    if images is None:
        which = f" of the {split} split" if split else ""
        raise DataError(
            f"{folder}: has no idx file of images{which}; expected a name such as "
            f"train-images-idx3-ubyte or t10k-images-idx3-ubyte.gz"
        )
    labels = _find(folder, "labels", split or _split_of(images))
    pixels = as_images(_read(images), where=str(images))
    numbers = as_labels(_read(labels), len(pixels), where=str(labels)) if labels else None
    return Dataset(images=pixels, labels=numbers)


def _split_of(path: Path) -> str | None:
    name = path.name.lower()
    return next((s for s, words in SPLITS.items() if any(word in name for word in words)), None)


def _find(folder: Path, content: str, split: str | None) -> Path | None:
    found = {
        path.name.removesuffix(".gz"): path  # a file and its .gz count as one
        for path in sorted(folder.iterdir(), key=lambda path: path.name, reverse=True)
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


def _read(path: Path) -> np.ndarray:
    """Array of an idx file: 0, 0, type, number of axes; a 32-bit length per axis; values.

    All numbers are big-endian.
    """
    try:
        content = path.read_bytes()
        if path.suffix == ".gz":
            content = gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: cannot be read: {error}") from error
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in _TYPES:
        raise DataError(f"{path}: not an idx file, its first bytes are {content[:4].hex(' ')!r}")
    axes, dtype = content[3], np.dtype(_TYPES[content[2]])
    head = 4 + 4 * axes
    if len(content) < head:
        raise DataError(f"{path}: ends within its header; it is damaged")
    shape = tuple(int.from_bytes(content[i : i + 4], "big") for i in range(4, head, 4))
    expected = head + dtype.itemsize * math.prod(shape)
    if len(content) != expected:
        raise DataError(
            f"{path}: is {len(content)} bytes long, but its header, shape {shape}, calls for "
            f"{expected}; it is damaged"
        )
    values = np.frombuffer(content, dtype, offset=head).reshape(shape)
    return values.astype(dtype.newbyteorder("="))
