"""Result of a simulation, as ``simulation.json`` holds it."""

from __future__ import annotations

from typing import NamedTuple

from hwgen.artefact.report_file import ReportFile
from hwgen.plan.units.counters import CounterKind
from hwgen.simulation.options import Simulator, StallPattern
from hwgen.validation import Count, Digest, Figure, FilePath, FrozenModel, Identifier, Percent


class CounterValue(FrozenModel):
    """Hardware counter after the last result; ``node`` is empty for one of the whole core."""

    node: str
    kind: CounterKind
    value: Count


class Cycles(NamedTuple):
    """Measured and predicted cycles; ``name`` is "latency" or "interval"."""

    name: str
    measured: float | None
    predicted: float | None

    @property
    def error_percent(self) -> float | None:
        """Deviation of the prediction from the measurement, in per cent."""
        if not self.measured or not self.predicted:
            return None
        return 100 * (self.predicted / self.measured - 1)


class StreamActivity(FrozenModel):
    """Words compared on the stream of ``node``, and cycles in which a word waited."""

    node: str
    words: Count
    stalled_cycles: Count


class SimulationReport(ReportFile):
    """A simulation of a build folder.

    Parameters
    ----------
    bit_exact : bool
        Every word of every inter-layer stream, every logit and every class equals golden's.
    difference : str or None
        The first difference, if there is one.
    latency_cycles : int or None
        From the edge that takes the first sample's first beat to that of its last result.
    interval_cycles : float or None
        Mean distance of the results of neighbouring samples; None for a single sample.
    predicted_latency_cycles, predicted_interval_cycles : float or None
        The same of the cycle model; None with stalls or after a difference.
    cycles : int
        From the start to the last result.
    cycles_per_second : float
        Speed of the simulator.
    build_seconds, run_seconds, wall_seconds : float
        Time to compile the simulator, to run it, and in total.
    accuracy : float or None
        Percentage of samples whose class equals their label.
    counters, streams : tuple, by address and by tap
    first_beat_cycles, last_result_cycles : tuple of int
        One per sample.
    waves : str or None
        Waveform file, relative to the build folder.
    """

    FILE = "simulation.json"
    COMMAND = "simulate"

    network: Identifier
    network_hash: Digest
    simulator: Simulator
    idle: StallPattern
    backpressure: StallPattern
    seed: Count
    samples: Count
    bit_exact: bool
    difference: str | None
    latency_cycles: Count | None
    interval_cycles: Figure | None
    predicted_latency_cycles: Figure | None
    predicted_interval_cycles: Figure | None
    cycles: Count
    cycles_per_second: Figure
    build_seconds: Figure
    run_seconds: Figure
    wall_seconds: Figure
    accuracy: Percent | None
    counters: tuple[CounterValue, ...]
    streams: tuple[StreamActivity, ...]
    first_beat_cycles: tuple[Count, ...]
    last_result_cycles: tuple[Count, ...]
    waves: FilePath | None

    @property
    def is_stalled(self) -> bool:
        """Whether source or sink paused: the cycles then measure their pauses, not the core."""
        return (self.idle, self.backpressure) != (StallPattern.NONE, StallPattern.NONE)

    @property
    def latency(self) -> Cycles:
        """Latency, measured and predicted."""
        return Cycles("latency", self.latency_cycles, self.predicted_latency_cycles)

    @property
    def interval(self) -> Cycles:
        """Interval between results, measured and predicted."""
        return Cycles("interval", self.interval_cycles, self.predicted_interval_cycles)

    @property
    def nodes(self) -> list[str]:
        """Nodes that have counters, in the order of the data flow."""
        return list(dict.fromkeys(counter.node for counter in self.counters if counter.node))

    def counter(self, kind: CounterKind, *, node: str = "") -> int | None:
        """Value of a counter, of a node or of the whole core; None if the core lacks it."""
        found = (c.value for c in self.counters if (c.node, c.kind) == (node, kind))
        return next(found, None)
