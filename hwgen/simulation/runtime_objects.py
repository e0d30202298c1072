"""Cache of Verilator's compiled run-time library, which is the same for every core."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from pathlib import Path

from hwgen.simulation import cache
from hwgen.simulation.options import Simulator
from hwgen.simulation.tools import environment, versions

_LIBRARY = "verilated*.o"


def fetch(folder: Path, *, waves: bool) -> None:
    """Copy the cached objects, if any, into Verilator's build folder."""
    # Dated after the makefile that Verilator is about to write, or make would build them again.
    later = time.time() + 3600
    for kept in (cache.root() / _entry(waves)).glob(_LIBRARY):
        shutil.copyfile(kept, folder / kept.name)
        os.utime(folder / kept.name, (later, later))


def store(folder: Path, *, waves: bool) -> None:
    """Put the library's objects of a build into the cache, if that can be written."""
    cache.put(_entry(waves), list(folder.glob(_LIBRARY)))


def _entry(waves: bool) -> str:
    key = json.dumps([versions(Simulator.VERILATOR), environment()["MAKEFLAGS"], waves])
    return f"verilator-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
