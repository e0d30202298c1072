"""Every benchmark imports and parses its options, so that a renamed API cannot break one unseen."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from types import ModuleType

import pytest

import benchmarks

FOLDER = Path(benchmarks.__path__[0])
MODULES = sorted(module.name for module in pkgutil.iter_modules([str(FOLDER)]))
COMMANDS = [
    name for name in MODULES if "__main__" in (FOLDER / f"{name}.py").read_text(encoding="utf-8")
]
OPTIONAL = {"matplotlib", "spikingjelly"}


def imported(name: str) -> ModuleType:
    """The module, or a skipped test if an optional package is missing."""
    try:
        return importlib.import_module(f"benchmarks.{name}")
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in OPTIONAL:
            raise
        pytest.skip(f"{package} is not installed: pip install -e '.[bench]'")


@pytest.mark.parametrize("name", MODULES)
def test_benchmark_imports(name: str) -> None:
    assert imported(name).__doc__


def test_commands_are_found() -> None:
    assert {"structure", "mnist", "cifar10", "methods", "unit"} <= set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_benchmark_has_the_common_options(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`make benchmarks` passes --json to every benchmark."""
    module = imported(name)
    with pytest.raises(SystemExit) as stopped:
        module.main(["--help"])
    assert stopped.value.code == 0
    help_text = capsys.readouterr().out
    assert "--json FILE" in help_text
    assert module.__doc__.splitlines()[0].split()[0] in help_text
