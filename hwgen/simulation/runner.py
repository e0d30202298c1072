"""Simulates a build folder and compares it with golden: the way in."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from hwgen import artefact
from hwgen.errors import ArtefactError, DataError, MismatchError
from hwgen.network import Network
from hwgen.simulation import tools
from hwgen.simulation.bench import simulation_log_file, waves_file
from hwgen.simulation.compile import compile_simulator
from hwgen.simulation.core import Build, read_build
from hwgen.simulation.difference import first_difference
from hwgen.simulation.expected import remove_expected, write_expected
from hwgen.simulation.prediction import predict, quiet_limit
from hwgen.simulation.report import SimulationReport, interval, latency, read_simulation_log
from hwgen.simulation.run import run_bench
from hwgen.simulation.stall_patterns import STALL_PATTERNS
from hwgen.suggest import require_known

Progress = Callable[[str], object]


def simulate(
    build: str | Path,
    images: np.ndarray,
    *,
    labels: np.ndarray | None = None,
    samples: int | None = None,
    simulator: str = "verilator",
    idle: str = "none",
    backpressure: str = "none",
    seed: int = 0,
    waves: bool = False,
    buses: bool | None = None,
    progress: Progress | None = None,
) -> SimulationReport:
    """Simulate the core of a build folder and compare every stream of it with golden.

    Writes ``simulation.json`` into the build folder; what the simulator reads and writes lies in
    its ``sim`` folder.

    Parameters
    ----------
    build : folder that `hwgen generate` wrote
    images : unsigned integer array, shape (N, channels, height, width)
        Of address events frames, shape (N, timesteps, channels, height, width).
    labels : int array, shape (N,), or None
        For the accuracy.
    samples : int or None
        How many of the images are sent, one right behind the other; None for all.
    simulator : "verilator" or "icarus"
    idle, backpressure : "none", "random" or "adversarial"
        When the source of the input idles, and when the sink of the results is not ready.
    seed : int
        Of those patterns.
    waves : bool
        Record every signal.
    buses : bool or None
        Whether cocotb's AXI4-Stream models drive both ends. They must where there are pauses;
        without, a harness in Verilog does the same several times as fast.
    progress : called with what is going on

    Raises
    ------
    MismatchError
        The core differs from golden; the message names the first difference.
    ArtefactError, DataError, ToolError
        The folder, the images or the simulator is at fault.
    """
    start = time.monotonic()
    tell = progress or (lambda text: None)
    patterns = (idle, backpressure)
    for pattern in patterns:
        require_known("stall pattern", pattern, STALL_PATTERNS, error=DataError)
    stalled = patterns != ("none", "none")
    by_bus = stalled or bool(buses)
    if stalled and buses is False:
        raise DataError(f"the patterns {idle} and {backpressure} need the bus models")
    tools.require(simulator, buses=by_bus)
    core = read_build(build)
    network = _load_network(core)
    images, labels = _choose(images, labels, samples)
    with _work_folder(core, simulator, waves=waves) as folder:
        tell("golden: computing what every stream must carry")
        expected = write_expected(core, network, images, folder)
        tell(f"building the {simulator} simulator")
        build_seconds = compile_simulator(core, folder, simulator=simulator, waves=waves)
        running = time.monotonic()
        seen = run_bench(
            core,
            folder,
            expected,
            simulator=simulator,
            waves=waves,
            tell=tell,
            quiet_limit=quiet_limit(core, network),
            by_bus=by_bus,
            idle=idle,
            backpressure=backpressure,
            seed=seed,
        )
        run_seconds = time.monotonic() - running
        first_beats, last_results = read_simulation_log(simulation_log_file(folder))
        remove_expected(folder)
    difference = first_difference(core, expected, seen)
    predicted: tuple[float | None, float | None] = (None, None)
    if difference is None and not stalled:
        tell("cycle model: predicting latency and interval")
        predicted = predict(core, network, images)
    counters: dict[str, dict[str, int]] = {}
    for counter, value in zip(core.counters, seen["counters"], strict=True):
        counters.setdefault(counter.node, {})[counter.kind] = value
    report = SimulationReport(
        network=core.name,
        network_hash=core.network_hash,
        simulator=simulator,
        idle=idle,
        backpressure=backpressure,
        seed=seed,
        samples=len(images),
        bit_exact=difference is None,
        difference=difference,
        latency_cycles=latency(first_beats, last_results),
        interval_cycles=interval(last_results),
        predicted_latency_cycles=predicted[0],
        predicted_interval_cycles=predicted[1],
        cycles=seen["cycles"],
        cycles_per_second=seen["cycles"] / run_seconds,
        build_seconds=build_seconds,
        run_seconds=run_seconds,
        wall_seconds=time.monotonic() - start,
        accuracy=None if labels is None else 100.0 * float((expected.classes == labels).mean()),
        counters=counters,
        streams=[
            {"node": layout.node, "words": state["words"], "stalled_cycles": state["stalled"]}
            for layout, state in zip(core.streams, seen["streams"], strict=True)
        ],
        first_beat_cycles=first_beats,
        last_result_cycles=last_results,
        waves=str(waves_file(folder, simulator).relative_to(core.folder)) if waves else None,
    )
    report.write(core.folder)
    if difference is not None:
        raise MismatchError(f"{core.name} differs from golden: {difference}")
    return report


def _load_network(build: Build) -> Network:
    network = artefact.load(build.folder / "network")
    if artefact.content_hash(network) != build.network_hash:
        raise ArtefactError(
            f"{build.folder / 'network'} is not the network that the core was generated from; "
            f"generate the build folder again"
        )
    return network


def _choose(
    images: np.ndarray, labels: np.ndarray | None, samples: int | None
) -> tuple[np.ndarray, np.ndarray | None]:
    if samples is not None and samples < 1:
        raise DataError(f"samples must be at least 1, not {samples}")
    if samples is not None and samples > len(images):
        raise DataError(f"{samples} samples are asked for, but there are {len(images)} images")
    if labels is not None and len(labels) != len(images):
        raise DataError(f"{len(labels)} labels for {len(images)} images")
    return images[:samples], None if labels is None else labels[:samples]


@contextlib.contextmanager
def _work_folder(build: Build, simulator: str, *, waves: bool) -> Iterator[Path]:
    """The folder of a simulator in the build folder; one simulation at a time may use it."""
    folder = build.folder / "sim" / (f"{simulator}-waves" if waves else simulator)
    folder.mkdir(parents=True, exist_ok=True)
    import fcntl

    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder
