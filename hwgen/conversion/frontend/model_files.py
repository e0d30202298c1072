"""Models and weights from disk. Nothing is unpickled; weights are plain tensors only."""

from __future__ import annotations

import importlib.util
import json
import os
import pickle
import re
import sys
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.export import ExportedProgram

from hwgen.conversion.frontend.torch_program import MODEL_ERRORS, first_line
from hwgen.errors import ConversionError
from hwgen.suggest import unknown

_DAMAGE = (*MODEL_ERRORS, OSError, EOFError, zipfile.BadZipFile, pickle.UnpicklingError)
_NESTED = ("state_dict", "model_state_dict", "model")  # where checkpoints keep the weights
# Legal shape expressions: sympy's classes, numbers and names; no attributes or functions.
_EXPRESSION = re.compile(r"([\w\s+\-*/(),=<>]|\.\d|'\w+')*")
_FUNCTION = re.compile(r"\b[a-z_]\w*\s*\(|__")


def load_model(spec: str, weights: str | Path | None = None) -> nn.Module | ExportedProgram:
    """Load the model ``spec``, in eval mode.

    Parameters
    ----------
    spec : str
        ``file.py:factory``, where factory is a function or class that returns an nn.Module, or a
        module itself; or ``x.pt2``, saved by torch.export.save.
    weights : path or None
        ``.pt`` (a state dict), ``.safetensors``, or ``.npz`` with the names of the state dict.

    Raises
    ------
    ConversionError
        A file is missing, damaged, or holds anything but tensors; or names do not fit.
    """
    path, _, factory = spec.partition(":")
    if path.endswith(".pt2"):
        if weights is not None:
            raise ConversionError(f"{spec}: a .pt2 holds its weights; leave the others out")
        return _load_program(Path(path))
    if not path.endswith(".py") or not factory:
        raise ConversionError(
            f"{spec}: a model is file.py:factory, or a .pt2 saved by torch.export.save"
        )
    model = _build(Path(path), factory)
    if weights is not None:
        _set_weights(model, load_weights(weights), str(weights))
    return model.eval()


def load_weights(path: str | Path) -> dict[str, torch.Tensor]:
    """Tensors by their name in the state dict."""
    path = Path(path)
    readers = {
        ".pt": _read_torch,
        ".pth": _read_torch,
        ".safetensors": _read_safetensors,
        ".npz": _read_npz,
    }
    if path.suffix not in readers:
        raise ConversionError(f"{path}: weights are .pt, .safetensors or .npz files")
    _require_file(path)
    try:
        return readers[path.suffix](path)
    except _DAMAGE as error:
        raise ConversionError(
            f"{path}: cannot be read as plain tensors ({first_line(error)}); it is damaged, or "
            f"holds pickled objects, which are never loaded: save model.state_dict()"
        ) from error


def _require_file(path: Path) -> None:
    if not path.is_file():
        raise ConversionError(f"{path}: no such file")


def _read_torch(path: Path) -> dict[str, torch.Tensor]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pickle protocols, before the refusal
        found = torch.load(path, map_location="cpu", weights_only=True)
    for key in _NESTED:
        if isinstance(found, Mapping) and isinstance(found.get(key), Mapping):
            found = found[key]
    if not isinstance(found, Mapping) or not all(
        isinstance(value, torch.Tensor) for value in found.values()
    ):
        raise ValueError("it is not a state dict of tensors")
    return {str(key): value for key, value in found.items()}


def _read_safetensors(path: Path) -> dict[str, torch.Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return dict(load_file(path))
    except SafetensorError as error:
        raise ValueError(str(error)) from error


def _read_npz(path: Path) -> dict[str, torch.Tensor]:
    with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
        return {name: torch.from_numpy(np.array(archive[name])) for name in archive.files}


def _set_weights(model: nn.Module, found: dict[str, torch.Tensor], where: str) -> None:
    expected = model.state_dict()
    if not set(found) & set(expected):
        found = {name.removeprefix("module."): value for name, value in found.items()}
    missing = [n for n in expected if n not in found and not n.endswith("num_batches_tracked")]
    extra = [name for name in found if name not in expected]
    shapes = {n: (tuple(found[n].shape), tuple(t.shape)) for n, t in expected.items() if n in found}
    wrong = [f"{n} {was} instead of {right}" for n, (was, right) in shapes.items() if was != right]
    problems = [
        f"{what} {', '.join(names[:5])}{' …' if len(names) > 5 else ''}"
        for what, names in (("lacks", missing), ("has unknown", extra), ("has", wrong))
        if names
    ]
    if problems:
        raise ConversionError(
            f"{where}: does not fit the model: {'; '.join(problems)}; give the weights of this "
            f"model, named as in its state_dict()"
        )
    model.load_state_dict(found, strict=False)


# --- file.py:factory ----------------------------------------------------------------------------


def _build(path: Path, factory: str) -> nn.Module:
    module = run_file(path)
    if not hasattr(module, factory):
        names = [name for name in vars(module) if not name.startswith("_")]
        raise ConversionError(f"{path}: {unknown('factory', factory, names)}")
    made = getattr(module, factory)
    if not isinstance(made, nn.Module):
        if not callable(made):
            raise ConversionError(f"{path}:{factory}: must be a function, class or module")
        try:
            made = made()
        except MODEL_ERRORS as error:
            raise ConversionError(f"{path}:{factory}(): failed: {first_line(error)}") from error
    if not isinstance(made, nn.Module):
        raise ConversionError(
            f"{path}:{factory}(): must return a torch.nn.Module, not {type(made).__name__}"
        )
    return made


def run_file(path: Path) -> Any:
    """Run a Python file as a module, or raise :class:`.ConversionError`."""
    _require_file(path)
    name = f"hwgen_model_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # as for an import: dataclasses look their module up
    sys.path.insert(0, str(path.resolve().parent))
    try:
        spec.loader.exec_module(module)
    except (*MODEL_ERRORS, ImportError, SyntaxError, OSError) as error:
        del sys.modules[name]
        raise ConversionError(
            f"{path}: cannot be run: {type(error).__name__}: {first_line(error)}"
        ) from error
    finally:
        sys.path.remove(str(path.resolve().parent))
    return module


# --- .pt2 ---------------------------------------------------------------------------------------


def _load_program(path: Path) -> ExportedProgram:
    """Load a saved program, checked first, as torch.export.load unpickles objects."""
    _require_file(path)
    try:
        _require_plain(path)
        with _weights_only():
            return torch.export.load(path)
    except _DAMAGE as error:
        raise ConversionError(
            f"{path}: must be a program of plain tensors, saved by torch.export.save of a similar "
            f"version of PyTorch, or it is damaged: {first_line(error)}"
        ) from error


def _require_plain(path: Path) -> None:
    """Refuse pickled objects, and code instead of a shape."""
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if re.search(r"(custom|opaque)_obj", name):
                raise ValueError(f"{name} holds a pickled object, which is never loaded")
            if name.endswith(".json"):
                _require_plain_json(json.loads(archive.read(name)), name)


def _require_plain_json(value: Any, name: str) -> None:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        if key in ("path_name", "expr_str") and isinstance(item, str):
            # torch evaluates shape expressions as Python
            if _FUNCTION.search(item) or not _EXPRESSION.fullmatch(item):
                raise ValueError(f"{name} holds {item!r} instead of a {key}")
            if "_obj" in item:
                raise ValueError(f"{name} names a pickled object, which is never loaded")
        if isinstance(item, dict | list):
            _require_plain_json(item, name)


@contextmanager
def _weights_only() -> Iterator[None]:
    """Let every torch.load in the block refuse anything but tensors and plain containers."""
    switch = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"
    before = os.environ.get(switch)
    os.environ[switch] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[switch]
        else:
            os.environ[switch] = before
