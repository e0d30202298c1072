"""Files of a simulation in ``BUILD/sim/SIMULATOR``: the only place that knows their names."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hwgen.simulation.options import Simulator


class _File:
    """Path of a file in the work folder."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, work: WorkFolder, owner: type) -> Path:
        return work.path / self._name


@dataclass(frozen=True, kw_only=True)
class WorkFolder:
    """Folder of one simulator within the build folder ``build``.

    The simulator runs in the build folder, where the core's weight files are.
    """

    build: Path
    simulator: Simulator
    waves: bool

    beats = _File("beats.bin")  # input, one record per beat, for packet_feeder.v
    packets = _File("packets.bin")  # input as bare bytes, for the bus models
    results = _File("expected_results.bin")  # output packets, `last` as the highest bit of a word
    sample_cycles = _File("sample_cycles.log")  # cycles of each sample, from the bench
    simulation_log = _File("simulation_log.json")
    progress = _File("progress.txt")  # results and cycles so far, from the testbench

    @property
    def path(self) -> Path:
        return self.build / "sim" / f"{self.simulator}{'-waves' if self.waves else ''}"

    @property
    def is_traced(self) -> bool:
        """Whether the simulator is compiled with tracing; Icarus always can."""
        return self.waves and self.simulator is Simulator.VERILATOR

    def stream(self, tap: int) -> Path:
        """Expected words of a stream, for ``stream_checker.v``."""
        return self.path / f"expected_{tap}.bin"

    @property
    def waveform(self) -> Path:
        """Every signal, if recorded."""
        return self.path / ("waves.fst" if self.simulator is Simulator.ICARUS else "waves.vcd")

    def relative(self, path: Path) -> str:
        """``path`` as the simulator sees it."""
        return path.relative_to(self.build).as_posix()

    def remove_expected(self) -> None:
        """Remove the expected words: they are large, and every run writes them again."""
        for path in self.path.glob("*.bin"):
            path.unlink()

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Create the folder and hold its lock: one simulation at a time uses it."""
        import fcntl

        self.path.mkdir(parents=True, exist_ok=True)
        with (self.path / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
