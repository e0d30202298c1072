"""Fuzz targets: the manifest of a build folder, and the reports in it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.loader_formats import parse_json, write_json_value
from benchmarks.loader_fuzz import Loader
from hwgen.artefact.build_folder import read_manifest
from hwgen.boards import Resource
from hwgen.generation import generate
from hwgen.generation.design import Design
from hwgen.network import (
    Conv2d,
    Flatten,
    Input,
    InverseLeakyNeuron,
    Layer,
    Linear,
    Network,
    Readout,
)
from hwgen.plan.units.counters import CounterKind
from hwgen.simulation.options import Simulator, StallPattern
from hwgen.simulation.report import CounterValue, SimulationReport, StreamActivity
from hwgen.synthesis.report import BuildReport, CriticalPath, PathStep, Usage


@cache
def _design() -> Design:
    """The core of a network of two layers."""
    conv = Layer(
        name="conv",
        projections=(Conv2d(source="input", weights=np.ones((2, 1, 3, 3), np.int32)),),
        bias=np.zeros(2, np.int64),
        neuron=InverseLeakyNeuron(threshold=np.full(2, 9), timesteps=2),
    )
    out = Layer(
        name="out",
        projections=(Linear(source="flat", weights=np.ones((3, 8), np.int32)),),
        bias=np.arange(3),
        neuron=Readout(),
    )
    source = Input(shape=(1, 4, 4), timesteps=2)
    nodes = (conv, Flatten(name="flat", source="conv"), out)
    return generate(Network(name="small", input=source, nodes=nodes))


def _simulation(folder: Path) -> None:
    SimulationReport(
        network="small", network_hash="ab" * 32, simulator=Simulator.VERILATOR,
        idle=StallPattern.NONE, backpressure=StallPattern.RANDOM, seed=1, samples=2,
        bit_exact=False, difference="layer 'conv', sample 1", latency_cycles=500,
        interval_cycles=250.0, predicted_latency_cycles=499, predicted_interval_cycles=None,
        cycles=3000, cycles_per_second=1e6, build_seconds=1.0, run_seconds=0.5, wall_seconds=2.0,
        accuracy=50.0, counters=(CounterValue(node="conv", kind=CounterKind.BUSY, value=200),),
        streams=(StreamActivity(node="conv", words=20, stalled_cycles=3),),
        first_beat_cycles=(10, 260), last_result_cycles=(510, 760), waves="sim/waves.fst",
    ).write(folder)  # fmt: skip


def _synthesis(folder: Path) -> None:
    (folder / "synth").mkdir()
    BuildReport(
        core="small", board="ulx3s-85f", part="ecp5 85k CABGA381", seed=1, clock_mhz=100.0,
        fmax_mhz=125.5, utilisation={Resource.LUT4: Usage(used=2000, available=83640)},
        units={"core": {Resource.LUT4: 1750}, "shell": {Resource.LUT4: 250}},
        critical_path=CriticalPath(
            source="core.a", sink="core.b", delay_ns=7.968, logic_ns=3.0, routing_ns=4.968,
            steps=(PathStep(kind="logic", cell="core.b", net="", delay_ns=7.968),),
        ),
        bitstream="synth/bitstream.bit", synthesis_seconds=1.0, place_seconds=2.0,
        fmax_of_seeds={1: 125.5},
    ).write(folder)  # fmt: skip


def _manifest(folder: Path) -> None:
    _design().write(folder / "build")


_JSON: dict[str, Any] = {"parse": parse_json, "write": write_json_value}

BUILDS = (
    Loader(
        name="build manifest", file="build/manifest.json", make=_manifest,
        read=lambda folder: read_manifest(folder / "build"), **_JSON,
    ),
    Loader(
        name="simulation report", file=SimulationReport.FILE, make=_simulation,
        read=SimulationReport.read, **_JSON,
    ),
    Loader(
        name="synthesis report", file=BuildReport.FILE, make=_synthesis, read=BuildReport.read,
        **_JSON,
    ),
)  # fmt: skip
