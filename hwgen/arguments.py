"""Checks of the arguments that users pass: the message names argument, rule, value and remedy."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path

from hwgen.errors import HwgenError


def require_integer(
    name: str, value: object, low: int, high: int | None = None, *, error: type[HwgenError]
) -> None:
    """Raise ``error`` unless ``value`` is an integer of at least ``low`` and at most ``high``."""
    rule = f"of at least {low}" if high is None else f"from {low} to {high}"
    if (
        not isinstance(value, int)
        or isinstance(value, bool)
        or not low <= value <= (math.inf if high is None else high)
    ):
        raise error(f"{name} must be an integer {rule}, not {value!r}")


def require_number(
    name: str, value: object, rule: str, holds: Callable[[float], bool], *, error: type[HwgenError]
) -> None:
    """Raise ``error`` unless ``value`` is a number that ``holds`` accepts; ``rule`` says it."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not holds(value):  # type: ignore[arg-type]
        raise error(f"{name} must be a number {rule}, not {value!r}")


def require_type(
    name: str, value: object, kind: type, remedy: str, *, error: type[HwgenError]
) -> None:
    """Raise ``error`` with a ``remedy`` unless ``value`` is of type ``kind``."""
    if not isinstance(value, kind):
        raise error(f"{name} must be a {kind.__name__}, not {type(value).__name__}; {remedy}")


def require_path(name: str, value: object, *, error: type[HwgenError]) -> Path:
    """``value`` as a path; raises ``error`` unless it is a string or an ``os.PathLike`` of one."""
    path = value.__fspath__() if isinstance(value, os.PathLike) else value
    if not isinstance(path, str):
        raise error(f"{name} must be a str or an os.PathLike, not {value!r}; pass a path")
    return Path(path)
