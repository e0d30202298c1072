"""The values that ``network.yaml`` can hold, and that come back as they were."""

from __future__ import annotations

import math
from typing import Any

from hwgen.errors import ArtefactError
from hwgen.reading import one_line
from hwgen.reading.plain_yaml import DEPTH, NUMBER


def as_plain(value: Any, *, where: str, depth: int = 0) -> Any:
    """A copy made of None, bool, int, finite float, str, list and dict: files keep these exactly.

    Tuples become lists. Anything else, text that no file can hold, and nesting deeper than a reader
    goes raise :class:`.ArtefactError` with the place.
    """
    if depth == DEPTH and isinstance(value, dict | list | tuple):
        raise _refused(where, f"is nested deeper than {DEPTH} levels; leave it out")
    if isinstance(value, dict):
        for key in value:
            if type(key) is not str:
                raise _refused(where, f"key {key!r} must be a string; convert it with str()")
            _require_text(key, where)
        return {
            key: as_plain(item, where=f"{where}.{key}", depth=depth + 1)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [
            as_plain(item, where=f"{where}[{index}]", depth=depth + 1)
            for index, item in enumerate(value)
        ]
    if type(value) is str:
        _require_text(value, where)
    elif type(value) is float and not math.isfinite(value):
        raise _refused(where, f"must be a finite number, not {value}; leave it out")
    elif type(value) is int and abs(value) >= 10 ** (NUMBER - 1):
        raise _refused(where, f"must have fewer than {NUMBER} digits; write it as a string")
    if value is None or type(value) in (bool, int, float, str):
        return value
    raise _refused(
        where,
        f"{type(value).__module__}.{type(value).__name__} is not a plain value; convert it to a "
        f"Python number, string, list or dict (`.item()`, `.tolist()`)",
    )


def sizes(value: Any) -> tuple[int, int]:
    """Values, keys among them, and characters of a plain value; writing many takes minutes."""
    parts: list[Any] = []
    if isinstance(value, dict):
        parts = [*value.keys(), *value.values()]
    elif isinstance(value, list):
        parts = value
    inside = [sizes(part) for part in parts]
    length = len(value) if isinstance(value, str) else 0
    return 1 + sum(count for count, _ in inside), length + sum(many for _, many in inside)


def _require_text(text: str, where: str) -> None:
    if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise _refused(
            where,
            f"{text!r} holds half of a surrogate pair, which is no character; decode it again, "
            f"with errors='replace'",
        )


def _refused(where: str, reason: str) -> ArtefactError:
    return ArtefactError(one_line(f"{where}: {reason}"))
