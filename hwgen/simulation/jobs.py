"""Jobs of the child processes of a simulation, as JSON files.

Both sides import this module: hwgen, and the processes that run cocotb, which load nothing else of
hwgen. It therefore imports only the standard library.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from hwgen.simulation.options import StallPattern


@dataclass(frozen=True, kw_only=True)
class Job:
    """Arguments of a child process; paths are absolute."""

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, path: str | Path) -> Self:
        return cls(**json.loads(Path(path).read_text(encoding="utf-8")))


@dataclass(frozen=True, kw_only=True)
class CompileJob(Job):
    """Compile ``sources`` into a simulator of the module ``top``, in ``folder``."""

    simulator: str
    top: str
    sources: list[str]
    arguments: list[str]
    folder: str
    waves: bool


@dataclass(frozen=True, kw_only=True)
class RunJob(Job):
    """Run the simulator in ``folder``, from the working directory ``cwd``.

    ``testbench_job`` is the file of the :class:`BenchJob`, ``results_xml`` cocotb's own report.
    """

    simulator: str
    top: str
    folder: str
    cwd: str
    results_xml: str
    testbench_job: str
    seed: int
    waves: bool
    plusargs: list[str]
    arguments: list[str]


@dataclass(frozen=True, kw_only=True)
class BenchJob(Job):
    """Settings of ``sim/hwgen_testbench.py``.

    Parameters
    ----------
    samples, beats, counters
        Results to wait for, beats of each input packet, number of hardware counters.
    taps : list of int
        Taps whose checkers are read.
    quiet_limit, heartbeat_cycles : int
        Cycles without a transfer that count as a deadlock, and between two reports of progress.
    by_bus : bool
        Whether AXI4-Stream models in Python drive both ends, with the pauses of ``idle`` and
        ``backpressure``, which ``seed`` determines.
    packets_file, log_file, progress_file : str
        Input packets; simulation log and progress, which the testbench writes.
    """

    samples: int
    beats: list[int]
    taps: list[int]
    counters: int
    quiet_limit: int
    heartbeat_cycles: int
    by_bus: bool
    idle: StallPattern
    backpressure: StallPattern
    seed: int
    packets_file: str
    log_file: str
    progress_file: str
