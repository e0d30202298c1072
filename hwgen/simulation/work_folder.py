"""Files of a simulation in ``BUILD/sim/SIMULATOR``: the only place that knows their names."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from hwgen.artefact.claim import storage_errors
from hwgen.artefact.plain_files import read_plain
from hwgen.simulation.options import Simulator

BENCH = "hwgen_bench"
"""Verilog module around the core, and Verilator's program for it."""


class _File:
    """Path of a file in the work folder."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, work: WorkFolder, owner: type) -> Path:
        return work.path / self._name


@dataclass(frozen=True, kw_only=True)
class WorkFolder:
    """Folder of one simulator within the build folder ``build``.

    Each simulation starts with an empty one, and runs in it with copies of the core's weight files:
    nothing that came with the build folder is run, followed or written.
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
        return path.relative_to(self.path).as_posix()

    def copy_memories(self, names: Iterable[str]) -> None:
        """Copy weight files of the build folder to where the simulator reads them."""
        for name in names:
            (self.path / name).write_bytes(read_plain(self.build / name))

    def remove_copies(self) -> None:
        """Remove what is large and made again by every run: all that only the simulator reads."""
        for path in self.path.iterdir():
            if path.suffix in (".bin", ".hex", ".vvp") or path.name == BENCH:
                path.unlink()

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Make the folder anew and hold its lock: one simulation at a time uses it."""
        import fcntl

        with contextlib.ExitStack() as stack:
            with storage_errors(self.path):
                self.path.parent.mkdir(exist_ok=True)
                lock = os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
                stack.callback(os.close, lock)
                fcntl.flock(lock, fcntl.LOCK_EX)
                if self.path.is_dir():
                    shutil.rmtree(self.path)
                self.path.mkdir()
            yield
