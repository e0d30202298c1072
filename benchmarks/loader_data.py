"""Fuzz targets: files of images and of address events."""

from __future__ import annotations

import gzip
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.loader_formats import parse_named_arrays, write_named_arrays
from benchmarks.loader_fuzz import Loader
from hwgen.datasets import Dataset, load

_RNG = np.random.default_rng(3)
_IMAGES = _RNG.integers(0, 256, (3, 6, 5), dtype=np.uint8)
_PIXELS = _RNG.integers(0, 256, (2, 3072), dtype=np.uint8)
_IDX = bytes([0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 6, 0, 0, 0, 5]) + _IMAGES.tobytes()
_EVENTS: dict[str, Any] = {
    "t": np.array([5, 9, 2], np.uint32),
    "x": np.array([0, 1, 2], np.uint16),
    "y": np.array([0, 1, 1], np.uint8),
    "p": np.array([0, 1, 0], np.uint8),
    "offsets": np.array([0, 2, 3]),
}


def _bytes(file: str, content: bytes) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        (folder / file).write_bytes(content)

    return make


def _batch(protocol: int) -> bytes:
    return pickle.dumps({b"data": _PIXELS, b"labels": [1, 0]}, protocol)


def _meaning(dataset: Dataset) -> Any:
    images, labels = dataset.images, dataset.labels
    assert len(images) >= 1
    assert images.dtype.kind in "uf"
    assert labels is None or len(labels) == len(images)
    shown = images.dtype.str, images.shape, images.tobytes()
    return shown, None if labels is None else labels.tolist()


def _file(name: str, file: str, make: Callable[[Path], None], **formats: Any) -> Loader:
    return Loader(
        name=name, file=file, make=make, meaning=_meaning,
        read=lambda folder: load(folder / file, timesteps=3), **formats,
    )  # fmt: skip


def _folder(name: str, file: str, content: bytes) -> Loader:
    return Loader(
        name=name, file=file, make=_bytes(file, content), meaning=_meaning,
        read=lambda folder: load(folder, split="test"),
    )  # fmt: skip


_ARRAYS: dict[str, Any] = {"parse": parse_named_arrays, "write": write_named_arrays}

DATA = (
    _file("images .npz", "a.npz",
          lambda folder: np.savez(folder / "a.npz", images=_IMAGES, labels=np.arange(3)),
          **_ARRAYS),
    _file("images .npz, compressed", "a.npz",
          lambda folder: np.savez_compressed(folder / "a.npz", x=_IMAGES / 255, y=np.eye(3)),
          **_ARRAYS),
    _file("images .npy", "a.npy",
          lambda folder: np.save(folder / "a.npy", _IMAGES.astype(np.float32) / 255)),
    _file("address events .npz", "a.npz",
          lambda folder: np.savez(folder / "a.npz", **_EVENTS), **_ARRAYS),
    _file("idx", "train-images-idx3-ubyte", _bytes("train-images-idx3-ubyte", _IDX)),
    _file("idx.gz", "train-images-idx3-ubyte.gz",
          _bytes("train-images-idx3-ubyte.gz", gzip.compress(_IDX, mtime=0))),
    _folder("CIFAR pickle, protocol 2", "test_batch", _batch(2)),
    _folder("CIFAR pickle, protocol 4", "test_batch", _batch(4)),
    _folder("CIFAR records", "test_batch.bin",
            bytes([1]) + _PIXELS[0].tobytes() + bytes([0]) + _PIXELS[1].tobytes()),
)  # fmt: skip
