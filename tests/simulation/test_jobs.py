"""Files exchanged between hwgen and the simulator process survive a round trip."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from pydantic import TypeAdapter

from hwgen.simulation.jobs import BenchJob
from hwgen.simulation.options import StallPattern
from hwgen.simulation.read_log import read_sample_cycles
from hwgen.simulation.simulation_log import (
    CheckerState,
    ExtraWord,
    SampleCycles,
    SimulationLog,
    SinkState,
    WrongWord,
)


def test_a_job_survives_a_round_trip(tmp_path: Path) -> None:
    job = BenchJob(
        samples=2,
        beats=[3, 4],
        taps=[0, 1],
        counters=5,
        quiet_limit=100,
        heartbeat_cycles=10,
        by_bus=True,
        idle=StallPattern.RANDOM,
        backpressure=StallPattern.NONE,
        seed=7,
        packets_file="packets.bin",
        log_file="log.json",
        progress_file="progress.txt",
    )
    job.write(tmp_path / "job.json")
    assert BenchJob.read(tmp_path / "job.json") == job


def test_a_simulation_log_survives_a_round_trip(tmp_path: Path) -> None:
    good = CheckerState(words=10, stalled=2)
    bad = CheckerState(
        words=9,
        stalled=0,
        wrong=WrongWord(word=3, data="1x0", expected="110"),
        extra=ExtraWord(word=10, data="111"),
        unstable=4,
    )
    log = SimulationLog(
        cycles=1000,
        quiet=3,
        stuck=False,
        packet_errors=2,
        beats=16,
        streams=(good, bad),
        results=good,
        sink=SinkState(packets=("00ff", "01"), empty=True),
        counters=(1, 2, 3),
    )
    log.write(tmp_path / "log.json")
    read = TypeAdapter(SimulationLog).validate_json((tmp_path / "log.json").read_bytes())
    assert read == log
    assert not (tmp_path / "log.part").exists()


def test_latency_and_interval_follow_from_the_cycles_of_samples(tmp_path: Path) -> None:
    (tmp_path / "cycles").write_text("i 5\ni 20\no 105\ni 60\no 155\no 207\n")
    cycles = read_sample_cycles(tmp_path / "cycles", samples=9)
    assert cycles.first_beats == (5, 20, 60)
    assert (cycles.latency, cycles.interval) == (100, 51.0)
    one = SampleCycles(first_beats=(5,), last_results=(9,))
    assert (one.latency, one.interval) == (4, None)
    none = SampleCycles(first_beats=(5,), last_results=())
    assert (none.latency, none.interval) == (None, None)


def test_the_simulator_process_imports_no_heavy_packages() -> None:
    """Every simulation starts this process; importing numpy would double its start-up time."""
    code = (
        "import sys, hwgen.simulation.jobs, hwgen.simulation.simulation_log\n"
        "print({'numpy', 'pydantic', 'yaml', 'jinja2'} & set(sys.modules) or '{}')"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "{}"
