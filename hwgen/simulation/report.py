"""What a simulation found, as data."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

REPORT_FILE = "simulation.json"


@dataclass(kw_only=True)
class SimulationReport:
    """A simulation of a build folder.

    Parameters
    ----------
    bit_exact : bool
        Every word of every inter-layer stream, every logit and class was golden's.
    difference : str or None
        The first difference, where there is one.
    latency_cycles : int or None
        Of the first sample, from the edge that takes its first beat to the edge that takes its
        last result.
    interval_cycles : float or None
        Mean distance of the results of neighbouring samples; None for a single sample.
    predicted_latency_cycles, predicted_interval_cycles
        Those of the cycle model, where it knows the build.
    cycles : int
        From the start to the last result.
    cycles_per_second : float
        Speed of the simulator.
    build_seconds, run_seconds, wall_seconds : float
        For the simulator's making, its run, and the whole.
    accuracy : float or None
        Per cent of the samples whose class is their label.
    counters : {node: {kind: value}}
        The core's counters; those of the whole core under "".
    streams : list of {"node", "words", "stalled_cycles"}
        What was compared; a stalled word is valid and not taken.
    first_beat_cycles, last_result_cycles : list of int
        Of each sample.
    """

    network: str
    network_hash: str
    simulator: str
    idle: str
    backpressure: str
    seed: int
    samples: int
    bit_exact: bool
    difference: str | None = None
    latency_cycles: int | None = None
    interval_cycles: float | None = None
    predicted_latency_cycles: float | None = None
    predicted_interval_cycles: float | None = None
    cycles: int = 0
    cycles_per_second: float = 0.0
    build_seconds: float = 0.0
    run_seconds: float = 0.0
    wall_seconds: float = 0.0
    accuracy: float | None = None
    counters: dict[str, dict[str, int]] = field(default_factory=dict)
    streams: list[dict[str, Any]] = field(default_factory=list)
    first_beat_cycles: list[int] = field(default_factory=list)
    last_result_cycles: list[int] = field(default_factory=list)
    waves: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    def write(self, folder: Path) -> Path:
        """Write ``simulation.json`` into a folder, whole or not at all."""
        path = folder / REPORT_FILE
        part = path.with_suffix(".part")
        part.write_text(json.dumps(self.to_json(), indent=1) + "\n", encoding="utf-8")
        part.replace(path)
        return path


def read_simulation_log(path: Path) -> tuple[list[int], list[int]]:
    """Cycles of each sample's first beat and last result, from the simulation log."""
    cycles: dict[str, list[int]] = {"i": [], "o": []}
    for line in path.read_text(encoding="ascii").splitlines():
        kind, _, cycle = line.partition(" ")
        cycles[kind].append(int(cycle))
    return cycles["i"], cycles["o"]


def latency(first_beats: Sequence[int], last_results: Sequence[int]) -> int | None:
    """Cycles of the first sample; None where it has no result."""
    return last_results[0] - first_beats[0] if first_beats and last_results else None


def interval(last_results: Sequence[int]) -> float | None:
    """Mean distance of neighbouring results; None for fewer than two."""
    if len(last_results) < 2:
        return None
    return (last_results[-1] - last_results[0]) / (len(last_results) - 1)
