"""Caches of hwgen and of its tools: the user's folder, or another where that cannot be written."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

_NAMES = ("hwgen", "YoWASP", "wasmtime")
"""Folders of hwgen, of pip's yosys and nextpnr, and of Amaranth's yosys."""


def folder() -> Path | None:
    """Folder of hwgen's cache; None if no folder can be written."""
    changed = environment()
    cache = changed.get("XDG_CACHE_HOME") or _usual()
    return Path(cache) / "hwgen" if changed or _is_usable(Path(cache)) else None


def environment() -> dict[str, str]:
    """Changes of the environment with which tools find a cache that they can write.

    Empty if they can write the usual one. In a container, the home folder may be missing or
    read-only; the cache is then a folder of the user's own in the temporary folder.
    """
    if _is_usable(Path(_usual())):
        return {}
    with suppress(OSError):
        private = Path(tempfile.gettempdir()) / f"hwgen-cache-{os.getuid()}"
        private.mkdir(mode=0o700, exist_ok=True)
        found = private.lstat()
        # Others may write the temporary folder, and a cache holds code.
        if (found.st_uid, stat.S_IMODE(found.st_mode) & 0o077) != (os.getuid(), 0) or (
            not stat.S_ISDIR(found.st_mode)
        ):
            private = Path(tempfile.mkdtemp(prefix="hwgen-cache-"))
        changed = {"XDG_CACHE_HOME": str(private)}
        if not os.path.isabs(os.path.expanduser("~")):
            changed["HOME"] = str(private)
        return changed
    return {}


def _usual() -> str:
    return os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")


def _is_usable(cache: Path) -> bool:
    """Whether each of the folders in ``cache`` can be written, or made."""
    return cache.is_absolute() and all(_is_writable(cache / name) for name in _NAMES)


def _is_writable(path: Path) -> bool:
    with suppress(OSError):
        existing = next(place for place in (path, *path.parents) if place.exists())
        return existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)
    return False
