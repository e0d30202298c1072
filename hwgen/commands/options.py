"""Types of options: words with a suggestion, numbers per layer, lists of numbers, rates."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

import click

from hwgen.suggest import unknown

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]
PATH = click.Path(path_type=Path)
COUNT = click.IntRange(min=1)
TRUST = "--trust-model"
TRUST_TEXT = "Load a .pt2, which is a program and can run anything; you trust its maker."
DATA = "Images and labels: .npz or idx file, or a folder of idx files, CIFAR or images by class."


def option(
    name: str, kind: Any, text: str, default: Any = None, *more: str, **attributes: Any
) -> Decorator:
    """Option ``name`` with the help ``text``, which shows a default that is not None.

    ``kind`` is a click type, or an enum, whose words it takes; ``more`` are names before it.
    """
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        kind = Suggest([member.value for member in kind])
    if default is not None:
        plain = default.value if isinstance(default, StrEnum) else default
        attributes |= {"default": plain, "show_default": True}
    elif "/" in name:  # of a pair of flags that are both left out
        attributes["default"] = None
    return click.option(*more, name, type=kind, help=text, **attributes)


def json_option(what: str) -> Decorator:
    """Flag ``--json``, which prints ``what`` as JSON."""
    return click.option("--json", "as_json", is_flag=True, help=f"Print {what} as JSON.")


class Suggest(click.Choice[str]):
    """Choice that suggests the nearest word for an unknown one."""

    def convert(
        self, value: Any, param: click.Parameter | None, context: click.Context | None
    ) -> str:
        if value not in self.choices:
            self.fail(unknown("value", value, self.choices), param, context)
        return str(value)


class ByLayer(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.3 only
    """``8`` for the whole network, or ``conv1=8`` for one layer: (layer or "", number)."""

    name = "[LAYER=]N"

    def convert(
        self, value: Any, param: click.Parameter | None, context: click.Context | None
    ) -> tuple[str, int]:
        if isinstance(value, tuple):
            return value
        layer, _, number = str(value).rpartition("=")
        try:
            count = int(number)
        except ValueError:
            self.fail(f"{value!r} is neither a number nor LAYER=number", param, context)
        if count < 1:
            self.fail(f"must be at least 1, not {count}", param, context)
        return layer, count


class Numbers(click.ParamType):  # type: ignore[type-arg]
    """Numbers separated by commas: ``0.485,0.456,0.406``."""

    name = "X[,X…]"

    def convert(
        self, value: Any, param: click.Parameter | None, context: click.Context | None
    ) -> tuple[float, ...]:
        if isinstance(value, tuple):
            return value
        try:
            return tuple(float(part) for part in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r} is not a list of numbers such as 0.5,0.25", param, context)


class Fraction(click.ParamType):  # type: ignore[type-arg]
    """A number, also as a fraction: ``1/255``."""

    name = "X or X/Y"

    def convert(
        self, value: Any, param: click.Parameter | None, context: click.Context | None
    ) -> float:
        if isinstance(value, float):
            return value
        above, _, below = str(value).partition("/")
        try:
            return float(above) / float(below or 1)
        except (ValueError, ZeroDivisionError):
            self.fail(f"{value!r} is not a number such as 0.5 or 1/255", param, context)


class Rate(click.ParamType):  # type: ignore[type-arg]
    """Results per second, or the word ``max``."""

    name = "N or max"

    def convert(
        self, value: Any, param: click.Parameter | None, context: click.Context | None
    ) -> float | str:
        if value == "max":
            return "max"
        try:
            return float(value)
        except ValueError:
            self.fail(
                f"{value!r} is neither a number of results per second nor max", param, context
            )


def by_layer(
    values: Sequence[tuple[str, int]], *, option: str, layers: Sequence[str] | None = None
) -> tuple[int | None, Mapping[str, int]]:
    """Split the values of a repeated :class:`ByLayer` option into a default and those per layer.

    Raises :class:`click.UsageError` for two numbers for the whole network, and for an unknown layer
    if the names of the network's ``layers`` are known already.
    """
    default: int | None = None
    named: dict[str, int] = {}
    for layer, number in values:
        if layer and layers is not None and layer not in layers:
            raise click.UsageError(f"{option}: {unknown('layer', layer, layers)}")
        if layer:
            named[layer] = number
        elif default is not None:
            raise click.UsageError(
                f"{option} is given twice for the whole network: {default} and {number}"
            )
        else:
            default = number
    return default, named
