"""Warnings and notes, recorded in provenance and shown at the user's line.

A *warning*: a result is probably not what was wanted. A *note*: hwgen decided something that is
worth knowing. Both are Python warnings, and the command line prints each as a line::

    warn("labels go from 1 to 10, but the classes are 0 to 9; subtract 1")
    note("output: the sigmoid is dropped; the logits order the classes alike")

Inside of a function with :func:`recorded`, such as ``hwgen.convert``, they are also recorded, and
its argument ``strict`` makes errors of warnings.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import wraps
from typing import ParamSpec, TypeVar

from hwgen.errors import HwgenError, HwgenNote, HwgenWarning

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Record:
    """Messages of one call, in their order, each once."""

    strict: type[HwgenError] | None = None  # error that a warning becomes
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


_CURRENT: ContextVar[Record | None] = ContextVar("_CURRENT", default=None)


def recorded(*, error: type[HwgenError]) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Decorator: each call has a record; with ``strict=True`` its first warning is an ``error``."""

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        @wraps(function)
        def call(*args: P.args, **options: P.kwargs) -> T:
            token = _CURRENT.set(Record(strict=error if options.get("strict") else None))
            try:
                return function(*args, **options)
            finally:
                _CURRENT.reset(token)

        return call

    return decorate


def record() -> Record:
    """What the current call of a recorded function has said so far."""
    return _CURRENT.get() or Record()


def warn(message: str) -> None:
    """Warn that a result is probably not what was wanted: place, value and remedy."""
    current = record()
    if current.strict is not None:
        raise current.strict(message)
    _give(message, HwgenWarning, current.warnings)


def note(message: str) -> None:
    """Say what hwgen decided; ``strict`` does not make an error of it."""
    _give(message, HwgenNote, record().notes)


def _give(message: str, category: type[Warning], said: list[str]) -> None:
    if message not in said:
        said.append(message)
        warnings.warn(message, category, stacklevel=_level_of_user())


def _level_of_user() -> int:
    """Stack level, seen from :func:`_give`, of the first caller outside of hwgen."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("hwgen."):
        level, frame = level + 1, frame.f_back
    return level
