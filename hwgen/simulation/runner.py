"""Entry point: simulates a build folder and compares it with golden."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from hwgen import artefact, golden
from hwgen.arguments import require_integer
from hwgen.artefact.build_folder import Manifest, read_manifest
from hwgen.caution import warn
from hwgen.errors import ArtefactError, DataError, MismatchError, ToolError
from hwgen.golden.images import check_images
from hwgen.network import Network
from hwgen.plan.belonging import is_plan_of
from hwgen.plan.timing.predict import predict
from hwgen.simulation import tools
from hwgen.simulation.compile import compile_simulator
from hwgen.simulation.difference import first_difference
from hwgen.simulation.expected import write_expected
from hwgen.simulation.options import Simulator, StallPattern
from hwgen.simulation.read_log import read_sample_cycles
from hwgen.simulation.report import CounterValue, SimulationReport, StreamActivity
from hwgen.simulation.run import run_bench
from hwgen.simulation.work_folder import WorkFolder
from hwgen.suggest import require_known


def simulate(
    build: str | os.PathLike[str],
    images: object,
    *,
    labels: np.ndarray | None = None,
    samples: int | None = None,
    simulator: str = Simulator.VERILATOR,
    idle: str = StallPattern.NONE,
    backpressure: str = StallPattern.NONE,
    seed: int = 0,
    waves: bool = False,
    buses: bool | None = None,
    progress: Callable[[str], object] | None = None,
) -> SimulationReport:
    """Simulate the core of a build folder and compare every stream of it with golden.

    :meth:`hwgen.Build.simulate` describes all parameters but one.

    Parameters
    ----------
    buses : bool, optional
        Whether AXI4-Stream models in Python drive both ends. Pauses require them; without pauses, a
        harness in Verilog drives the same signals several times as fast.
    """
    start = time.monotonic()
    tell = progress or (lambda text: None)
    require_known("simulator", simulator, Simulator, error=ToolError)
    for pattern in (idle, backpressure):
        require_known("stall pattern", pattern, StallPattern, error=DataError)
    require_integer("seed", seed, 0, error=DataError)
    source, sink = StallPattern(idle), StallPattern(backpressure)
    stalled = (source, sink) != (StallPattern.NONE, StallPattern.NONE)
    if stalled and buses is False:
        rule = f"the stall patterns {idle} and {backpressure} need the bus models"
        raise DataError(f"{rule}; leave out buses=False")
    by_bus = stalled or bool(buses)
    tools.require(Simulator(simulator))
    manifest = read_manifest(build)
    folder = Path(build).resolve()
    network = _load_network(folder, manifest)
    pixels, labels = _choose(network, images, labels, samples)
    if labels is not None and (outside := golden.labels_outside(labels, network.classes)):
        warn(outside)
    work = WorkFolder(build=folder, simulator=Simulator(simulator), waves=waves)
    with work.locked():
        tell("golden: computing the expected words of every stream")
        expected = write_expected(manifest, work, network, pixels)
        work.copy_memories(manifest.memory_files)
        tell(f"building the {simulator} simulator")
        build_seconds = compile_simulator(manifest, work)
        running = time.monotonic()
        log = run_bench(
            manifest,
            work,
            expected,
            by_bus=by_bus,
            idle=source,
            backpressure=sink,
            seed=seed,
            progress=tell,
        )
        run_seconds = time.monotonic() - running
        cycles = read_sample_cycles(work.sample_cycles, samples=len(pixels))
        work.remove_copies()
    difference = first_difference(manifest, expected, log)
    prediction = None
    if difference is None and not stalled:
        tell("cycle model: predicting latency and interval")
        prediction = predict(manifest.plan, golden.run(network, pixels, trains=True).trains)
    report = SimulationReport(
        network=manifest.name,
        network_hash=manifest.network_hash,
        simulator=work.simulator,
        idle=source,
        backpressure=sink,
        seed=seed,
        samples=len(pixels),
        bit_exact=difference is None,
        difference=difference,
        latency_cycles=cycles.latency,
        interval_cycles=cycles.interval,
        predicted_latency_cycles=prediction.latency_cycles if prediction else None,
        predicted_interval_cycles=prediction.interval_cycles if prediction else None,
        cycles=log.cycles,
        cycles_per_second=log.cycles / run_seconds,
        build_seconds=build_seconds,
        run_seconds=run_seconds,
        wall_seconds=time.monotonic() - start,
        accuracy=None if labels is None else 100.0 * float((expected.classes == labels).mean()),
        counters=tuple(
            CounterValue(node=counter.node, kind=counter.kind, value=value)
            for counter, value in zip(manifest.counters, log.counters, strict=True)
        ),
        streams=tuple(
            StreamActivity(node=layout.node, words=state.words, stalled_cycles=state.stalled)
            for layout, state in zip(expected.streams, log.streams, strict=True)
        ),
        first_beat_cycles=cycles.first_beats,
        last_result_cycles=cycles.last_results,
        waves=work.waveform.relative_to(folder).as_posix() if waves else None,
    )
    report.write(folder)
    if difference is not None:
        raise MismatchError(f"{manifest.name} differs from golden: {difference}")
    return report


def _load_network(folder: Path, manifest: Manifest) -> Network:
    network = artefact.load(folder / "network")
    if artefact.content_hash(network) != manifest.network_hash:
        raise ArtefactError(
            f"{folder / 'network'} is not the network that the core was generated from; "
            f"generate the build folder again"
        )
    if not is_plan_of(manifest.plan, network):
        raise ArtefactError(
            f"{folder}: the plan in its manifest is not one of its network; generate it again"
        )
    return network


def _choose(
    network: Network, images: object, labels: np.ndarray | None, samples: int | None
) -> tuple[np.ndarray, np.ndarray | None]:
    pixels = check_images(network, images)
    if samples is not None:
        require_integer("samples", samples, 1, len(pixels), error=DataError)
    if labels is not None and len(labels) != len(pixels):
        raise DataError(f"labels must be as many as the {len(pixels)} images, not {len(labels)}")
    return pixels[:samples], None if labels is None else labels[:samples]
