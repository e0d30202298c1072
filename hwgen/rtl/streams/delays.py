"""Delayed copies of signals, and recent events."""

import itertools

from amaranth import Module, Signal, Value
from amaranth.hdl import ValueLike


def delay(m: Module, signal: Value, cycles: int) -> Value:
    """``signal``, ``cycles`` cycles later."""
    for _ in range(cycles):
        later = Signal.like(signal, name="later")
        m.d.sync += later.eq(signal)
        signal = later
    return signal


def delay_line(
    m: Module, signal: Value, cycles: int, *, name: str, reset_less: bool = True
) -> list[Value]:
    """``signal`` and its copies, each one cycle later than the one before: ``name_1``, …"""
    stages = [signal]
    for n in range(1, cycles + 1):
        stages.append(Signal.like(signal, name=f"{name}_{n}", reset_less=reset_less))
    m.d.sync += [later.eq(before) for before, later in itertools.pairwise(stages)]
    return stages


def within(m: Module, event: Value, cycles: int) -> ValueLike:
    """Whether ``event``, at most once in ``cycles`` cycles, was 1 in the last ``cycles`` cycles."""
    if cycles < 1:
        return 0
    recent = Signal(name="recent")
    passed = Signal(cycles, name="passed")
    m.d.sync += passed.eq(passed << 1 | event)
    with m.If(event):
        m.d.sync += recent.eq(1)
    with m.Elif(passed[-1]):
        m.d.sync += recent.eq(0)
    return recent
