"""Counting around a ring."""

from amaranth import Mux, Signal


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


def step_axes(m, step, sizes):
    """Nested counters, innermost first: each steps when all inside it wrap.

    Returns ``{name: (count, end)}``; ``end`` tells that the counter wraps in this cycle.
    """
    axes = {}
    for name, size in sizes:
        count = Signal(range(size), name=name)
        end = Signal(name=f"{name}_end")
        m.d.comb += end.eq(step & (count == size - 1))
        with m.If(step):
            m.d.sync += count.eq(count + 1)
        if size & (size - 1):
            with m.If(end):
                m.d.sync += count.eq(0)
        axes[name] = (count, end)
        step = end
    return axes
