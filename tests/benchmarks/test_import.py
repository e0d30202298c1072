"""Every benchmark imports, so that a renamed API cannot break one unseen."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

import benchmarks

MODULES = sorted(module.name for module in pkgutil.iter_modules(benchmarks.__path__))
OPTIONAL = {"matplotlib", "spikingjelly"}


@pytest.mark.parametrize("name", MODULES)
def test_benchmark_imports(name: str) -> None:
    try:
        importlib.import_module(f"benchmarks.{name}")
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in OPTIONAL:
            raise
        pytest.skip(f"{package} is not installed: pip install -e '.[bench]'")
