"""YAML of plain values: mappings with string keys, lists, strings, finite numbers, booleans, null.

Aliases, tags, dates, merges and repeated keys are refused, so that the text bounds the value that
it stands for, and one text has one meaning.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import yaml

from hwgen.reading.files import TEXT_LIMIT, ReadingError, read_text

DEPTH = 40
"""Deepest nesting of lists and mappings."""
NUMBER = 100
"""Characters of a number. Its value then fits a float."""
VALUES = 250_000
"""Scalars, lists and mappings of a text; they take a few seconds."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SCALARS = {f"tag:yaml.org,2002:{name}": name for name in ("null", "bool", "int", "float", "str")}
_BOOLEANS = yaml.SafeLoader.bool_values
_NUMBERS = yaml.constructor.SafeConstructor()
_OPEN = object()  # instead of a key or document that has not come yet


def read_yaml(path: Path, *, limit: int = TEXT_LIMIT, links: bool = True) -> Any:
    """The value of a YAML file; raises :class:`.ReadingError` if it breaks a rule above."""
    return parse_yaml(read_text(path, limit=limit, links=links))


def parse_yaml(text: str) -> Any:
    """The value of a YAML text, of one document."""
    loader = None
    try:
        loader = _LOADER(text)
        return _Builder(loader).build()
    except yaml.MarkedYAMLError as error:
        where = _line(error.problem_mark) if error.problem_mark else ""
        raise ReadingError(f"is not YAML{where}: {error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise ReadingError(f"is not YAML: {str(error).splitlines()[0]}") from error
    finally:
        if loader is not None:
            loader.dispose()


class _Builder:
    """Makes the value from the parser's events, without recursion."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader
        self._open: list[tuple[Any, Any]] = []  # list or mapping, and its key that waits
        self._document: Any = _OPEN
        self._count = 0

    def build(self) -> Any:
        while self._loader.check_event():
            self._take(self._loader.get_event())
        if self._document is _OPEN:
            raise ReadingError("is empty")
        return self._document

    def _take(self, event: Any) -> None:
        if getattr(event, "anchor", None) is not None:
            raise _refused(event, "anchors and aliases are not read; write the value itself")
        if getattr(event, "tag", None) is not None:
            raise _refused(event, f"the tag {event.tag!r} is not read; remove it")
        if isinstance(event, yaml.ScalarEvent):
            self._add(event, _scalar(self._loader, event))
        elif isinstance(event, yaml.CollectionStartEvent):
            if len(self._open) == DEPTH:
                raise _refused(event, f"is nested deeper than {DEPTH} levels")
            if self._open and self._waits_for_key:
                raise _refused(event, "a key must be a string")
            whole: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
            self._add(event, whole)
            self._open.append((whole, _OPEN))
        elif isinstance(event, yaml.CollectionEndEvent):
            self._open.pop()

    @property
    def _waits_for_key(self) -> bool:
        whole, key = self._open[-1]
        return isinstance(whole, dict) and key is _OPEN

    def _add(self, event: Any, value: Any) -> None:
        self._count += 1
        if self._count > VALUES:
            raise _refused(event, f"has more than {VALUES:,} values, the most that are read")
        if not self._open:
            if self._document is not _OPEN:
                raise _refused(event, "a second YAML document begins; keep one in a file")
            self._document = value
            return
        whole, key = self._open[-1]
        if isinstance(whole, list):
            whole.append(value)
        elif key is not _OPEN:
            whole[key] = value
            self._open[-1] = whole, _OPEN
        elif not isinstance(value, str):
            raise _refused(event, f"the key {event.value!r} must be a string; quote it")
        elif value in whole:
            raise _refused(event, f"the key {value!r} is there twice")
        else:
            self._open[-1] = whole, value


def _scalar(loader: Any, event: Any) -> Any:
    text: str = event.value
    if event.implicit[0] and text.isascii() and text.isdigit() and text[0] != "0" and len(text) < 9:
        return int(text)  # by far the most frequent scalar, in a tenth of the time
    kind = _SCALARS.get(loader.resolve(yaml.ScalarNode, text, event.implicit), "")
    if kind == "str":
        return text
    if kind == "null":
        return None
    if kind == "bool":
        return _BOOLEANS[text.lower()]
    if not kind:
        raise _refused(event, f"{text!r} is neither a number nor a string; quote it")
    if len(text) > NUMBER:
        raise _refused(event, f"a number has {len(text):,} characters, at most {NUMBER} are read")
    node = yaml.ScalarNode(f"tag:yaml.org,2002:{kind}", text)
    try:
        number = getattr(_NUMBERS, f"construct_yaml_{kind}")(node)
    except (ValueError, OverflowError):
        raise _refused(event, f"{text!r} is not a number; quote it if it is a string") from None
    if kind == "float" and not math.isfinite(number):
        raise _refused(event, f"a number must be finite, not {text}")
    return number


def _refused(event: Any, reason: str) -> ReadingError:
    return ReadingError(f"{_line(event.start_mark).strip()}: {reason}")


def _line(mark: Any) -> str:
    return f" in line {mark.line + 1}, column {mark.column + 1}"
