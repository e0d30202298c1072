"""Counting around a ring."""

from typing import NamedTuple

from amaranth import Const, Mux, Signal, Value


def ring_sum(m, place, distance, size):
    """``place`` + ``distance`` around a ring of ``size``, both below it."""
    if size & (size - 1) == 0:
        total = Signal(range(size))
        m.d.comb += total.eq(place + distance)
        return total
    total = Signal(range(2 * size))
    wrapped = Signal(range(size))
    m.d.comb += [
        total.eq(place + distance),
        wrapped.eq(Mux(total >= size, total - size, total)),
    ]
    return wrapped


class Axis(NamedTuple):
    """A counter of a loop nest: its count, whether it wraps in this cycle, and whether the count is
    the last one."""

    count: Value
    end: Value
    last: Value


def step_axes(m, step, sizes):
    """Nested counters, innermost first: each steps when all inside it wrap.

    Returns ``{name: Axis}``. That an axis wraps with the next step is a register, so that ``end``
    is one product of ``step``, however deep the nest is.
    """
    axes = {}
    inner = step  # the axis inside wraps in this cycle
    nearly = None  # the innermost count becomes the last one with the next step
    lasts = Const(1, 1)  # all further ones are; they do not change in that step
    for name, size in sizes:
        count = Signal(range(size), name=name)
        if size == 1:
            axes[name] = Axis(count, inner, Const(1, 1))
            continue
        end = Signal(name=f"{name}_end")
        last = Signal(name=f"{name}_last")
        with m.If(inner):
            m.d.sync += [count.eq(count + 1), last.eq(count == size - 2)]
        with m.If(end):
            m.d.sync += [count.eq(0), last.eq(0)]
        if nearly is None:
            nearly = count == size - 2
            wraps = last
        else:
            lasts = lasts & last
            wraps = Signal(name=f"{name}_wraps")
            with m.If(step):
                m.d.sync += wraps.eq(nearly & lasts)
        m.d.comb += end.eq(step & wraps)
        axes[name] = Axis(count, end, last)
        inner = end
    return axes
