"""Writes a folder or a file completely or not at all."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hwgen.artefact.claim import beside, claimed, same_file, storage_errors

_CANNOT_EXCHANGE = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP}
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2  # <fcntl.h>, <linux/fs.h>


@contextmanager
def replace_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A new, empty folder beside ``path``, which takes its place when the block ends.

    Parent folders are made. A folder at ``path`` is replaced, together with all that it holds; the
    caller checks beforehand that it may be. After an error in the block, or if the new folder
    cannot be moved, ``path`` is as it was before and nothing is left beside it. A process that is
    killed leaves ``path`` as it was or as it was to become; what else it leaves, the next removes.

    Raises :class:`.StorageError` for an :class:`OSError` of the block or of the move, or if another
    process has claimed ``path`` (:func:`.claimed`).
    """
    with claimed(path) as fresh, storage_errors(path):
        yield fresh
        move_over(fresh, Path(os.path.realpath(path)))


def move_over(fresh: Path, target: Path) -> None:
    """Give the folder ``fresh`` the name ``target``, and remove what had that name."""
    if not target.exists():
        fresh.rename(target)
        return
    try:
        _exchange(fresh, target)
        old = fresh
    except OSError as error:
        if error.errno not in _CANNOT_EXCHANGE:
            raise
        old = beside(target, ".hwgen-old")
        target.rename(old)
        try:
            fresh.rename(target)
        except BaseException:
            old.rename(target)
            raise
    shutil.rmtree(old, ignore_errors=True)


def replace_file(path: str | os.PathLike[str], content: str | bytes) -> None:
    """Write ``content``, text as UTF-8, to the file ``path``; an earlier file is replaced.

    Raises :class:`.StorageError` if it cannot be written; an earlier file is as it was before.
    """
    target = Path(os.path.realpath(path))
    data = content.encode() if isinstance(content, str) else content
    with storage_errors(path), _own_file(beside(target)) as (fresh, descriptor):
        os.truncate(descriptor, 0)  # left by a killed process
        with open(descriptor, "wb", closefd=False) as file:
            file.write(data)
        fresh.replace(target)


def link_or_copy(source: str | os.PathLike[str], target: str | os.PathLike[str]) -> None:
    """Give a file a second name, or copy it where the file system or its owner forbids that."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


@contextmanager
def _own_file(path: Path) -> Iterator[tuple[Path, int]]:
    """A file that this process alone writes; others wait for it."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
        try:
            with suppress(OSError):  # not every file system has locks
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            if not same_file(descriptor, path):
                continue
            try:
                yield path, descriptor
            except BaseException:
                path.unlink(missing_ok=True)
                raise
            return
        finally:
            os.close(descriptor)


def _exchange(one: Path, other: Path) -> None:
    """Exchange two names at once; raises :class:`OSError`, also where that is not possible."""
    library = ctypes.CDLL(None, use_errno=True)
    try:
        rename = library.renameat2
    except AttributeError:  # another libc, or another system
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS)) from None
    names = os.fsencode(one), os.fsencode(other)
    if rename(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(other))
