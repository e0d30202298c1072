"""Files of a simulation in ``BUILD/sim/SIMULATOR``: the only place that knows their names."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hwgen.simulation.options import Simulator


@dataclass(frozen=True, kw_only=True)
class WorkFolder:
    """Folder of one simulator within the build folder ``build``.

    The simulator runs in the build folder, where the core's weight files are.
    """

    build: Path
    simulator: Simulator
    waves: bool

    @property
    def path(self) -> Path:
        return self.build / "sim" / f"{self.simulator}{'-waves' if self.waves else ''}"

    @property
    def is_traced(self) -> bool:
        """Whether the simulator is compiled with tracing; Icarus always can."""
        return self.waves and self.simulator is Simulator.VERILATOR

    @property
    def beats(self) -> Path:
        """Input, one record per beat, for ``packet_feeder.v``."""
        return self.path / "beats.bin"

    @property
    def packets(self) -> Path:
        """Input as bare bytes, for the bus models."""
        return self.path / "packets.bin"

    def stream(self, tap: int) -> Path:
        """Expected words of a stream, for ``stream_checker.v``."""
        return self.path / f"expected_{tap}.bin"

    @property
    def results(self) -> Path:
        """Expected words of the output packets, ``last`` as their highest bit."""
        return self.path / "expected_results.bin"

    @property
    def sample_cycles(self) -> Path:
        """Cycles of each sample, which the bench writes."""
        return self.path / "sample_cycles.log"

    @property
    def simulation_log(self) -> Path:
        return self.path / "simulation_log.json"

    @property
    def progress(self) -> Path:
        """Results and cycles so far, which the testbench writes."""
        return self.path / "progress.txt"

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
