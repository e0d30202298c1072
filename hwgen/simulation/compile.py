"""Makes a simulator of a core and its bench, and keeps it until what it is made of changes."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import time
from pathlib import Path

from hwgen.errors import ToolError
from hwgen.resources import resource_dir
from hwgen.simulation import runtime_objects as objects
from hwgen.simulation import tools
from hwgen.simulation.bench import BENCH, render_bench
from hwgen.simulation.core import Build
from hwgen.simulation.process import launch

_HAND_WRITTEN = ("stream_checker.v", "packet_feeder.v")
_PRODUCT = {"verilator": BENCH, "icarus": "sim.vvp"}
_ARGUMENTS = {
    # cocotb makes every signal visible unless told otherwise, which costs two thirds of the
    # speed; one C++ file compiles faster than several until it is large.
    "verilator": ["--no-public-flat-rw", "-Wno-fatal", "-Wno-lint", "-Wno-style"]
    + ["--output-split", "150000"],
    # cocotb asks for -g2012, under which `always @*` does not see initial values: nets of the core
    # stay undefined and `if` takes them for false.
    "icarus": ["-g2005"],
}
# What the testbench reads and writes.
_VISIBLE = f"""`verilator_config
public_flat_rw -module "{BENCH}" -var "*"
public_flat_rw -module "hwgen_stream_checker" -var "*"
"""


def compile_simulator(build: Build, folder: Path, *, simulator: str, waves: bool) -> float:
    """Put a simulator of the core into ``folder``; gives the seconds that it took.

    Where it is there already, made of the same Verilog by the same tools, nothing is done.
    """
    start = time.monotonic()
    traced = waves and simulator == "verilator"
    sources = _sources(build, folder, simulator)
    arguments = _ARGUMENTS[simulator]
    key = hashlib.sha256(
        json.dumps([sources, arguments, traced, tools.versions(simulator)]).encode()
    ).hexdigest()
    product = folder / _PRODUCT[simulator]
    key_file = folder / "key.txt"
    if product.is_file() and key_file.is_file() and key_file.read_text("utf-8") == key:
        return 0.0
    key_file.unlink(missing_ok=True)
    log = folder / "build.log"
    # GNU make refuses paths with spaces, which the user's folder may have.
    with tempfile.TemporaryDirectory(prefix="hwgen-") as temporary:
        work = Path(temporary)
        for name, text in sources.items():
            (work / name).write_text(text, encoding="utf-8")
        made = work / "made"
        made.mkdir()
        job = {
            "action": "build",
            "simulator": simulator,
            "bench": BENCH,
            "sources": [str(work / name) for name in sources],
            "arguments": arguments,
            "folder": str(made),
            "waves": traced,
        }
        if simulator == "verilator":
            objects.fetch(made, waves=traced)
        launch(job, job_file=work / "job.json", log=log, what=f"building with {simulator}")
        if not (made / product.name).is_file():
            raise ToolError(f"building with {simulator} made no simulator; see {log}")
        if simulator == "verilator":
            objects.store(made, waves=traced)
        shutil.move(made / product.name, product)
    key_file.write_text(key, encoding="utf-8")
    return time.monotonic() - start


def _sources(build: Build, folder: Path, simulator: str) -> dict[str, str]:
    """Text of every source by name, in the order in which they are compiled."""
    sources = {"visible.vlt": _VISIBLE} if simulator == "verilator" else {}
    for path in build.sources:
        sources[path.name] = path.read_text(encoding="utf-8")
    for name in _HAND_WRITTEN:
        sources[name] = (resource_dir("sim") / name).read_text(encoding="utf-8")
    sources[f"{BENCH}.v"] = render_bench(build, folder)
    return sources
