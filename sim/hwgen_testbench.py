"""Testbench: starts the core, waits for its results and writes the simulation log.

It decides nothing: :mod:`hwgen.simulation.difference` compares the log with golden afterwards.
Verilog checkers compare the core's words, because a coroutine that wakes at each clock edge would
be ten times as slow. ``HWGEN_SIM_JOB`` names the file of the job.
"""

import bisect
import itertools
import os
from pathlib import Path
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import First, RisingEdge, Timer

from hwgen.simulation.jobs import BenchJob
from hwgen.simulation.simulation_log import (
    CheckerState,
    ExtraWord,
    SimulationLog,
    SinkState,
    WrongWord,
)
from hwgen_axi_stream import Sink, Source
from hwgen_stall_patterns import pauses

PERIOD = 2
"""Length of a clock cycle in the simulator's time steps."""


@cocotb.test()
async def streams(dut: Any) -> None:
    """Send all samples and wait until all results have come or nothing moves any more."""
    job = BenchJob.read(os.environ["HWGEN_SIM_JOB"])
    dut.samples.value = job.samples
    dut.quiet_limit.value = job.quiet_limit
    dut.by_bus.value = job.by_bus
    Clock(dut.clk, PERIOD, unit="step", impl="gpi").start()
    await _reset(dut)
    sink = _drive(dut, job) if job.by_bus else None
    dut.go.value = 1

    done, stuck = RisingEdge(dut.done), RisingEdge(dut.stuck)
    while not (int(dut.done.value) or int(dut.stuck.value)):
        await First(done, stuck, Timer(job.heartbeat_cycles * PERIOD, "step"))
        progress = f"{int(dut.results.value)} {int(dut.cycle.value)}"
        Path(job.progress_file).write_text(progress, encoding="ascii")
    cycles, quiet = int(dut.cycle.value), int(dut.quiet.value)
    # Wait long enough for any surplus word to appear.
    await Timer((int(dut.longest_quiet.value) + 100) * PERIOD, "step")

    SimulationLog(
        cycles=cycles,
        quiet=quiet,
        stuck=bool(int(dut.stuck.value)),
        beats=int(dut.beats.value),
        streams=tuple(_state(getattr(dut, f"check_{tap}")) for tap in job.taps),
        results=_state(dut.check_results),
        sink=None if sink is None else _received(sink),
        counters=await _counters(dut, job.counters),
        packet_errors=int(dut.packet_errors.value),
    ).write(Path(job.log_file))


async def _reset(dut: Any) -> None:
    # A simulator that initialises registers at time 0 sees no edge there.
    await Timer(2 * PERIOD + 1, "step")
    dut.rst.value = 1
    await Timer(5 * PERIOD, "step")
    dut.rst.value = 0
    await Timer(3 * PERIOD, "step")


def _drive(dut: Any, job: BenchJob) -> Sink:
    """Connect AXI4-Stream models with their pauses to both ends and send the packets."""
    ends = list(itertools.accumulate(job.beats))

    def is_last_beat() -> bool:
        sent = int(dut.beats.value)
        return ends[min(bisect.bisect(ends, sent), len(ends) - 1)] - sent <= 2

    def is_last_result() -> bool:
        return bool(int(dut.m_axis_tvalid.value) and int(dut.m_axis_tlast.value))

    idle = pauses(job.idle, seed=2 * job.seed, at_end=is_last_beat)
    push = pauses(job.backpressure, seed=2 * job.seed + 1, at_end=is_last_result)
    source, sink = Source(dut, "s_axis", idle), Sink(dut, "m_axis", push)
    beat_bytes = len(dut.s_axis_tdata) // 8
    sent = Path(job.packets_file).read_bytes()
    bounds = itertools.pairwise([0, *ends])
    cocotb.start_soon(source.run([sent[a * beat_bytes : b * beat_bytes] for a, b in bounds]))
    cocotb.start_soon(sink.run())
    return sink


def _received(sink: Sink) -> SinkState:
    packets = tuple(packet.hex() for packet in sink.packets)
    return SinkState(packets=packets, empty=not sink.partial)


def _state(checker: Any) -> CheckerState:
    """State of a ``stream_checker.v``; words are strings of bits, for bits may be undefined."""
    wrong = extra = unstable = None
    if int(checker.differs.value):
        wrong = WrongWord(
            word=int(checker.wrong_word.value),
            data=str(checker.wrong_data.value),
            expected=str(checker.wrong_expected.value),
        )
    if int(checker.extra.value):
        extra = ExtraWord(word=int(checker.extra_word.value), data=str(checker.extra_data.value))
    if int(checker.unstable.value):
        unstable = int(checker.unstable_word.value)
    return CheckerState(
        words=int(checker.words.value),
        stalled=int(checker.stalled.value),
        wrong=wrong,
        extra=extra,
        unstable=unstable,
    )


async def _counters(dut: Any, count: int) -> tuple[int, ...]:
    values = []
    for address in range(count):
        dut.counter_address.value = address
        await Timer(2 * PERIOD, "step")
        values.append(int(dut.counter_data.value))
    return tuple(values)
