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

    Returns ``{name: (count, end)}``; ``end`` tells that the counter wraps in this cycle. Whether a
    count is the last one is a register, so that a step of the outermost counter is one product.
    """
    axes = {}
    for name, size in sizes:
        count = Signal(range(size), name=name)
        end = Signal(name=f"{name}_end")
        if size == 1:
            m.d.comb += end.eq(step)
        else:
            at_last = Signal(name=f"{name}_last")
            m.d.comb += end.eq(step & at_last)
            with m.If(step):
                m.d.sync += [count.eq(count + 1), at_last.eq(count == size - 2)]
            with m.If(end):
                m.d.sync += [count.eq(0), at_last.eq(0)]
        axes[name] = (count, end)
        step = end
    return axes
