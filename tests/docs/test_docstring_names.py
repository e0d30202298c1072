"""Names in docstrings (``:class:`…```, ``:func:`…``` and others) exist."""

from __future__ import annotations

import ast
import builtins
import importlib
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

PACKAGE = Path(__file__).parents[2] / "hwgen"
ROLE = re.compile(r":(?:attr|class|data|exc|func|meth|mod):`~?([\w.]+)`")
SOURCES = sorted(PACKAGE.rglob("*.py"))


def docstrings(tree: ast.AST, owner: tuple[str, ...] = ()) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Strings that are statements, each with the classes around it."""
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.Expr(value=ast.Constant(value=str(text))):
                yield text, owner
            case ast.ClassDef():
                yield from docstrings(node, (*owner, node.name))
            case _:
                yield from docstrings(node, owner)


def lookup(name: str) -> Any:
    """The module, or the member of one, of a full name; LookupError if there is none."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        module = ".".join(parts[:count])
        try:
            if find_spec(module) is None:
                continue
        except ModuleNotFoundError:
            continue
        value = importlib.import_module(module)
        for part in parts[count:]:
            fields = getattr(value, "__annotations__", {})
            if not hasattr(value, part) and part not in fields:
                raise LookupError(name)
            value = getattr(value, part, None)
        return value
    raise LookupError(name)


def exists(target: str, module: str, owner: tuple[str, ...]) -> bool:
    """Whether a docstring in ``module``, in the classes ``owner``, names something."""
    is_package = (PACKAGE.parent / module.replace(".", "/")).is_dir()
    package = module if is_package else module.rpartition(".")[0]
    name = target.lstrip(".")
    places = [".".join((module, *owner)), module, package, "hwgen.errors"]
    for full in [*(f"{place}.{name}" for place in places), name]:
        try:
            lookup(full)
        except LookupError:
            continue
        return True
    return hasattr(builtins, target)


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def missing(text: str, module: str, owner: tuple[str, ...] = ()) -> list[str]:
    """Names in a docstring that do not exist."""
    return [target for target in ROLE.findall(text) if not exists(target, module, owner)]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_names_in_docstrings_exist(path: Path) -> None:
    found = docstrings(ast.parse(path.read_text("utf-8")))
    wrong = [name for text, owner in found for name in missing(text, module_name(path), owner)]
    assert wrong == []


def test_docstrings_hold_names() -> None:
    texts = [path.read_text("utf-8") for path in SOURCES]
    assert sum(len(ROLE.findall(text)) for text in texts) > 200


def test_a_name_that_does_not_exist_is_missing() -> None:
    text = (
        ":class:`.NetworkError` :class:`.NetwrkError` :meth:`verify` :mod:`hwgen.golden.runer` "
        ":func:`hwgen.golden.run` :class:`ValueError` :class:`hwgen.golden.Result.logit`"
    )
    assert missing(text, "hwgen.network.network", ("Network",)) == [
        ".NetwrkError",
        "hwgen.golden.runer",
        "hwgen.golden.Result.logit",
    ]
