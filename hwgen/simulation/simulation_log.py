"""The simulation log: everything that the testbench and its Verilog observed.

The testbench writes it, hwgen reads it. Imports only the standard library: see :mod:`.jobs`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class WrongWord:
    """Word that differs; ``data`` and ``expected`` are strings of bits, some perhaps undefined."""

    word: int
    data: str
    expected: str


@dataclass(frozen=True, kw_only=True)
class ExtraWord:
    """Word after the last expected one."""

    word: int
    data: str


@dataclass(frozen=True, kw_only=True)
class CheckerState:
    """State of a ``stream_checker.v`` at the end of a simulation.

    ``words`` were transferred; in ``stalled`` cycles a word was valid and not taken. ``wrong`` and
    ``extra`` are the first wrong and the first surplus word; word number ``unstable`` was the first
    that changed or was withdrawn before it was taken.
    """

    words: int
    stalled: int
    wrong: WrongWord | None = None
    extra: ExtraWord | None = None
    unstable: int | None = None


@dataclass(frozen=True, kw_only=True)
class SinkState:
    """Packets that the AXI4-Stream sink took, in hexadecimal; ``empty``: no part of one is left."""

    packets: tuple[str, ...]
    empty: bool


@dataclass(frozen=True, kw_only=True)
class SimulationLog:
    """Observations of one simulation.

    Parameters
    ----------
    cycles, quiet : int
        Cycles until the last result, or until the core was stuck; cycles without a transfer then.
    stuck : bool
        Whether the testbench gave up because of them.
    beats : int
        Input beats that the core took.
    streams, counters : tuple, by tap and by address
    sink : SinkState or None
        None without bus models.
    packet_errors : int
        Of the core's port; 0, since all packets are correct.
    """

    cycles: int
    quiet: int
    stuck: bool
    beats: int
    streams: tuple[CheckerState, ...]
    results: CheckerState
    sink: SinkState | None
    counters: tuple[int, ...]
    packet_errors: int

    def write(self, path: Path) -> None:
        """Write the log; ``path`` appears only when it is complete."""
        part = path.with_suffix(".part")
        part.write_text(json.dumps(asdict(self)), encoding="utf-8")
        part.replace(path)


@dataclass(frozen=True, kw_only=True)
class SampleCycles:
    """Cycle of each sample's first beat and last result."""

    first_beats: tuple[int, ...]
    last_results: tuple[int, ...]

    @classmethod
    def of(cls, lines: Sequence[str]) -> SampleCycles:
        """Cycles in the lines ``i CYCLE`` and ``o CYCLE`` that the bench writes."""
        return cls(
            first_beats=tuple(int(line[2:]) for line in lines if line.startswith("i ")),
            last_results=tuple(int(line[2:]) for line in lines if line.startswith("o ")),
        )

    @property
    def latency(self) -> int | None:
        """Cycles from the first sample's first beat to its last result; None without a result."""
        if not self.first_beats or not self.last_results:
            return None
        return self.last_results[0] - self.first_beats[0]

    @property
    def interval(self) -> float | None:
        """Mean distance of neighbouring results in cycles; None for fewer than two."""
        count = len(self.last_results)
        if count < 2:
            return None
        return (self.last_results[-1] - self.last_results[0]) / (count - 1)
