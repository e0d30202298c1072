"""Keeps the compiled run-time library of Verilator, the same for every core, between builds."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import time
from pathlib import Path

from hwgen.simulation.tools import environment, versions

_LIBRARY = "verilated*.o"


def fetch(folder: Path, *, waves: bool) -> None:
    """Copy the library's objects into a folder of Verilator's, if they are kept."""
    # make holds them to be older than the makefile that is about to be written, unless told so.
    later = time.time() + 3600
    for kept in _place(waves).glob(_LIBRARY):
        shutil.copyfile(kept, folder / kept.name)
        os.utime(folder / kept.name, (later, later))


def store(folder: Path, *, waves: bool) -> None:
    """Keep the library's objects that a build made; quietly not where there is no room for them."""
    place = _place(waves)
    if place.is_dir():
        return
    with contextlib.suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent) as temporary:
            whole = Path(temporary) / "objects"
            whole.mkdir()
            for made in folder.glob(_LIBRARY):
                shutil.copyfile(made, whole / made.name)
            whole.rename(place)


def _place(waves: bool) -> Path:
    key = json.dumps([versions("verilator"), environment()["MAKEFLAGS"], waves])
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "hwgen" / f"verilator-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
