"""Images or events, and labels, from disk: ``.npz`` files and folders of idx files (the format of
MNIST)."""

from __future__ import annotations

import gzip
import math
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hwgen.datasets import address_events as events
from hwgen.errors import DataError
from hwgen.suggest import require_known

_CHANNELS = (1, 3, 4)  # what the channel axis of an image may hold: grey, RGB, RGBA
_IDX_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_SPLITS = {"train": ("train",), "test": ("t10k", "test")}
_DAMAGE = (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset:
    """Images, and labels where they are known.

    Parameters
    ----------
    images : uint8 or uint16 array, shape (samples, channels, height, width)
        Of address events frames, shape (samples, timesteps, channels, height, width).
    labels : int64 array, shape (samples,), or None
    """

    images: np.ndarray
    labels: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.images)

    def take(self, samples: int) -> Dataset:
        """The first ``samples`` of it (all, where it has fewer)."""
        labels = None if self.labels is None else self.labels[:samples]
        return Dataset(images=self.images[:samples], labels=labels)


def load(
    path: str | Path,
    *,
    split: str | None = None,
    timesteps: int | None = None,
    shape: tuple[int, int, int] | None = None,
    samples: int | None = None,
) -> Dataset:
    """Images and labels of an ``.npz`` file or of a folder of idx files.

    Parameters
    ----------
    path : path
        An ``.npz`` with ``images`` and perhaps ``labels``; images are (N, H, W), (N, H, W, C) with
        C of 1, 3 or 4, or (N, C, H, W). Or one of address events: ``t``, ``x``, ``y``, ``p`` and
        ``offsets`` (:class:`hwgen.datasets.address_events.Events`). Or a folder with files such as
        ``t10k-images-idx3-ubyte.gz`` and ``t10k-labels-idx1-ubyte.gz``.
    split : "train", "test" or None
        Which files of a folder; None takes the only ones there are.
    timesteps, shape
        Of the frames that events become (:func:`hwgen.datasets.address_events.bin_events`).
    samples : int or None
        Only the first ones.

    Raises
    ------
    DataError
        Where a file is missing or damaged, or holds what is no image.
    """
    path = Path(path)
    if split is not None:
        require_known("split", split, _SPLITS, error=DataError)
    if path.is_dir():
        whole = _load_folder(path, split)
        return whole if samples is None else whole.take(samples)
    if not path.exists():
        raise DataError(f"{path}: no such file or folder")
    if path.suffix.lower() != ".npz":
        raise DataError(f"{path}: data must be an .npz file or a folder of idx files")
    if holds_events(path):
        return _load_events(path, timesteps, shape, samples)
    whole = _load_npz(path)
    return whole if samples is None else whole.take(samples)


def holds_events(path: str | Path) -> bool:
    """Whether ``path`` is an ``.npz`` of address events; False for what is no ``.npz`` at all."""
    path = Path(path)
    try:
        with zipfile.ZipFile(path) as archive:
            return {f"{name}.npy" for name in events.ARRAYS} <= set(archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return False


def as_images(array: np.ndarray, *, where: str, channels_first: bool = False) -> np.ndarray:
    """``array`` as unsigned (samples, channels, height, width), or :class:`DataError`.

    ``channels_first`` says that arrays of 4 axes are in that order already.
    """
    if array.dtype == np.bool_:
        array = array.astype(np.uint8)
    if not np.issubdtype(array.dtype, np.integer):
        raise DataError(
            f"{where}: images must be unsigned integers (pixels as the camera gives them), not "
            f"{array.dtype}; store them as uint8 and give mean, std and scale to the conversion"
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
        raise DataError(f"{where}: pixels must not be negative, but the least is {low}")
    if high > 0xFFFF:
        raise DataError(f"{where}: pixels must fit 16 bits, but the largest is {high}")
    return array.astype(np.uint8 if high <= 0xFF else np.uint16)


def _channels_first(array: np.ndarray, *, where: str) -> np.ndarray:
    if array.ndim == 3:
        return array[:, np.newaxis]
    first, last = array.shape[1] in _CHANNELS, array.shape[3] in _CHANNELS
    if first and last and array.shape[1:] != (1, 1, 1):
        raise DataError(
            f"{where}: shape {array.shape} may be (N, C, H, W) or (N, H, W, C); give images of "
            f"one channel as (N, H, W), others with sides other than {_CHANNELS}"
        )
    return array.transpose(0, 3, 1, 2) if last else array


def as_labels(array: np.ndarray, samples: int, *, where: str) -> np.ndarray:
    """``array`` as int64 labels of ``samples`` images, or :class:`DataError`."""
    if not np.issubdtype(array.dtype, np.integer) or array.ndim != 1:
        raise DataError(
            f"{where}: labels must be class numbers, one integer an image, not {array.dtype} "
            f"of shape {array.shape}"
        )
    if len(array) != samples:
        raise DataError(f"{where}: {len(array)} labels for {samples} images")
    if samples and int(array.min()) < 0:
        raise DataError(f"{where}: labels must not be negative, but one is {int(array.min())}")
    return array.astype(np.int64)


def _load_npz(path: Path) -> Dataset:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            names = archive.files
            if "images" not in names:
                raise DataError(
                    f"{path}: has no array 'images', only {', '.join(sorted(names)) or 'nothing'}"
                )
            images = archive["images"]
            labels = archive["labels"] if "labels" in names else None
    except _DAMAGE as error:
        raise DataError(f"{path}: is no .npz of plain arrays, or is damaged: {error}") from error
    images = as_images(images, where=f"{path}, images")
    if labels is not None:
        labels = as_labels(labels, len(images), where=f"{path}, labels")
    return Dataset(images=images, labels=labels)


def _load_events(
    path: Path,
    timesteps: int | None,
    shape: tuple[int, int, int] | None,
    samples: int | None,
) -> Dataset:
    if timesteps is None:
        raise DataError(f"{path}: holds address events; give the timesteps that they are cut into")
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in events.ARRAYS}
            labels = archive["labels"] if "labels" in archive.files else None
    except _DAMAGE as error:
        raise DataError(f"{path}: is no .npz of plain arrays, or is damaged: {error}") from error
    found = events.read_address_events(arrays, where=str(path))
    if labels is not None:
        labels = as_labels(labels, len(found), where=f"{path}, labels")[:samples]
    try:
        frames = events.bin_events(found, timesteps=timesteps, shape=shape, samples=samples)
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    return Dataset(images=frames, labels=labels)


# --- idx ----------------------------------------------------------------------------------------


def _load_folder(folder: Path, split: str | None) -> Dataset:
    images = _find(folder, "images", split)
    if images is None:
        what = f" of the {split} split" if split else ""
        raise DataError(
            f"{folder}: has no idx file of images{what}; expected a name such as "
            f"train-images-idx3-ubyte or t10k-images-idx3-ubyte.gz"
        )
    labels = _find(folder, "labels", split or _split_of(images))
    pixels = as_images(_read_idx(images), where=str(images))
    if labels is None:
        return Dataset(images=pixels)
    numbers = as_labels(_read_idx(labels), len(pixels), where=str(labels))
    return Dataset(images=pixels, labels=numbers)


def _split_of(path: Path) -> str | None:
    for split, words in _SPLITS.items():
        if any(word in path.name.lower() for word in words):
            return split
    return None


def _find(folder: Path, what: str, split: str | None) -> Path | None:
    found = {
        path.name.removesuffix(".gz"): path  # the same file packed and unpacked is one file
        for path in sorted(folder.iterdir(), key=lambda path: path.name, reverse=True)
        if what in path.name.lower() and "idx" in path.name.lower() and path.is_file()
    }
    if split is not None:
        found = {name: path for name, path in found.items() if _split_of(path) == split}
    if len(found) > 1:
        raise DataError(
            f"{folder}: several idx files of {what}: {', '.join(sorted(found))}; choose with "
            f"split='train' or 'test', or keep one"
        )
    return next(iter(found.values()), None)


def _read_idx(path: Path) -> np.ndarray:
    """The array of an idx file: 0, 0, type, axes; one big-endian length an axis; values."""
    try:
        content = path.read_bytes()
        if path.suffix == ".gz":
            content = gzip.decompress(content)
    except _DAMAGE as error:
        raise DataError(f"{path}: cannot be read: {error}") from error
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in _IDX_TYPES:
        raise DataError(f"{path}: is no idx file, its first bytes are {content[:4].hex(' ')!r}")
    axes, kind = content[3], np.dtype(_IDX_TYPES[content[2]])
    head = 4 + 4 * axes
    if len(content) < head:
        raise DataError(f"{path}: ends within its header; it is damaged")
    shape = tuple(int.from_bytes(content[i : i + 4], "big") for i in range(4, head, 4))
    expected = head + kind.itemsize * math.prod(shape)
    if len(content) != expected:
        raise DataError(
            f"{path}: is {len(content)} bytes long, but its header, shape {shape}, calls for "
            f"{expected}; it is damaged"
        )
    values = np.frombuffer(content, kind, offset=head).reshape(shape)
    return values.astype(kind.newbyteorder("="))
