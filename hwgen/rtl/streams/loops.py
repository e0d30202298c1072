"""Nested loop counters, addition modulo a buffer's size, and constants that a counter selects.

Sequences of constants are mostly regular, so only the exceptions cost logic.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from amaranth import Const, Module, Mux, Signal, Value
from amaranth.hdl import ValueLike


def ring_sum(m: Module, position: Value, distance: ValueLike, size: int) -> Value:
    """``position + distance`` modulo ``size``; both must be less than ``size``."""
    if size & (size - 1) == 0:
        total = Signal(range(size))
        m.d.comb += total.eq(position + distance)
        return total
    total = Signal(range(2 * size))
    wrapped = Signal(range(size))
    m.d.comb += [total.eq(position + distance), wrapped.eq(Mux(total >= size, total - size, total))]
    return wrapped


class Axis(NamedTuple):
    """One counter of a loop nest.

    ``end`` is 1 in the cycle in which it wraps, ``last`` while ``count`` has its maximum.
    """

    count: Value
    end: Value
    last: Value


def step_axes(m: Module, step: ValueLike, sizes: Iterable[tuple[str, int]]) -> dict[str, Axis]:
    """Nested counters, innermost first: each steps when all counters inside it wrap.

    A register holds whether a counter wraps with the next step, so that ``end`` is one product
    with ``step``, however deep the nest.
    """
    axes: dict[str, Axis] = {}
    inner = step  # the next counter inside wraps in this cycle
    nearly = None  # the innermost counter reaches its last value with the next step
    lasts = Const(1, 1)  # all counters further out are at theirs; they do not change in that step
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


def select_value(m: Module, values: Sequence[int], index: Value, name: str) -> Value:
    """``values[index]``, with the most frequent value as the default."""
    usual = max(set(values), key=values.count)
    signal = Signal(range(max(values) + 1), name=name, init=usual)
    m.d.comb += signal.eq(usual)
    with m.Switch(index):
        for position, value in enumerate(values):
            if value != usual:
                with m.Case(position):
                    m.d.comb += signal.eq(value)
    return signal


def advance(m: Module, signal: Value, values: Sequence[int], index: Value) -> None:
    """Step ``signal`` from ``values[index]`` to the next value, cyclically.

    The most frequent difference between neighbours is added; other steps load their value.
    """
    steps = [b - a for a, b in zip(values, values[1:], strict=False)]
    usual = max(set(steps), key=steps.count) if steps else 0
    m.d.sync += signal.eq(signal + usual)
    with m.Switch(index):
        for position, value in enumerate(values):
            following = values[(position + 1) % len(values)]
            if position == len(values) - 1 or following - value != usual:
                with m.Case(position):
                    m.d.sync += signal.eq(following)
