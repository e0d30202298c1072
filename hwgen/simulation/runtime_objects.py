"""Cache of Verilator's compiled run-time library, which is the same for every core."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import time
from pathlib import Path

from hwgen.simulation.options import Simulator
from hwgen.simulation.tools import environment, versions

_LIBRARY = "verilated*.o"


def fetch(folder: Path, *, waves: bool) -> None:
    """Copy the cached objects, if any, into Verilator's build folder."""
    # Dated after the makefile that Verilator is about to write, or make would build them again.
    later = time.time() + 3600
    for kept in _place(waves).glob(_LIBRARY):
        shutil.copyfile(kept, folder / kept.name)
        os.utime(folder / kept.name, (later, later))


def store(folder: Path, *, waves: bool) -> None:
    """Put the library's objects of a build into the cache, if that can be written."""
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
    key = json.dumps([versions(Simulator.VERILATOR), environment()["MAKEFLAGS"], waves])
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "hwgen" / f"verilator-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
