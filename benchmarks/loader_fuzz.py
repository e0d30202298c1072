"""Reads mutations of a valid file and counts what becomes of them."""

from __future__ import annotations

import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings

from benchmarks.mutations import changed_bytes, changed_tree
from hwgen.errors import HwgenError

HANG = 30.0  # seconds after which a reading counts as one
LONGEST = 1_500  # characters of a message


class HangError(BaseException):
    """A reading took longer than HANG."""


@dataclass(frozen=True, kw_only=True)
class Loader:
    """A file that is mutated and read.

    Parameters
    ----------
    name : name in the table
    file : the file that is mutated, in the folder that ``make`` fills with valid files
    read : reads the folder
    meaning : what two equal readings have in common, by ``==``
    parse, write : the value of the file, and the file of a value; None: bytes only
    """

    name: str
    file: str
    make: Callable[[Path], None]
    read: Callable[[Path], Any]
    meaning: Callable[[Any], Any] = repr
    parse: Callable[[Path], Any] | None = None
    write: Callable[[Path, Any], None] | None = None


@dataclass(kw_only=True)
class Outcome:
    """Counts of one loader; ``failures`` are descriptions of what must not happen."""

    tried: int = 0
    refused: int = 0
    same: int = 0
    different: int = 0
    tracebacks: int = 0
    hangs: int = 0
    seconds: float = 0.0
    failures: list[str] = field(default_factory=list)


def fuzz(loader: Loader, mutations: int) -> Outcome:
    """Read ``mutations`` mutations of a valid file, the same ones in every run."""
    outcome = Outcome()
    with tempfile.TemporaryDirectory() as name:
        valid, folder = Path(name) / "valid", Path(name) / "mutated"
        valid.mkdir()
        loader.make(valid)
        meaning = loader.meaning(loader.read(valid))
        content = (valid / loader.file).read_bytes()
        changes = changed_bytes(content).map(lambda data: ("bytes", data))
        if loader.parse is not None:
            trees = changed_tree(loader.parse(valid / loader.file))
            changes |= trees.map(lambda tree: ("tree", tree))

        @settings(
            max_examples=mutations, deadline=None, derandomize=True, database=None,
            suppress_health_check=list(HealthCheck), phases=[Phase.generate],
        )  # fmt: skip
        @given(changes)
        def attempt(change: tuple[str, Any]) -> None:
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(valid, folder)
            kind, value = change
            if kind == "bytes":
                (folder / loader.file).write_bytes(value)
            else:
                assert loader.write is not None
                loader.write(folder / loader.file, value)
            _read(loader, folder, meaning, outcome, change)

        attempt()
    return outcome


def _read(loader: Loader, folder: Path, meaning: Any, outcome: Outcome, change: Any) -> None:
    outcome.tried += 1
    start = time.perf_counter()
    try:
        with _alarm():
            found = loader.meaning(loader.read(folder))
        if found == meaning:
            outcome.same += 1
        else:
            outcome.different += 1
    except HwgenError as error:
        if str(error).isprintable() and len(str(error)) <= LONGEST:
            outcome.refused += 1
        else:
            outcome.tracebacks += 1
            outcome.failures.append(f"message {str(error)[:300]!r} of {str(change)[:600]}")
    except HangError:
        outcome.hangs += 1
        outcome.failures.append(f"hang of {str(change)[:600]}")
    except Exception as error:  # noqa: BLE001  # any other exception is what is looked for
        outcome.tracebacks += 1
        outcome.failures.append(f"{error!r:.300} of {str(change)[:600]}")
    outcome.seconds = max(outcome.seconds, time.perf_counter() - start)


@contextmanager
def _alarm() -> Iterator[None]:
    def ring(*_: object) -> None:
        raise HangError

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, HANG)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
