"""Runs inside the simulator: a host on the serial port of a board's shell."""

from __future__ import annotations

import random

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, FallingEdge, with_timeout

BIT_CYCLES = 8
PERIOD_NS = 10


async def send(dut, data: bytes) -> None:
    """Send bytes over the serial line: start bit 0, eight data bits, lowest first, stop bit 1."""
    for byte in data:
        for bit in (0, *((byte >> i) & 1 for i in range(8)), 1):
            dut.rx.value = bit
            await ClockCycles(dut.clk, BIT_CYCLES)


async def receive(dut, count: int) -> bytes:
    data = bytearray()
    for _ in range(count):
        await with_timeout(FallingEdge(dut.tx), 20_000 * PERIOD_NS, "ns")
        await ClockCycles(dut.clk, BIT_CYCLES // 2)
        bits = []
        for _ in range(9):
            await ClockCycles(dut.clk, BIT_CYCLES)
            bits.append(int(dut.tx.value))
        assert bits[8] == 1, "no stop bit"
        data.append(sum(bit << i for i, bit in enumerate(bits[:8])))
    return bytes(data)


async def start(dut) -> None:
    dut.rx.value = 1
    dut.reset_n.value = 0
    cocotb.start_soon(Clock(dut.clk, PERIOD_NS, unit="ns").start())
    await ClockCycles(dut.clk, 30)
    dut.reset_n.value = 1
    await ClockCycles(dut.clk, 30)


def expected(pixels: bytes) -> bytes:
    words = (sum(pixels), max(pixels), sum(pixels) % 2)
    return b"".join(word.to_bytes(4, "little") for word in words)


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def samples_and_counters_go_through(dut):
    """Noise is ignored, every sample's result returns, and a counter can be read."""
    rng = random.Random(1)
    await start(dut)
    await send(dut, b"\x00xyz")
    for _ in range(3):
        pixels = rng.randbytes(16)
        reply = cocotb.start_soon(receive(dut, 12))
        await send(dut, b"P" + pixels)
        assert await reply == expected(pixels)
    reply = cocotb.start_soon(receive(dut, 4))
    await send(dut, b"C\x01")
    assert int.from_bytes(await reply, "little") == 3
    reply = cocotb.start_soon(receive(dut, 4))
    await send(dut, b"S")
    assert int.from_bytes(await reply, "little") == 37
    reply = cocotb.start_soon(receive(dut, 4))
    await send(dut, b"C\x01")
    assert int.from_bytes(await reply, "little") == 3


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def beats_one_by_one(dut):
    """Address events are sent one by one, a different number in each sample."""
    rng = random.Random(2)
    await start(dut)
    for count in (1, 5, 11):
        events = [rng.randbytes(2) for _ in range(count)]
        reply = cocotb.start_soon(receive(dut, 12))
        for event in events[:-1]:
            await send(dut, b"E" + event)
        await send(dut, b"L" + events[-1])
        assert await reply == expected(b"".join(events))


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def reset_drops_half_a_sample(dut):
    """The reset button discards a half-sent sample."""
    await start(dut)
    await send(dut, b"P" + bytes([255] * 7))
    dut.reset_n.value = 0
    await ClockCycles(dut.clk, 30)
    dut.reset_n.value = 1
    await ClockCycles(dut.clk, 30)
    pixels = bytes(range(16))
    reply = cocotb.start_soon(receive(dut, 12))
    await send(dut, b"P" + pixels)
    assert await reply == expected(pixels)
