"""Every loader on mutated files: a valid object or one line, never a traceback or a hang."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks import loader_fuzz
from benchmarks.loader_cases import LOADERS
from benchmarks.loader_fuzz import Loader, fuzz
from hwgen.errors import HwgenError

BY_NAME = {loader.name: loader for loader in LOADERS}


@pytest.mark.parametrize("name", BY_NAME)
def test_mutations_are_refused_or_read(name: str) -> None:
    check(BY_NAME[name], mutations=25)


@pytest.mark.slow
@pytest.mark.parametrize("name", BY_NAME)
def test_thousands_of_mutations_are_refused_or_read(name: str) -> None:
    check(BY_NAME[name], mutations=5_000)


def check(loader: Loader, *, mutations: int) -> None:
    outcome = fuzz(loader, mutations)
    assert outcome.failures == []
    assert outcome.tracebacks == outcome.hangs == 0
    assert outcome.tried >= 0.9 * mutations
    assert outcome.tried == outcome.refused + outcome.same + outcome.different
    assert outcome.refused > outcome.tried / 3


def failing(error: BaseException) -> Loader:
    """A loader that fails in this way on most mutations of its text."""

    def make(folder: Path) -> None:
        (folder / "file").write_bytes(b"valid")

    def read(folder: Path) -> Any:
        if (folder / "file").read_bytes() != b"valid":
            raise error
        return "valid"

    return Loader(name="failing", file="file", make=make, read=read)


@pytest.mark.parametrize(
    ("error", "found"),
    [
        (HwgenError("file: one line"), "refused"),
        (HwgenError("file:\ntwo lines"), "tracebacks"),
        (HwgenError("x" * 10_000), "tracebacks"),
        (KeyError("name"), "tracebacks"),
        (RecursionError("deep"), "tracebacks"),
        (MemoryError(), "tracebacks"),
    ],
)
def test_failures_are_told_apart(error: BaseException, found: str) -> None:
    outcome = fuzz(failing(error), 30)
    assert getattr(outcome, found) > 20
    assert bool(outcome.failures) == (found != "refused")


def test_a_hang_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader_fuzz, "HANG", 0.02)
    loader = failing(HwgenError("x"))

    def read(folder: Path) -> Any:
        changed = (folder / "file").read_bytes() != b"valid"
        while changed:  # with no file open, which the alarm would leave so
            time.sleep(0)
        return "valid"

    outcome = fuzz(replace(loader, read=read), 5)
    assert outcome.hangs >= 3
    assert outcome.failures[0].startswith("hang of ('bytes', ")
