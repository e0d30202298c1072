"""Weights from files: everything in them is data, and whatever is not is refused in one line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from hwgen.conversion.frontend.checkpoints import Found, choose, state_dicts
from hwgen.conversion.frontend.pickles import SAVE, Foreign, pickled_objects, read_pickle
from hwgen.conversion.frontend.plain import listing, plain
from hwgen.errors import ConversionError
from hwgen.reading import ReadingError
from hwgen.reading.files import open_regular
from hwgen.reading.npz import open_npz

_LIMIT = 1 << 40  # bytes; whoever names a file of weights knows what fits into memory
SUFFIXES = (".pt", ".pth", ".bin", ".ckpt", ".safetensors", ".npz")


def load_weights(path: str | Path) -> dict[str, torch.Tensor]:
    """Tensors by their name in the state dict: of several in a checkpoint, the largest."""
    found = _read(Path(path))
    return dict(max(found, key=lambda one: len(one.tensors)).tensors)


def set_weights(model: nn.Module, path: str | Path) -> None:
    """Give ``model`` the weights of a file, which it must name as its state dict does.

    A checkpoint may hold them below a key, and with a prefix before all names.
    """
    path = Path(path)
    expected = model.state_dict()
    weights = choose(_read(path), expected, where=str(path))
    problems = [
        f"{name} {problem}"
        for name, value in weights.items()
        if (problem := _unusable(value, expected[name]))
    ]
    if problems:
        raise ConversionError(f"{path}: {listing(problems, shown=3)}")
    model.load_state_dict(weights, strict=False)  # without counts of batches, and tied weights


def require_file(path: Path) -> None:
    """Raise :class:`.ConversionError` unless ``path`` is a file that can be read."""
    try:
        with open_regular(path, limit=_LIMIT):
            pass
    except ReadingError as error:
        raise ConversionError(f"{plain(path)}: {error}") from error


def _unusable(value: torch.Tensor, expected: torch.Tensor) -> str:
    """Why a tensor cannot be the weights that a model expects; empty if it can."""
    if value.is_quantized:
        return f"is quantised ({value.dtype}); give the weights of the float model"
    if value.layout is not torch.strided:
        return f"is sparse ({value.layout}); save it as to_dense()"
    if value.is_nested or value.is_meta:
        return f"holds no numbers; save the weights by {SAVE}"
    if value.is_complex():
        return f"holds complex numbers ({value.dtype}); give the weights of a real model"
    if not is_lazy(expected) and value.shape != expected.shape:
        return f"is {tuple(value.shape)} instead of {tuple(expected.shape)}; give this model's"
    if expected.is_floating_point() and not value.is_floating_point():
        return f"holds integers ({value.dtype}); give the weights of the float model"
    if value.is_floating_point() and (bad := int((~torch.isfinite(value.float())).sum())):
        return f"holds NaN or infinity ({bad} of {value.numel()}); train again, or give others"
    return ""


def _read(path: Path) -> list[Found]:
    """State dicts in a file, at least one."""
    if path.suffix not in _READERS:
        raise ConversionError(
            f"{plain(path)}: weights are {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]} files"
        )
    require_file(path)
    content = _READERS[path.suffix](path)
    if found := list(state_dicts(content)):
        return found
    objects = [content, *(content.values() if isinstance(content, dict) else ())]
    if names := [one.named for one in objects if isinstance(one, Foreign)]:
        raise pickled_objects(path, names)
    raise ConversionError(
        f"{path}: holds a {type(content).__name__} without tensors by name, no state dict; write "
        f"it by {SAVE}"
    )


def _read_safetensors(path: Path) -> Any:
    from safetensors.torch import load_file

    try:
        return dict(load_file(path))
    except Exception as error:  # SafetensorError and others, of bytes made up by anybody
        raise ConversionError(f"{path}: is damaged, or is no safetensors file") from error


def _read_npz(path: Path) -> Any:
    try:
        with open_npz(path, limit=_LIMIT) as archive:
            arrays = {name: archive.read(name) for name in archive.members}
    except ReadingError as error:
        raise ConversionError(
            f"{plain(path)}: {error}; objects are never loaded, since that runs code"
        ) from error
    native = {name: array.astype(array.dtype.newbyteorder("=")) for name, array in arrays.items()}
    return {name: torch.from_numpy(array) for name, array in native.items()}


_READERS: dict[str, Callable[[Path], Any]] = {
    **dict.fromkeys((".pt", ".pth", ".bin", ".ckpt", ".tar"), read_pickle),
    ".safetensors": _read_safetensors,
    ".npz": _read_npz,
}
