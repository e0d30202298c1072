"""From a trained PyTorch CNN to a spiking network of integers, and from that to verified Verilog.

Names are imported when first used, so that ``import hwgen`` and ``hwgen --help`` cost nothing.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hwgen import golden
    from hwgen.artefact import load, save
    from hwgen.convert import convert
    from hwgen.generation import generate
    from hwgen.network import Network

_HOMES = {
    "Network": "hwgen.network:Network",
    "convert": "hwgen.convert:convert",
    "generate": "hwgen.generation:generate",
    "golden": "hwgen.golden",
    "load": "hwgen.artefact:load",
    "save": "hwgen.artefact:save",
}

__all__ = ["Network", "convert", "generate", "golden", "load", "save"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, attribute = _HOMES[name].partition(":")
    home = importlib.import_module(module)
    if name in globals():
        return globals()[name]  # the import bound the sub-package of this name
    globals()[name] = value = getattr(home, attribute) if attribute else home
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Callable(ModuleType):
    """A sub-package that can be called as its function of the same name."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return getattr(self, self.__name__.rpartition(".")[2])(*args, **kwargs)


class _Package(ModuleType):
    """This package. ``hwgen.convert`` is a sub-package and a function; here it becomes both."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "convert" and isinstance(value, ModuleType):
            value.__class__ = _Callable
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
