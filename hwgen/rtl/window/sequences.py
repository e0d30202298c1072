"""Sequences of constants that a counter selects: mostly regular, so only exceptions cost logic."""

from collections.abc import Sequence

from amaranth import Module, Signal, Value


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
