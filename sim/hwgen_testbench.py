"""What runs inside the simulator: starts the core, waits for its results, reads what was seen.

It decides nothing: all that it sees goes into a file, and :mod:`hwgen.simulation.difference`
judges it outside.
The core's words are compared by the Verilog checkers; a coroutine that woke at each clock edge
would be ten times as slow. ``HWGEN_SIM_JOB`` names the file with what is to be done.
"""

import bisect
import itertools
import json
import logging
import os
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import First, RisingEdge, Timer

from hwgen_stall_patterns import pauses

PERIOD = 2
"""Length of a clock cycle in steps of the simulator's time."""


@cocotb.test()
async def streams(dut):
    """Send all samples, wait until their results have come or nothing moves any more."""
    job = json.loads(Path(os.environ["HWGEN_SIM_JOB"]).read_text(encoding="utf-8"))
    dut.samples.value = job["samples"]
    dut.quiet_limit.value = job["quiet_limit"]
    by_bus = job["by_bus"]
    dut.by_bus.value = by_bus
    Clock(dut.clk, PERIOD, unit="step", impl="gpi").start()
    await _reset(dut)
    sink = _drive(dut, job) if by_bus else None
    dut.go.value = 1

    done, stuck = RisingEdge(dut.done), RisingEdge(dut.stuck)
    while not (int(dut.done.value) or int(dut.stuck.value)):
        await First(done, stuck, Timer(job["heartbeat_cycles"] * PERIOD, "step"))
        _tell(dut, job)
    cycles, quiet = int(dut.cycle.value), int(dut.quiet.value)
    # Words too many come no later than those before did.
    await Timer((int(dut.longest_quiet.value) + 100) * PERIOD, "step")

    seen = {
        "cycles": cycles,
        "quiet": quiet,
        "stuck": bool(int(dut.stuck.value)),
        "beats": int(dut.beats.value),
        "results": int(dut.results.value),
        "streams": [_state(getattr(dut, f"check_{tap}")) for tap in job["taps"]],
        "result_stream": _state(dut.check_results),
        "bus": None if sink is None else _frames(sink),
        "counters": await _counters(dut, job["counters"]),
    }
    path = Path(job["seen_file"])
    path.with_suffix(".part").write_text(json.dumps(seen), encoding="utf-8")
    path.with_suffix(".part").replace(path)


async def _reset(dut):
    # At time 0 it would be no event for a simulator that initialises registers then.
    await Timer(2 * PERIOD + 1, "step")
    dut.rst.value = 1
    await Timer(5 * PERIOD, "step")
    dut.rst.value = 0
    await Timer(3 * PERIOD, "step")


def _drive(dut, job):
    """Put AXI4-Stream models with their pauses at both ends; gives the sink."""
    from cocotbext.axi import AxiStreamBus, AxiStreamSink, AxiStreamSource

    source = AxiStreamSource(AxiStreamBus.from_prefix(dut, "s_axis"), dut.clk, byte_size=8)
    sink = AxiStreamSink(AxiStreamBus.from_prefix(dut, "m_axis"), dut.clk, byte_size=8)
    for model in (source, sink):
        model.log.setLevel(logging.WARNING)

    ends = list(itertools.accumulate(job["beats"]))

    def last_beat():
        sent = int(dut.beats.value)
        return ends[min(bisect.bisect(ends, sent), len(ends) - 1)] - sent <= 2

    def last_result():
        return bool(int(dut.m_axis_tvalid.value) and int(dut.m_axis_tlast.value))

    seed = job["seed"]
    if idle := pauses(job["idle"], seed=2 * seed, at_end=last_beat):
        source.set_pause_generator(idle)
    if push := pauses(job["backpressure"], seed=2 * seed + 1, at_end=last_result):
        sink.set_pause_generator(push)
    packets = Path(job["packets_file"]).read_bytes()
    for start, end in itertools.pairwise([0, *ends]):
        source.send_nowait(packets[start * source.byte_lanes : end * source.byte_lanes])
    return sink


def _frames(sink):
    """What the sink has received, and whether anything is left in it."""
    frames = [bytes(sink.recv_nowait().tdata).hex() for _ in range(sink.count())]
    return {"frames": frames, "empty": sink.empty() and sink.idle()}


def _tell(dut, job):
    Path(job["progress_file"]).write_text(f"{int(dut.results.value)} {int(dut.cycle.value)}")


def _state(checker):
    """What a ``stream_checker.v`` holds; words as strings of bits, for they may be undefined."""
    state = {"words": int(checker.words.value), "stalled": int(checker.stalled.value)}
    if int(checker.differs.value):
        state["wrong"] = {
            "word": int(checker.wrong_word.value),
            "data": str(checker.wrong_data.value),
            "expected": str(checker.wrong_expected.value),
        }
    if int(checker.extra.value):
        state["extra"] = {
            "word": int(checker.extra_word.value),
            "data": str(checker.extra_data.value),
        }
    if int(checker.unstable.value):
        state["unstable"] = int(checker.unstable_word.value)
    return state


async def _counters(dut, count):
    values = []
    for address in range(count):
        dut.counter_address.value = address
        await Timer(2 * PERIOD, "step")
        values.append(int(dut.counter_data.value))
    return values
