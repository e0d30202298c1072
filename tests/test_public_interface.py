"""The public names: typed, with explicit keywords, and a first line that fits a tooltip."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import pytest

import hwgen
import hwgen.conversion
import hwgen.report
import hwgen.simulation.options
import hwgen.simulation.report
import hwgen.simulation.runner
import hwgen.synthesis
from hwgen.generation.design import Design

FIRST_LINE = 100
MODULES = (hwgen, hwgen.conversion, hwgen.report, hwgen.synthesis, hwgen.simulation.options)
MODULES += (hwgen.simulation.report, hwgen.simulation.runner)


def public(module: types.ModuleType) -> Iterator[tuple[str, Any]]:
    """Public classes and functions of a module and of the modules that it names."""
    own = [
        n
        for n, value in vars(module).items()
        if getattr(value, "__module__", "") == module.__name__
    ]
    for name in getattr(module, "__all__", own):
        value = getattr(module, name)
        if inspect.ismodule(value):
            yield value.__name__, value
            yield from public(value)
        elif not name.startswith("_") and (inspect.isclass(value) or inspect.isfunction(value)):
            yield f"{module.__name__}.{name}", value


def methods(cls: type) -> Iterator[tuple[str, Any]]:
    """Public methods and properties that hwgen defines for a class."""
    for name, value in inspect.getmembers_static(cls):
        owner = next((base for base in cls.__mro__ if name in vars(base)), object)
        if name.startswith("_") or not owner.__module__.startswith("hwgen"):
            continue
        if isinstance(value, property):
            yield name, value.fget
        elif isinstance(value, cached_property):
            yield name, value.func
        elif isinstance(value, classmethod | staticmethod):
            yield name, value.__func__
        elif inspect.isfunction(value):
            yield name, value


NAMES = dict(item for module in MODULES for item in public(module)) | {"hwgen.Design": Design}
FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: value for name, value in NAMES.items() if inspect.isfunction(value)},
    **{
        f"{name}.{method}": function
        for name, value in NAMES.items()
        if inspect.isclass(value)
        for method, function in methods(value)
    },
}


def test_the_interface_is_found() -> None:
    assert {
        "hwgen.convert",
        "hwgen.Build.simulate",
        "hwgen.Build.open",
        "hwgen.Build.manifest",
        "hwgen.Network.summary",
        "hwgen.golden.Result.accuracy",
        "hwgen.golden.run",
        "hwgen.datasets.load",
        "hwgen.boards.load",
        "hwgen.Design.write",
    } <= FUNCTIONS.keys()
    assert {"hwgen.errors.HwgenError", "hwgen.golden.Result", "hwgen.datasets"} <= NAMES.keys()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_parameters_are_explicit_and_annotated(name: str) -> None:
    signature = inspect.signature(FUNCTIONS[name])
    assert signature.return_annotation is not inspect.Signature.empty
    for parameter in signature.parameters.values():
        if parameter.name in ("self", "cls"):
            continue
        assert parameter.kind is not inspect.Parameter.VAR_KEYWORD, parameter
        assert parameter.annotation is not inspect.Parameter.empty, parameter


@pytest.mark.parametrize("name", [*NAMES, *FUNCTIONS])
def test_the_first_line_of_a_docstring_makes_a_tooltip(name: str) -> None:
    text = inspect.getdoc({**NAMES, **FUNCTIONS}[name])
    assert text, "has no docstring"
    first, *others = text.splitlines()
    assert len(first) <= FIRST_LINE
    assert first[0].isupper() or first[0] in "`:(", first
    assert first.rstrip().endswith((".", "?")), first
    assert not first.startswith(("Of ", "The same", "And ", "Likewise", "What ")), first
    assert not others or others[0] == "", "the first sentence does not end in the first line"
