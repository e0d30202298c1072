"""Tests mirror the package, and share code through tests/support/ only (tests/README.md)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PACKAGE = TESTS.parent / "hwgen"
# Folders of tests that no folder of the package corresponds to.
OTHERS = {"support", "recorded", "docs", "benchmarks", "mutation"}
# Counts what the test modules draw, so it reads their cases.
READS_TESTS = {"tests/test_census.py"}

FOLDERS = sorted(
    folder.relative_to(TESTS).as_posix()
    for folder in TESTS.rglob("*")
    if folder.is_dir() and folder.name != "__pycache__" and any(folder.glob("*.py"))
)


@pytest.mark.parametrize("folder", [f for f in FOLDERS if f.partition("/")[0] not in OTHERS])
def test_folder_of_tests_mirrors_the_package(folder: str) -> None:
    assert (PACKAGE / folder).is_dir(), f"hwgen/{folder}/ does not exist: move tests/{folder}/"


@pytest.mark.parametrize("folder", FOLDERS)
def test_folder_of_tests_is_a_package(folder: str) -> None:
    """Two test modules of the same name can then lie in different folders."""
    assert (TESTS / folder / "__init__.py").is_file()


def imported_tests(path: Path) -> Iterator[str]:
    """Test modules that a file imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            if name.startswith("tests.") and ".test_" in name:
                yield name


def test_shared_helpers_lie_in_support() -> None:
    found = {
        f"tests/{path.relative_to(TESTS).as_posix()}": list(imported_tests(path))
        for path in sorted(TESTS.rglob("*.py"))
    }
    offenders = {name: names for name, names in found.items() if names}
    assert set(offenders) == READS_TESTS, offenders


def test_skips_name_packages_that_are_not_ours() -> None:
    """importorskip() of a module of this repository would hide a renamed module."""
    for path in sorted(TESTS.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Attribute(attr="importorskip"), args=[ast.Constant(value=name), *_]
                ):
                    top = str(name).partition(".")[0]
                    assert top not in {"hwgen", "tests", "benchmarks", "sim"}, f"{path}: {name}"
