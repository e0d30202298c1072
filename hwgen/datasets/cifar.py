"""CIFAR-10 and CIFAR-100 in the files that their authors and torchvision keep."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hwgen.datasets.opened import open_data
from hwgen.datasets.pickled import read_pickle
from hwgen.errors import DataError

_IMAGE = 3 * 32 * 32
_MAX_FILE = 1 << 28
_PYTHON: dict[str, dict[str, tuple[str, ...]]] = {
    "cifar-10-batches-py": {
        "train": tuple(f"data_batch_{n}" for n in range(1, 6)),
        "test": ("test_batch",),
    },
    "cifar-100-python": {"train": ("train",), "test": ("test",)},
}
_BINARY: dict[str, dict[str, tuple[str, ...]]] = {
    "cifar-10-batches-bin": {
        "train": tuple(f"data_batch_{n}.bin" for n in range(1, 6)),
        "test": ("test_batch.bin",),
    },
}
_LABELS = ("labels", "fine_labels")


def find_files(folder: Path) -> dict[str, list[Path]] | None:
    """Files of each split that are at or below ``folder``, or None if it is no CIFAR folder."""
    for name, splits in (_PYTHON | _BINARY).items():
        for place in (folder, folder / name):
            found = {
                split: [place / file for file in files if (place / file).is_file()]
                for split, files in splits.items()
            }
            if any(found.values()) and (name != "cifar-100-python" or (place / "meta").is_file()):
                return found
    return None


def read_split(
    folder: Path, files: dict[str, list[Path]], *, split: str | None
) -> tuple[np.ndarray, np.ndarray]:
    """Images, uint8 (N, 3, 32, 32), and labels of a split; None takes the only one there is."""
    present = [name for name, found in files.items() if found]
    if split is None and len(present) > 1:
        raise DataError(f"{folder}: has several splits; choose with split='train' or 'test'")
    chosen = files[split or present[0]]
    if not chosen:
        raise DataError(f"{folder}: has no CIFAR files of the {split} split, only of {present[0]}")
    parts = [_read(path) for path in chosen]
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


def _read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    with open_data(path) as file:
        content = file.read(_MAX_FILE + 1)
    if len(content) > _MAX_FILE:
        raise DataError(f"{path}: is larger than a file of CIFAR can be, {_MAX_FILE:,} bytes")
    images, labels = _from_records(path, content) if path.suffix else _from_pickle(path, content)
    return images.reshape(-1, 3, 32, 32), labels


def _from_records(path: Path, content: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Records of one byte of label and 3072 of pixels."""
    if not content or len(content) % (_IMAGE + 1):
        raise DataError(f"{path}: is {len(content)} bytes long, no multiple of {_IMAGE + 1}")
    records = np.frombuffer(content, np.uint8).reshape(-1, _IMAGE + 1)
    return records[:, 1:], records[:, 0].astype(np.int64)


def _from_pickle(path: Path, content: bytes) -> tuple[np.ndarray, np.ndarray]:
    found = read_pickle(content, where=str(path))
    images = found.get("data")
    labels = next((found[name] for name in _LABELS if name in found), None)
    if not isinstance(images, np.ndarray) or images.dtype != np.uint8 or images.size % _IMAGE:
        raise DataError(f"{path}: must hold data, uint8 rows of {_IMAGE} pixels")
    if (
        not isinstance(labels, list)
        or not all(type(n) is int and 0 <= n < 1000 for n in labels)
        or len(labels) != images.size // _IMAGE
    ):
        raise DataError(f"{path}: must hold one class number per image, in {' or '.join(_LABELS)}")
    return images, np.array(labels, np.int64)
