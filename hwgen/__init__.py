"""Trained PyTorch networks as spiking networks of integers, and those as verified Verilog.

Names are imported on first use, so that ``import hwgen`` and ``hwgen --help`` stay fast.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hwgen import datasets, errors, golden
    from hwgen.artefact import load, save
    from hwgen.conversion import convert
    from hwgen.generation import generate
    from hwgen.network import Network

_HOMES = {
    "Network": "hwgen.network:Network",
    "convert": "hwgen.conversion:convert",
    "datasets": "hwgen.datasets",
    "errors": "hwgen.errors",
    "generate": "hwgen.generation:generate",
    "golden": "hwgen.golden",
    "load": "hwgen.artefact:load",
    "save": "hwgen.artefact:save",
}

__all__ = ["Network", "convert", "datasets", "errors", "generate", "golden", "load", "save"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, attribute = _HOMES[name].partition(":")
    home = importlib.import_module(module)
    globals()[name] = value = getattr(home, attribute) if attribute else home
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
