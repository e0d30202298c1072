"""Compiles a core and its bench into a simulator, or takes it from the user's cache."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import time
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from hwgen.artefact.build_folder import Manifest
from hwgen.errors import ToolError
from hwgen.resources import resource_dir
from hwgen.simulation import cache, runtime_objects, tools
from hwgen.simulation.jobs import CompileJob
from hwgen.simulation.options import Simulator
from hwgen.simulation.process import launch
from hwgen.simulation.work_folder import BENCH, WorkFolder

_HAND_WRITTEN = ("stream_checker.v", "packet_feeder.v")
_PRODUCT = {Simulator.VERILATOR: BENCH, Simulator.ICARUS: "sim.vvp"}
_ARGUMENTS = {
    # By default cocotb makes every signal visible, which costs two thirds of the speed; one C++
    # file compiles faster than several until it is large.
    Simulator.VERILATOR: ["--no-public-flat-rw", "-Wno-fatal", "-Wno-lint", "-Wno-style"]
    + ["--output-split", "150000"],
    Simulator.ICARUS: [],
}
# The signals that the testbench reads and writes.
_VISIBLE = f"""`verilator_config
public_flat_rw -module "{BENCH}" -var "*"
public_flat_rw -module "hwgen_stream_checker" -var "*"
"""


def compile_simulator(manifest: Manifest, work: WorkFolder) -> float:
    """Compile a simulator of the core into the work folder; gives the seconds that it took.

    One that was compiled earlier from the same sources by the same tools comes from the cache. The
    weights are no part of its key, for it reads them when it starts.
    """
    start = time.monotonic()
    simulator, traced = work.simulator, work.is_traced
    sources = _sources(manifest, work)
    arguments = _ARGUMENTS[simulator]
    key = hashlib.sha256(
        json.dumps([simulator, sources, arguments, traced, tools.versions(simulator)]).encode()
    ).hexdigest()
    product = work.path / _PRODUCT[simulator]
    if cache.fetch_simulator(key, product):
        return 0.0
    log = work.path / "build.log"
    # GNU make refuses paths with spaces, which the user's folder may have.
    with tempfile.TemporaryDirectory(prefix="hwgen-") as temporary:
        folder = Path(temporary)
        for name, text in sources.items():
            (folder / name).write_text(text, encoding="utf-8")
        (made := folder / "made").mkdir()
        job = CompileJob(
            simulator=simulator,
            top=BENCH,
            sources=[str(folder / name) for name in sources],
            arguments=arguments,
            folder=str(made),
            waves=traced,
        )
        if simulator is Simulator.VERILATOR:
            runtime_objects.fetch(made, waves=traced)
        launch(job, job_file=folder / "job.json", log=log, task=f"building with {simulator}")
        if not (made / product.name).is_file():
            raise ToolError(f"building with {simulator} made no simulator; see {log}")
        if simulator is Simulator.VERILATOR:
            runtime_objects.store(made, waves=traced)
        cache.store_simulator(key, made / product.name)
        shutil.move(made / product.name, product)
    return time.monotonic() - start


def _sources(manifest: Manifest, work: WorkFolder) -> dict[str, str]:
    """Text of every source by name, in the order in which they are compiled."""
    sources = {"visible.vlt": _VISIBLE} if work.simulator is Simulator.VERILATOR else {}
    for source in manifest.sources:
        sources[Path(source).name] = (work.build / source).read_text(encoding="utf-8")
    for name in _HAND_WRITTEN:
        sources[name] = (resource_dir("sim") / name).read_text(encoding="utf-8")
    sources[f"{BENCH}.v"] = _bench(manifest, work)
    return sources


def _bench(manifest: Manifest, work: WorkFolder) -> str:
    """Verilog around the core: ``tb.v.j2`` with the names and widths of its streams."""
    environment = Environment(
        loader=FileSystemLoader(resource_dir("sim")), undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True, autoescape=False,
    )  # fmt: skip
    return environment.get_template("tb.v.j2").render(
        bench=BENCH,
        manifest=manifest,
        stream_files={s.tap: work.relative(work.stream(s.tap)) for s in manifest.streams},
        beats=work.relative(work.beats),
        results=work.relative(work.results),
        log=work.relative(work.sample_cycles),
        waves=work.relative(work.waveform),
    )
