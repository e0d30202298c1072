"""Claims of places on disk: one process at a time writes a folder.

A claim is a lock of the kernel on the folder itself (``flock``): it leaves no file behind, and it
ends with the process that holds it, however that dies.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shlex
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from types import MappingProxyType

from hwgen.errors import StorageError

_SUFFIX = ".hwgen-new"
_NAME_MAX = 255  # bytes of a file name, on every usual file system
_UNSUPPORTED = {errno.ENOTSUP, errno.ENOLCK, errno.EBADF, errno.EINVAL, errno.ENOSYS}

# Claims of this thread: the folder, and the one beside it.
_CLAIMS: ContextVar[Mapping[Path, Path]] = ContextVar("_CLAIMS", default=MappingProxyType({}))


def beside(target: Path, suffix: str = _SUFFIX) -> Path:
    """Hidden place of what is to become ``target``: in the same folder, so that it can be renamed.

    It always has the same name, so that the next process finds what a killed one left there.
    """
    name = f".{target.name}{suffix}"
    if len(os.fsencode(name)) > _NAME_MAX:
        digest = hashlib.sha256(os.fsencode(target.name)).hexdigest()
        name = f".{digest[:32]}{suffix}"
    return target.with_name(name)


@contextmanager
def claimed(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Claim the folder ``path``, and give an empty folder beside it that may become it.

    Parents of ``path`` are made, and removed again if nothing came to be there. What a killed
    process left beside ``path`` is removed. Within a claim, the same thread may claim again.

    Raises :class:`.StorageError` if another process has claimed ``path`` or uses it, or if it
    cannot be written.
    """
    target = Path(os.path.realpath(path))
    fresh = beside(target)
    claims = _CLAIMS.get()
    if target in claims:
        with storage_errors(path):
            _empty(fresh)
        yield fresh
        return
    with ExitStack() as stack:
        with storage_errors(path):
            stack.callback(_remove_empty, _make_parents(target), target)
            held = _lock(stack, target, fcntl.LOCK_EX, shown=path)
            restore(target)
            while not _lock(stack, _made(fresh), fcntl.LOCK_EX, shown=path):
                pass  # another process ended and removed it
            stack.callback(shutil.rmtree, fresh, ignore_errors=True)
            if not held:  # another process may have made it in between
                _lock(stack, target, fcntl.LOCK_EX, shown=path)
            _empty(fresh)
        token = _CLAIMS.set({**claims, target: fresh})
        stack.callback(_CLAIMS.reset, token)
        yield fresh


@contextmanager
def in_use(folder: str | os.PathLike[str]) -> Iterator[None]:
    """Hold off other processes that would replace ``folder``; any number may use it together.

    Raises :class:`.StorageError` if another process is about to replace it.
    """
    target = Path(os.path.realpath(folder))
    if target in _CLAIMS.get():
        yield
        return
    with ExitStack() as stack:
        restore(target)
        with storage_errors(folder):
            _lock(stack, target, fcntl.LOCK_SH, shown=folder)
        clean(target)
        yield


def clean(target: Path) -> None:
    """Remove what killed processes left beside ``target`` and in it; restore ``target`` itself."""
    restore(target)
    left = [beside(target)]
    with suppress(OSError):
        left += target.glob(f".*{_SUFFIX}")
    for path in left:
        with suppress(OSError, StorageError), ExitStack() as stack:
            if not _lock(stack, path, fcntl.LOCK_EX, shown=path):
                continue
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink()


def is_left_over(name: str) -> bool:
    """Whether a killed process may have left the file or folder ``name``."""
    return name.startswith(".") and name.endswith(_SUFFIX)


def restore(target: Path) -> None:
    """Undo half a replacement, where the file system cannot exchange two folders at once."""
    old = beside(target, ".hwgen-old")
    with suppress(OSError):
        if old.exists():
            if target.exists():
                shutil.rmtree(old)
            else:
                old.rename(target)


@contextmanager
def storage_errors(path: str | os.PathLike[str]) -> Iterator[None]:
    """Make a :class:`.StorageError` that names ``path`` of every :class:`OSError`."""
    try:
        yield
    except OSError as error:
        raise StorageError(f"{os.fspath(path)}: cannot be written: {error}") from error


def _lock(stack: ExitStack, path: Path, kind: int, *, shown: str | os.PathLike[str]) -> bool:
    """Hold the lock of ``path`` until the stack unwinds; False if there is no such path."""
    while True:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
        except FileNotFoundError:
            return False
        stack.callback(os.close, descriptor)
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StorageError(
                f"{os.fspath(shown)}: in use by {_holder(descriptor)}; wait for its end, or give "
                f"another path"
            ) from None
        except OSError as error:
            if error.errno not in _UNSUPPORTED:
                raise
        if same_file(descriptor, path):  # else it was replaced or removed in between
            return True


def same_file(descriptor: int, path: Path) -> bool:
    """Whether an open file is still the one called ``path``."""
    opened = os.fstat(descriptor)
    try:
        there = path.stat(follow_symlinks=False)
    except FileNotFoundError:
        return False
    return (opened.st_dev, opened.st_ino) == (there.st_dev, there.st_ino)


def _holder(descriptor: int) -> str:
    """``process 123 (hwgen build net)``, as far as the kernel tells."""
    opened = os.fstat(descriptor)
    place = f"{os.major(opened.st_dev):02x}:{os.minor(opened.st_dev):02x}:{opened.st_ino}"
    try:
        locks = [line.split() for line in Path("/proc/locks").read_text("ascii").splitlines()]
        number = next(words[4] for words in locks if words[5] == place and words[1] == "FLOCK")
        words = Path(f"/proc/{int(number)}/cmdline").read_bytes().decode(errors="replace")
    except (OSError, StopIteration, ValueError, IndexError):
        return "another process"
    line = words.rstrip("\0").split("\0")
    start = next((n for n, word in enumerate(line) if Path(word).name == "hwgen"), 0)
    shown = shlex.join(["hwgen", *line[start + 1 :]] if start else line)
    shown = "".join(sign if sign.isprintable() else "?" for sign in shown)
    return f"process {number} ({shown if len(shown) <= 120 else shown[:119] + '…'})"


def _make_parents(target: Path) -> list[Path]:
    """Make the parents of ``target``; gives those that are new, the innermost first."""
    made = [parent for parent in target.parents if not parent.exists()]
    target.parent.mkdir(parents=True, exist_ok=True)
    return made


def _remove_empty(made: list[Path], target: Path) -> None:
    with suppress(OSError):
        if not target.exists():
            for parent in made:
                parent.rmdir()


def _made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder


def _empty(folder: Path) -> None:
    for entry in list(_made(folder).iterdir()):
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
