"""The mutations: one line in a file of ``lists/`` each, and how a line changes its source file."""

from __future__ import annotations

from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

LISTS = Path(__file__).with_name("lists")


class StaleError(Exception):
    """The text that a mutation replaces is not in its file exactly once."""


@dataclass(frozen=True, kw_only=True)
class Mutation:
    """A change of one place in the source that the named tests have to notice.

    Parameters
    ----------
    name : str
        What the change breaks, in a few words; unique.
    file : str
        File below the root of the checkout.
    old, new : str
        Text that occurs exactly once in the file, and its replacement.
    tests : str
        Files below ``tests/``, or tests of one (``golden/test_pool.py::test_race_by_hand``),
        separated by blanks.
    after : str
        Text that occurs exactly once; ``old`` is then the first one behind it.
    hang : int
        The tests may never end. Past this multiple of their usual time the mutation counts as
        killed; 0 if they must end.
    equivalent : str
        Why no test can notice the change; empty for all others.
    """

    name: str
    file: str
    old: str
    new: str
    tests: str
    after: str = ""
    hang: int = 0
    equivalent: str = ""

    @property
    def selection(self) -> tuple[str, ...]:
        """Arguments of pytest, from the root of the checkout."""
        return tuple(f"tests/{test}" for test in self.tests.split())

    @property
    def group(self) -> str:
        """The folder that the mutation is in, at most two levels deep."""
        return "/".join(self.file.split("/")[:-1][:2])

    def matches(self, pattern: str) -> bool:
        """Whether a name or a file, or a glob of either, means this mutation."""
        return any(fnmatchcase(text, pattern) for text in (self.name, self.file))

    def apply(self, source: str) -> str:
        """The mutated source; raises StaleError if the place is not there, or is ambiguous."""
        start = 0
        if self.after:
            self._require_once(source, self.after, "after")
            start = source.index(self.after) + len(self.after)
            if self.old not in source[start:]:
                raise StaleError(f"{self.file} does not contain {self.old!r} behind {self.after!r}")
        else:
            self._require_once(source, self.old, "old")
        if self.old == self.new:
            raise StaleError(f"the new text is the old one: {self.old!r}")
        return source[:start] + source[start:].replace(self.old, self.new, 1)

    def _require_once(self, source: str, text: str, what: str) -> None:
        if (count := source.count(text)) != 1:
            raise StaleError(f"{self.file} contains {what}: {text!r} {count} times instead of once")


def load(folder: Path = LISTS) -> list[Mutation]:
    """All mutations of the lists in a folder; a line that has a wrong key or type is named."""
    return [
        _mutation(line, f"{path.name}, entry {number}")
        for path in sorted(folder.glob("*.yaml"))
        for number, line in enumerate(yaml.safe_load(path.read_text(encoding="utf-8")), 1)
    ]


def _mutation(line: Any, where: str) -> Mutation:
    kinds = {item.name: int if item.name == "hang" else str for item in fields(Mutation)}
    if not isinstance(line, dict) or not {"name", "file", "old", "new", "tests"} <= line.keys():
        raise ValueError(f"{where}: needs name, file, old, new and tests, but is {line!r}")
    for key, value in line.items():
        if key not in kinds or not isinstance(value, kinds[key]):
            known = ", ".join(kinds)
            raise ValueError(f"{where}: {key}: {value!r} is not legal; quote text; keys: {known}")
    return Mutation(**line)
