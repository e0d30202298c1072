"""Runs a compiled simulator once; gives what the testbench saw."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hwgen.errors import ToolError
from hwgen.simulation.bench import BENCH, simulation_log_file, waves_file
from hwgen.simulation.core import Build
from hwgen.simulation.expected import Expected, packets_file
from hwgen.simulation.process import launch

PATIENCE_S = 300.0
"""Seconds in which the simulator must get on by a heartbeat of the testbench."""
HEARTBEAT_CYCLES = {"verilator": 20_000, "icarus": 500}
"""How often the testbench tells how far it is."""


def run_bench(
    build: Build,
    folder: Path,
    expected: Expected,
    *,
    simulator: str,
    waves: bool,
    seed: int,
    tell: Callable[[str], object],
    **settings: Any,
) -> dict[str, Any]:
    """Run the simulator that :mod:`.compile` put into ``folder``.

    ``settings`` go to the testbench: ``quiet_limit``, ``by_bus``, ``idle``, ``backpressure``.
    Raises :class:`ToolError` where it fails, which is not the same as a core that differs.
    """
    seen_file, progress_file = folder / "seen.json", folder / "progress.txt"
    for stale in (seen_file, progress_file, simulation_log_file(folder)):
        stale.unlink(missing_ok=True)
    bench_job = {
        **settings,
        "seed": seed,
        "heartbeat_cycles": HEARTBEAT_CYCLES[simulator],
        "samples": expected.samples,
        "beats": expected.beats,
        "taps": [layout.tap for layout in build.streams],
        "counters": len(build.counters),
        "packets_file": str(packets_file(folder)),
        "seen_file": str(seen_file),
        "progress_file": str(progress_file),
    }
    (folder / "bench.json").write_text(json.dumps(bench_job), encoding="utf-8")
    traced = waves and simulator == "verilator"
    job = {
        "action": "run",
        "simulator": simulator,
        "bench": BENCH,
        "folder": str(folder),
        "cwd": str(build.folder),
        "results_xml": str(folder / "results.xml"),
        "bench_job": str(folder / "bench.json"),
        "seed": seed,
        "waves": waves,
        "plusargs": ["+hwgen_waves"] if waves else [],
        "arguments": ["--trace-file", str(waves_file(folder, simulator))] if traced else [],
    }

    def watch() -> str:
        try:
            text = progress_file.read_text(encoding="ascii")
            results, _ = text.split()
        except (OSError, ValueError):
            return ""
        tell(f"simulating: {results} of {expected.samples} samples")
        return text

    log = folder / "run.log"
    launch(
        job,
        job_file=folder / "job.json",
        log=log,
        what=f"running {simulator}",
        watch=watch,
        patience_s=PATIENCE_S,
    )
    if not seen_file.is_file():
        raise ToolError(f"running {simulator} left no result; see {log}")
    return dict(json.loads(seen_file.read_text(encoding="utf-8")))
