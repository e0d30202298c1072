"""Delayed copies of signals, and recent events."""

from amaranth import Module, Signal, Value
from amaranth.hdl import ValueLike


def delay(m: Module, signal: Value, cycles: int) -> Value:
    """``signal``, ``cycles`` cycles later."""
    for _ in range(cycles):
        later = Signal.like(signal, name="later")
        m.d.sync += later.eq(signal)
        signal = later
    return signal


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
