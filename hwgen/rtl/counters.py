"""Performance counters, read by address."""

from amaranth import Array, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

WIDTH = 32


def popcount(bits):
    """How many of ``bits`` are 1, added in pairs."""
    counts = list(bits)
    while len(counts) > 1:
        pairs = [a + b for a, b in zip(counts[::2], counts[1::2], strict=False)]
        counts = pairs + counts[len(counts) & ~1 :]
    return counts[0]


class CounterBank(wiring.Component):
    """Adds up each of its inputs every cycle; the sums wrap at 32 bits.

    Parameters
    ----------
    widths : sequence of :class:`int`
        Bits of what each counter adds in a cycle.

    Members
    -------
    steps : one ``In(width)`` a counter, named ``step_N``
    address : ``In(range(len(widths)))``
    data : ``Out(32)``
        The addressed counter, one cycle later.
    """

    def __init__(self, widths):
        self._widths = tuple(widths)
        super().__init__(
            {
                **{f"step_{n}": In(width) for n, width in enumerate(self._widths)},
                "address": In(range(max(2, len(self._widths)))),
                "data": Out(WIDTH),
            }
        )

    def elaborate(self, platform):
        m = Module()
        sums = []
        for index in range(len(self._widths)):
            total = Signal(WIDTH, name=f"counter_{index}")
            step = Signal.like(getattr(self, f"step_{index}"))
            m.d.sync += [step.eq(getattr(self, f"step_{index}")), total.eq(total + step)]
            sums.append(total)
        m.d.sync += self.data.eq(Array(sums)[self.address])
        return m
