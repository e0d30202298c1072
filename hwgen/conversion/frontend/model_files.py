"""Models from disk: Python files and saved programs. Both are code, and run when loaded."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.export import ExportedProgram

from hwgen.conversion.frontend.plain import first_line
from hwgen.conversion.frontend.unsuitable import quiet_tracing
from hwgen.conversion.frontend.weight_files import SUFFIXES, require_file, set_weights
from hwgen.errors import ConversionError
from hwgen.suggest import unknown


def load_model(
    spec: str, weights: str | Path | None = None, *, trust_model: bool = False
) -> nn.Module | ExportedProgram:
    """Load the model ``spec``, in eval mode.

    Parameters
    ----------
    spec : str
        ``file.py:factory``, where factory is a function or class that returns an nn.Module, or a
        module itself; or ``x.pt2``, saved by torch.export.save. Both are programs, which run with
        your rights.
    weights : path or None
        A state dict or checkpoint: ``.pt``, ``.pth``, ``.bin``, ``.ckpt``, ``.safetensors``, or
        ``.npz`` with the names of the state dict. It is data, and never runs.
    trust_model : bool
        Load a ``.pt2``, whose maker you trust as you trust the author of a Python file.

    Raises
    ------
    ConversionError
        A file is missing, damaged, or holds anything but tensors; or names do not fit.
    """
    path, _, factory = spec.partition(":")
    if path.endswith(".pt2"):
        if weights is not None:
            raise ConversionError(f"{spec}: a .pt2 holds its weights; leave the others out")
        return _load_program(Path(path), trusted=trust_model)
    if path.endswith(SUFFIXES):
        raise ConversionError(
            f"{spec}: holds weights alone; give the model as file.py:factory, and these as weights"
        )
    if not path.endswith(".py") or not factory:
        raise ConversionError(
            f"{spec}: a model is file.py:factory, or a .pt2 saved by torch.export.save"
        )
    model = _build(Path(path), factory)
    if weights is not None:
        set_weights(model, weights)
    return model.eval()


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
        except (Exception, SystemExit) as error:  # whatever the model raises
            raise ConversionError(f"{path}:{factory}(): failed: {first_line(error)}") from error
    if not isinstance(made, nn.Module):
        raise ConversionError(
            f"{path}:{factory}(): must return a torch.nn.Module, not {type(made).__name__}"
        )
    return made


def run_file(path: Path) -> Any:
    """Run a Python file as a module, or raise :class:`.ConversionError`."""
    require_file(path)
    name = f"hwgen_model_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # as for an import: dataclasses look their module up
    sys.path.insert(0, str(path.resolve().parent))
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # whatever the file raises
        del sys.modules[name]
        raise ConversionError(
            f"{path}: cannot be run: {type(error).__name__}: {first_line(error)}"
        ) from error
    finally:
        sys.path.remove(str(path.resolve().parent))
    return module


# --- .pt2 ---------------------------------------------------------------------------------------


def _load_program(path: Path, *, trusted: bool) -> ExportedProgram:
    require_file(path)
    if not trusted:
        raise ConversionError(
            f"{path}: a .pt2 is a program, and loading it can run anything with your rights; pass "
            f"--trust-model (in Python: trust_model=True) if you trust its maker, or give the "
            f"model as file.py:factory and its weights by torch.save(model.state_dict(), …)"
        )
    try:
        with quiet_tracing():
            return torch.export.load(path)
    except Exception as error:  # whatever the program raises
        raise ConversionError(
            f"{path}: PyTorch {torch.__version__} cannot load it; it is damaged, or comes from "
            f"another version: save it again by torch.export.save"
        ) from error
