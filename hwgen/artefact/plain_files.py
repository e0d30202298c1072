"""Files of a folder that somebody else may have made: regular ones, bounded, never behind a link.

Whoever reads a folder calls :func:`require_plain_folder` first. From then on no path below it leads
elsewhere, so that nothing outside is read, replaced or removed, and no reader waits for a pipe.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from hwgen.errors import ArtefactError
from hwgen.reading import ReadingError, one_line, read_bytes
from hwgen.reading.files import kind_of, open_regular

FILE_BYTES = 1 << 30
"""Greatest size of a file that is hashed."""
JSON_BYTES = 1 << 25
JSON_VALUES = 1_000_000
JSON_DEPTH = 40
MAX_DEPTH = 16
"""Folders within folders of a build folder; hwgen makes four at most."""
_INTEGERS = 1 << 63


def require_plain_folder(folder: Path) -> None:
    """Raise :class:`.ArtefactError` unless all that lies below ``folder`` is a folder or a file.

    ``folder`` itself may be a link: it is what the user named.
    """
    waiting = [(folder, 0)]
    while waiting:
        parent, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise ArtefactError(f"{folder}: has folders more than {MAX_DEPTH} deep; remove them")
        try:
            with os.scandir(parent) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append((parent / entry.name, depth + 1))
                    elif not entry.is_file(follow_symlinks=False):
                        _refuse(parent / entry.name)
        except FileNotFoundError:
            continue  # another command removed it
        except OSError as error:
            raise ArtefactError(f"{parent}: cannot be read: {error.strerror}") from error


def require_no_link(path: Path, *, below: Path) -> None:
    """Raise :class:`.ArtefactError` if ``path`` or a folder between it and ``below`` is a link."""
    while path != below:
        if path.is_symlink():
            _refuse(path)
        path = path.parent


def _refuse(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        kind = kind_of(path.lstat().st_mode)
        raise ArtefactError(
            f"{path} is {kind}; a folder that hwgen reads may hold plain files and folders only: "
            f"remove it, or put a copy of the file in its place"
        )


@contextlib.contextmanager
def open_plain(path: Path, *, limit: int) -> Iterator[BinaryIO]:
    """The regular file ``path`` of at most ``limit`` bytes, opened for reading.

    Raises :class:`FileNotFoundError`, and :class:`.ArtefactError` for anything else.
    """
    with _refused(path), open_regular(path, limit=limit, links=False) as file:
        yield file


def read_plain(path: Path, *, limit: int = FILE_BYTES) -> bytes:
    """Content of a file; raises as :func:`open_plain`."""
    with _refused(path):
        return read_bytes(path, limit=limit, links=False)


@contextlib.contextmanager
def _refused(path: Path) -> Iterator[None]:
    try:
        yield
    except ReadingError as error:
        if error.missing:
            raise FileNotFoundError(errno.ENOENT, str(error), str(path)) from error
        raise ArtefactError(f"{one_line(path)}: {error}") from error


def sha256(path: Path) -> str:
    """SHA-256 of a file; raises as :func:`open_plain`."""
    with open_plain(path, limit=FILE_BYTES) as file:
        digest = hashlib.sha256()
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def hash_files(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below ``folder``, by its relative name."""
    return {
        file.relative_to(folder).as_posix(): sha256(file)
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def read_json(path: Path, *, limit: int = JSON_BYTES) -> bytes:
    """Text of a JSON file whose parser and readers need little memory and time.

    Raises as :func:`open_plain`, and :class:`ValueError` with what is wrong with the text.
    """
    text = read_plain(path, limit=limit)
    try:
        waiting = [(json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant), 0)]
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    except ValueError as error:
        raise ValueError(f"Invalid JSON: {error}") from error
    values = 0
    while waiting:
        value, depth = waiting.pop()
        values += 1
        if values > JSON_VALUES:
            raise ValueError(f"it has more than {JSON_VALUES:,} values")
        if depth > JSON_DEPTH:
            raise ValueError("it is nested too deeply")
        if isinstance(value, int) and not -_INTEGERS <= value < _INTEGERS:
            raise ValueError("it has an integer of more than 64 bits")
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError("it has a number that is infinite")
        if isinstance(value, dict | list):
            inner = value.values() if isinstance(value, dict) else value
            waiting += [(one, depth + 1) for one in inner]
    return text


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
