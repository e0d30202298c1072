"""Arrays out of what a program has in memory: arrays, tensors, data sets and loaders.

PyTorch is never imported here: what is no tensor of a loaded PyTorch is no tensor.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from hwgen.datasets.dataset import Dataset
from hwgen.datasets.opened import MAX_BYTES
from hwgen.errors import DataError

_IMAGES = ("image", "images", "img", "pixel_values", "x", "data")
_LABELS = ("label", "labels", "y", "target", "targets", "class")
_NO_SOURCES = (str, bytes, bytearray, Mapping, int, float, complex, type(None))


def as_arrays(source: object, *, where: str) -> tuple[np.ndarray, np.ndarray | None]:
    """Images of ``source``, and its labels if it has any.

    Parameters
    ----------
    source
        An array or a tensor; a list of images; a pair (images, labels); a :class:`Dataset`; a
        ``torch.utils.data.Dataset`` or ``DataLoader``, or any other iterable of images, of (image,
        label), of {"image": …, "label": …}, or of batches of these.
    where : str
        Start of the error message.

    Raises
    ------
    DataError
        ``source`` is none of these, its images have several shapes, or take too much memory.
    """
    if isinstance(source, Dataset):
        return source.images, source.labels
    if _is_array(source):
        return as_array(source, where=where), None
    if isinstance(source, tuple) and _is_pair_of_arrays(source):
        return as_array(source[0], where=where), as_array(source[1], where=where)
    if isinstance(source, list | tuple) and not (source and _is_item(source[0])):
        return as_array(source, where=where), None
    if isinstance(source, _NO_SOURCES) or not _is_iterable(source):
        raise DataError(
            f"{where}: must be an array, a tensor, a data set or a loader, not "
            f"{type(source).__name__}; hwgen.datasets.load reads files"
        )
    return _gather(source, where=where)


def as_array(value: object, *, where: str) -> np.ndarray:
    """``value`` as an array of numbers in native byte order; no copy unless one is needed.

    Raises :class:`.DataError` if it is none, or if its parts have different shapes.
    """
    if isinstance(value, list | tuple) and any(map(_is_tensor, value)):
        value = [_from_tensor(part, where) if _is_tensor(part) else part for part in value]
    try:
        array = _from_tensor(value, where) if _is_tensor(value) else np.asarray(value)
    except (ValueError, TypeError, OverflowError) as error:
        raise DataError(
            f"{where}: must be a NumPy array, not {type(value).__name__} of parts with different "
            f"shapes; bring all samples to one shape and use np.stack"
        ) from error
    if array.dtype.kind not in "biuf":
        raise DataError(
            f"{where}: must be an array of numbers, not {array.dtype} of {_kind(value)}"
        )
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def _kind(value: object) -> str:
    return f"type {type(value).__name__}"


def _is_tensor(value: object) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def _from_tensor(value: Any, where: str) -> np.ndarray:
    """The tensor's values, from whatever device; bfloat16 as float32."""
    torch = sys.modules["torch"]
    if value.layout is not torch.strided or value.is_quantized or value.device.type == "meta":
        raise DataError(
            f"{where}: must be a plain tensor, not a sparse, quantised or meta one; use to_dense() "
            f"or dequantize()"
        )
    value = value.detach().cpu()
    if value.dtype is torch.bfloat16:
        value = value.float()
    array: np.ndarray = value.numpy()
    return array


def _is_array(value: object) -> bool:
    return _is_tensor(value) or hasattr(value, "__array__") or hasattr(value, "__array_interface__")


def _is_item(value: object) -> bool:
    """Whether an element of a list is an image with a label."""
    if isinstance(value, Mapping):
        return True
    return isinstance(value, tuple) and len(value) == 2 and _is_array(value[0])


def _is_pair_of_arrays(source: tuple[Any, ...]) -> bool:
    """(images, labels): as many of one as of the other, and fewer axes."""
    if len(source) != 2 or not all(map(_is_array, source)):
        return False
    images, labels = map(np.shape, source)
    return len(images) >= 3 > len(labels) >= 1 and images[0] == labels[0]


def _is_iterable(source: object) -> bool:
    return isinstance(source, Iterable) or _is_indexed(source)


def _is_indexed(source: object) -> bool:
    return hasattr(source, "__getitem__") and hasattr(source, "__len__")


def _items(source: Any) -> Iterator[Any]:
    """Elements; a torch data set need not raise IndexError at its end."""
    return (
        iter(source) if hasattr(source, "__iter__") else map(source.__getitem__, range(len(source)))
    )


def _batches(source: object) -> bool | None:
    """Whether the elements are batches; None where each element has to tell."""
    data = sys.modules.get("torch.utils.data")
    if data is not None and isinstance(source, data.DataLoader):
        return source.batch_sampler is not None or source.batch_size is not None
    if data is not None and isinstance(source, data.Dataset):
        return False
    return False if _is_indexed(source) else None


def _gather(source: Any, *, where: str) -> tuple[np.ndarray, np.ndarray | None]:
    """Images and labels of all elements, stacked."""
    batched, size = _batches(source), 0
    images: list[np.ndarray] = []
    labels: list[np.ndarray | None] = []
    for item in _items(source):
        image, label = _split(item, where)
        array = as_array(image, where=f"{where}, element {len(images)}")
        number = None if label is None else as_array(label, where=f"{where}, label {len(images)}")
        if not (_is_batch(array, number) if batched is None else batched):
            array, number = array[np.newaxis], None if number is None else number[np.newaxis]
        images.append(array)
        labels.append(number)
        size += array.nbytes
        ahead = len(source) * array.nbytes if len(images) == 1 and hasattr(source, "__len__") else 0
        if max(size, ahead) > MAX_BYTES:
            raise DataError(
                f"{where}: takes more than {MAX_BYTES:,} bytes; give fewer samples, such as "
                f"torch.utils.data.Subset(data, range(1000))"
            )
    if not images:
        raise DataError(f"{where}: there are no images")
    found = [label for label in labels if label is not None]
    if found and len(found) < len(images):
        raise DataError(f"{where}: has labels for some images only; give one for each, or none")
    return _join(images, where), _join(found, f"{where}, labels") if found else None


def _is_batch(image: np.ndarray, label: np.ndarray | None) -> bool:
    if label is None:
        return image.ndim >= 4
    return label.ndim >= 1 and image.ndim >= 3 and len(label) == len(image)


def _split(item: Any, where: str) -> tuple[Any, Any]:
    """Image and label of an element."""
    if isinstance(item, Mapping):
        image = next((item[name] for name in _IMAGES if name in item), None)
        if image is None:
            raise DataError(f"{where}: elements must have one of the keys {', '.join(_IMAGES)}")
        return image, next((item[name] for name in _LABELS if name in item), None)
    if isinstance(item, tuple | list) and len(item) == 2 and _is_array(item[0]):
        return item[0], item[1]
    if isinstance(item, tuple | list) and len(item) == 1:
        return item[0], None
    return item, None


def _join(parts: list[np.ndarray], where: str) -> np.ndarray:
    shapes = dict.fromkeys(part.shape[1:] for part in parts)
    if len(shapes) > 1:
        first, second, *_ = shapes
        raise DataError(
            f"{where}: samples have several shapes, such as {first} and {second}; bring all to one"
        )
    return np.concatenate(parts)
