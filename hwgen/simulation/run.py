"""Runs a compiled simulator once and reads the simulation log."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

from hwgen.artefact.build_folder import Manifest
from hwgen.errors import ToolError
from hwgen.plan.units.geometry import Schedule, WindowPlan
from hwgen.plan.units.hardware_plan import HardwarePlan
from hwgen.simulation.expected import Expected
from hwgen.simulation.jobs import BenchJob, RunJob
from hwgen.simulation.options import Simulator, StallPattern
from hwgen.simulation.process import launch
from hwgen.simulation.read_log import read_simulation_log
from hwgen.simulation.simulation_log import SimulationLog
from hwgen.simulation.work_folder import BENCH, WorkFolder

PATIENCE_S = 300.0
"""Seconds without a heartbeat of the testbench after which the simulator is killed."""
HEARTBEAT_CYCLES = {Simulator.VERILATOR: 20_000, Simulator.ICARUS: 500}
"""Cycles between two heartbeats of the testbench."""


def run_bench(
    manifest: Manifest,
    work: WorkFolder,
    expected: Expected,
    *,
    by_bus: bool,
    idle: StallPattern,
    backpressure: StallPattern,
    seed: int,
    progress: Callable[[str], object],
) -> SimulationLog:
    """Run the simulator that :mod:`.compile` put into the work folder.

    Raises :class:`.ToolError` if it fails; a core that differs from golden is not a failure.
    """
    for stale in (work.simulation_log, work.progress, work.sample_cycles):
        stale.unlink(missing_ok=True)
    testbench_job = work.path / "testbench.json"
    BenchJob(
        samples=expected.samples,
        beats=expected.beats,
        taps=[stream.tap for stream in manifest.streams],
        counters=len(manifest.counters),
        quiet_limit=_quiet_limit(manifest.plan),
        heartbeat_cycles=HEARTBEAT_CYCLES[work.simulator],
        by_bus=by_bus,
        idle=idle,
        backpressure=backpressure,
        seed=seed,
        packets_file=str(work.packets),
        log_file=str(work.simulation_log),
        progress_file=str(work.progress),
    ).write(testbench_job)
    job = RunJob(
        simulator=work.simulator,
        top=BENCH,
        folder=str(work.path),
        cwd=str(work.path),
        results_xml=str(work.path / "results.xml"),
        testbench_job=str(testbench_job),
        seed=seed,
        waves=work.waves,
        plusargs=["+hwgen_waves"] if work.waves else [],
        arguments=["--trace-file", str(work.waveform)] if work.is_traced else [],
    )

    def watch() -> str:
        try:
            text = work.progress.read_text(encoding="ascii")
            results, _ = text.split()
        except (OSError, ValueError):
            return ""
        progress(f"simulating: {results} of {expected.samples} samples")
        return text

    task, run_log = f"running {work.simulator}", work.path / "run.log"
    file = work.path / "job.json"
    launch(job, job_file=file, log=run_log, task=task, watch=watch, patience_s=PATIENCE_S)
    if not work.simulation_log.is_file():
        raise ToolError(f"{task} left no simulation log; see {run_log}")
    return read_simulation_log(work.simulation_log, manifest, expected)


def _quiet_limit(plan: HardwarePlan) -> int:
    """Cycles without any transfer after which the core counts as stuck.

    No word moves while a layer sums what it has stored: at most one cycle per weight row of each
    window, and twice that to be safe.
    """
    longest = max(
        _stored_windows(path.window)
        * path.window.rounds
        * path.window.window_chunks
        * path.window.slice_width
        for layer in plan.layers
        for path in layer.paths
    )
    # After a reset the planes of address events are cleared.
    longest += plan.encoder.plane_depth if plan.encoder.reads_address_events else 0
    return 10_000 + 2 * longest


def _stored_windows(window: WindowPlan) -> int:
    """Maximum number of windows that a layer reads from its buffer before it sends or takes a word.

    In schedule row it fires after a row of windows in all timesteps; in schedule time it goes on
    for as many rows as the buffer holds.
    """
    rows = ceil(window.slots * window.out_rows / window.rows) + 1
    lines = window.timesteps if window.schedule is Schedule.ROW else rows
    return window.out_columns * min(lines, window.out_rows * window.timesteps)
