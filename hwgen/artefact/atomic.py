"""Writes a folder or a file completely or not at all."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hwgen.errors import ArtefactError


@contextmanager
def replace_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A new, empty folder beside ``path``, which takes its place when the block ends.

    Parent folders are made. A folder at ``path`` is replaced, together with all that it holds; the
    caller checks beforehand that it may be. After an error in the block, or if the new folder
    cannot be moved, ``path`` is as it was before and nothing is left beside it.

    Raises :class:`.ArtefactError` for an :class:`OSError` of the block or of the move.
    """
    target = Path(os.path.realpath(path))
    fresh, old = (_beside(target, end) for end in ("new", "old"))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh.mkdir()
        yield fresh
        if target.exists():
            target.rename(old)
        try:
            fresh.rename(target)
        except BaseException:
            if old.exists():
                old.rename(target)
            raise
    except OSError as error:
        raise ArtefactError(f"{path}: cannot be written: {error}") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        if target.exists():  # else the roll-back failed too: keep the only copy
            shutil.rmtree(old, ignore_errors=True)


def replace_file(path: str | os.PathLike[str], content: str | bytes) -> None:
    """Write ``content``, text as UTF-8, to the file ``path``; an earlier file is replaced.

    Raises :class:`.ArtefactError` if it cannot be written; an earlier file is as it was before.
    """
    target = Path(os.path.realpath(path))
    fresh = _beside(target, "new")
    try:
        fresh.write_bytes(content.encode() if isinstance(content, str) else content)
        fresh.replace(target)
    except OSError as error:
        raise ArtefactError(f"{path}: cannot be written: {error}") from error
    finally:
        fresh.unlink(missing_ok=True)


def _beside(target: Path, end: str) -> Path:
    """A hidden name of its own: in the same folder, so that a rename never copies."""
    return target.with_name(f".{target.name}.{os.getpid()}.{uuid.uuid4().hex[:8]}.{end}")
