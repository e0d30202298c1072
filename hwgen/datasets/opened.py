"""Regular files of bounded size: what a loader may open, and how much it may take of memory."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from hwgen.errors import DataError
from hwgen.reading import ReadingError, one_line
from hwgen.reading.files import open_regular

MAX_BYTES = 4 << 30
"""Largest file that is opened, and largest array that is made of it."""


@contextmanager
def refused(where: object) -> Iterator[None]:
    """Give the place of what cannot be read, as a :class:`.DataError`."""
    try:
        yield
    except ReadingError as error:
        raise DataError(f"{one_line(where)}: {error}") from error


@contextmanager
def open_data(path: Path) -> Iterator[BinaryIO]:
    """Open a regular file of at most ``MAX_BYTES``; never waits for a pipe or a device.

    Raises :class:`.DataError` for anything else.
    """
    with refused(path), open_regular(path, limit=MAX_BYTES) as file:
        yield file


def is_folder(path: Path) -> bool:
    """Whether ``path`` is a folder; raises :class:`.DataError` if there is nothing."""
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file or folder") from None
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error


def entries(folder: Path) -> list[Path]:
    """Entries of a folder that can be reached, by name."""
    try:
        return sorted(folder.iterdir(), key=lambda path: path.name)
    except OSError as error:
        raise unreadable(folder, error) from error


def unreadable(path: Path, error: Exception) -> DataError:
    """The error for a path that the operating system refuses."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else "no such path"
    return DataError(f"{path}: cannot be read: {reason}")


def quoted(names: Iterator[str] | list[str] | tuple[str, ...]) -> str:
    """Names out of a file, as they may be printed: quoted, escaped, and not too many."""
    shown = [ascii(name if len(name) <= 40 else f"{name[:37]}...") for name in names]
    more = [f"{len(shown) - 8} more"] if len(shown) > 8 else []
    return ", ".join(shown[:8] + more) or "nothing"
