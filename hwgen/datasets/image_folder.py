"""A folder of image files, one subfolder per class."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hwgen.datasets.opened import MAX_BYTES, entries, open_data, refused
from hwgen.errors import DataError
from hwgen.reading.values import require_bounded

if TYPE_CHECKING:
    from PIL import Image

_SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".ppm", ".pgm", ".tif", ".tiff", ".webp", ".gif"}
_SPLITS = {"train": ("train", "training"), "test": ("test", "val", "valid", "validation")}
_GREY = {"1", "L", "I;16"}
_DAMAGE = (OSError, ValueError, SyntaxError, EOFError, KeyError, IndexError, TypeError)
_FORMATS = ("PNG", "JPEG", "BMP", "PPM", "TIFF", "WEBP", "GIF")


def find_classes(folder: Path, *, split: str | None) -> list[list[Path]] | None:
    """Image files of each class, in the order of the names of their folders; None if no images.

    A folder ``train`` or ``test`` of such folders is that split.
    """
    folders = {path.name.lower(): path for path in entries(folder) if path.is_dir()}
    splits = {
        name: folders[word] for name, words in _SPLITS.items() for word in words if word in folders
    }
    if splits:
        if split is None and len(splits) > 1:
            raise DataError(f"{folder}: has several splits; choose with split='train' or 'test'")
        if split is not None and split not in splits:
            raise DataError(f"{folder}: has no folder of the {split} split")
        folder = splits[split] if split is not None else next(iter(splits.values()))
    found = [
        [path for path in entries(place) if path.suffix.lower() in _SUFFIXES and path.is_file()]
        for place in entries(folder)
        if place.is_dir() and not place.name.startswith(".")
    ]
    return found if any(found) else None


def read_classes(
    folder: Path, classes: list[list[Path]], *, channels: int | None, samples: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """Images (N, H, W) or (N, H, W, C) and labels: the first of each class, the second of each …

    Parameters
    ----------
    channels : int or None
        1 or 3; None takes 1 if no image has colours.
    samples : int or None
        Read no more than these.
    """
    numbered = (
        (index, label, path)
        for label, paths in enumerate(classes)
        for index, path in enumerate(paths)
    )
    order = [(path, label) for _, label, path in sorted(numbered)][:samples]
    pillow = _pillow()
    headers = [_header(pillow, path) for path, _ in order]
    sizes = {size: path for (size, _), (path, _) in zip(headers, order)}
    if len(sizes) > 1:
        (one, first), (other, second), *_ = sizes.items()
        raise DataError(
            f"{folder}: images have several sizes, such as {first.name!a} of {one[0]}×{one[1]} and "
            f"{second.name!a} of {other[0]}×{other[1]}; resize them to the model's input"
        )
    colour = channels == 3 if channels else any(mode not in _GREY for _, mode in headers)
    mode = "RGB" if colour else "I;16" if any(mode == "I;16" for _, mode in headers) else "L"
    each = math.prod(next(iter(sizes))) * {"RGB": 3, "I;16": 2, "L": 1}[mode]
    size = len(order) * each
    with refused(folder):
        require_bounded(size, stored=size, limit=MAX_BYTES)
    images = np.stack([_pixels(pillow, path, mode) for path, _ in order])
    return images, np.array([label for _, label in order], np.int64)


def _pillow() -> Any:
    try:
        from PIL import Image
    except ImportError as error:
        raise DataError(
            "a folder of images needs Pillow: pip install 'hwgen[images]', or store the images in "
            "an .npz file"
        ) from error
    return Image


def _open(pillow: Any, path: Path, use: Any) -> Any:
    """``use`` of the image in a file; damage is a DataError."""
    with open_data(path) as file:
        try:
            with pillow.open(file, formats=_FORMATS) as image:
                return use(image)
        except (*_DAMAGE, pillow.DecompressionBombError, pillow.DecompressionBombWarning) as error:
            raise DataError(f"{path}: not an image, or damaged") from error


def _header(pillow: Any, path: Path) -> tuple[tuple[int, int], str]:
    size, mode = _open(pillow, path, lambda image: (image.size, image.mode))
    with refused(path):
        require_bounded(3 * math.prod(size), stored=path.stat().st_size, limit=MAX_BYTES)
    return size, mode


def _pixels(pillow: Any, path: Path, mode: str) -> np.ndarray:
    def convert(image: Image.Image) -> np.ndarray:
        return np.asarray(image if image.mode == mode else image.convert(mode))

    pixels: np.ndarray = _open(pillow, path, convert)
    return pixels.astype(np.uint16) if mode == "I;16" else pixels
