"""The user's cache: compiled simulators and Verilator's library, by the hash of what made them.

A build folder may come from somebody else, so nothing in it is run. What is kept lies where only
this user can write: ``HWGEN_CACHE``, or the folder of :mod:`hwgen.caches`, and without them a
temporary folder of this process.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from hwgen import caches

KEPT = 64
"""Compiled simulators that are kept, those used last."""
_DAY_S = 86_400
_NEW, _SIMULATOR = "new-", "simulator-"


def root() -> Path:
    """Folder of the cache, which nobody else can write."""
    for folder in _choices():
        if _is_private(folder):
            return folder
    return _temporary()


def _choices() -> Iterator[Path]:
    if named := os.environ.get("HWGEN_CACHE"):
        yield Path(named).absolute()
    if usual := caches.folder():
        yield usual


def _is_private(folder: Path) -> bool:
    """Whether the folder is there, or can be made, as one that this user alone writes."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.stat()
    except OSError:
        return False
    ours = status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return ours and os.access(folder, os.W_OK | os.X_OK)


@cache
def _temporary() -> Path:
    folder = tempfile.mkdtemp(prefix="hwgen-cache-")  # only its owner may enter
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def fetch_simulator(key: str, product: Path) -> bool:
    """Copy the simulator with this key to ``product``; False if there is none."""
    entry = root() / f"{_SIMULATOR}{key}"
    try:
        shutil.copy(entry / product.name, product)
        os.utime(entry)
    except OSError:
        product.unlink(missing_ok=True)
        return False
    return True


def store_simulator(key: str, made: Path) -> None:
    """Keep the simulator ``made`` under its key, and forget those that were not used for long."""
    put(f"{_SIMULATOR}{key}", [made])
    with contextlib.suppress(OSError):
        kept = sorted(root().glob(f"{_SIMULATOR}*"), key=lambda entry: -entry.stat().st_mtime)
        of_killed = [
            entry
            for entry in root().glob(f"{_NEW}*")
            if time.time() - entry.stat().st_mtime > _DAY_S
        ]
        for entry in (*kept[KEPT:], *of_killed):
            shutil.rmtree(entry, ignore_errors=True)


def put(name: str, files: list[Path]) -> None:
    """Copy ``files`` into the entry ``name``, whole or not at all, if the cache can be written."""
    entry = root() / name
    if entry.is_dir():
        return
    with (
        contextlib.suppress(OSError),
        tempfile.TemporaryDirectory(dir=root(), prefix=_NEW) as temporary,
    ):
        whole = Path(temporary) / "entry"
        whole.mkdir()
        for file in files:
            shutil.copy(file, whole / file.name)
        whole.rename(entry)
