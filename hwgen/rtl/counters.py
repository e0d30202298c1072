"""Performance counters, read by address, and a counter that saturates."""

from collections.abc import Sequence

from amaranth import Array, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl.parameters import Parameter, is_positive

COUNTER_WIDTH = 32
ERROR_WIDTH = 8


def popcount(bits: Value) -> Value:
    """Number of ones in ``bits``, as a tree of adders."""
    counts = list(bits)
    while len(counts) > 1:
        pairs = [a + b for a, b in zip(counts[::2], counts[1::2], strict=False)]
        counts = pairs + counts[len(counts) & ~1 :]
    return counts[0]


class CounterBank(wiring.Component):
    """Accumulates each input in every cycle; the sums wrap at 32 bits.

    Members
    -------
    step_N : ``In(widths[N])``
    address : ``In(range(len(widths)))``
    data : ``Out(32)``
        The addressed counter, one cycle later.
    """

    widths = Parameter[tuple[int, ...]](
        tuple, rule="positive integers", accepts=lambda widths: all(map(is_positive, widths))
    )
    """Bits of each counter's input."""

    def __init__(self, *, widths: Sequence[int]) -> None:
        self.widths = tuple(widths)
        members = {
            **{f"step_{n}": In(width) for n, width in enumerate(self.widths)},
            "address": In(range(max(2, len(self.widths)))),
            "data": Out(COUNTER_WIDTH),
        }
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        sums = []
        for index in range(len(self.widths)):
            total = Signal(COUNTER_WIDTH, name=f"counter_{index}")
            step = Signal.like(getattr(self, f"step_{index}"))
            m.d.sync += [step.eq(getattr(self, f"step_{index}")), total.eq(total + step)]
            sums.append(total)
        m.d.sync += self.data.eq(Array(sums)[self.address])
        return m


class SaturatingCounter(wiring.Component):
    """Counts the cycles with ``step``, two cycles later, up to its maximum; a reset clears it.

    Members
    -------
    step : ``In(1)``
    total : ``Out(8)``
    """

    def __init__(self) -> None:
        super().__init__({"step": In(1), "total": Out(ERROR_WIDTH)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        step = Signal()
        m.d.sync += step.eq(self.step)
        with m.If(step & ~self.total.all()):
            m.d.sync += self.total.eq(self.total + 1)
        return m
