"""Trained PyTorch networks become spiking networks of integers, and these verified Verilog.

>>> network = hwgen.convert(model, images, labels=labels, timesteps=4)
>>> hwgen.golden.run(network, test_images).classes
>>> build = hwgen.generate(network, board="ulx3s-85f").write("build")
>>> build.simulate(test_images[:10])
>>> build.place_and_route()

Names are imported on first use: ``import hwgen`` loads neither NumPy nor PyTorch. ``__version__``
is found on first use too; see :mod:`hwgen.version`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hwgen import boards, datasets, errors, golden
    from hwgen.artefact import load, save
    from hwgen.build import Build
    from hwgen.conversion import convert
    from hwgen.generation import generate
    from hwgen.network import Network

__all__ = [
    "Build",
    "Network",
    "boards",
    "convert",
    "datasets",
    "errors",
    "generate",
    "golden",
    "load",
    "save",
]

_HOMES = {
    "Build": "build",
    "Network": "network",
    "convert": "conversion",
    "generate": "generation",
    "load": "artefact",
    "save": "artefact",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from hwgen.version import version

        return version()
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f"{__name__}.{_HOMES.get(name, name)}")
    globals()[name] = value = getattr(module, name) if name in _HOMES else module
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})
