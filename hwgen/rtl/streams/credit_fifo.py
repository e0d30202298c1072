"""A small FIFO whose free places are reserved before the data comes."""

from amaranth import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

TAPS = {3: (1, 0), 7: (2, 1), 15: (3, 2), 31: (4, 2)}
"""Of the shift register that counts so far (Xilinx XAPP052, table 3)."""


class SlotCounter(wiring.Component):
    """Goes round the places of a small memory: a shift register, one LUT whatever the size.

    It visits all words of 2, 3, 4 or 5 bits, each once: that of zeros by one more term in the
    feedback.

    Parameters
    ----------
    depth : :class:`int`
        One less than the words.

    Members
    -------
    step : ``In(1)``
    index : ``Out(range(depth + 1))``
    before : ``Out(range(depth + 1))``
        The index before this one.
    """

    def __init__(self, depth):
        self._depth = depth
        super().__init__(
            {"step": In(1), "index": Out(range(depth + 1)), "before": Out(range(depth + 1))}
        )

    def elaborate(self, platform):
        m = Module()
        high, low = TAPS[self._depth]
        left = Signal(init=1)
        feedback = self.index[high] ^ self.index[low] ^ (self.index[:-1] == 0)
        m.d.comb += self.before.eq(Cat(self.index[1:], left))
        with m.If(self.step):
            m.d.sync += Cat(self.index, left).eq(Cat(feedback, self.index))
        return m


class CreditFifo(wiring.Component):
    """Ends a pipeline that cannot stop: ``promise`` takes a place when work enters the pipeline.

    ``free`` tells that a place can be reserved. A word pushed in cycle n can be read from cycle
    n + 1 on.

    Parameters
    ----------
    shape : shape-like
        Of a word.
    depth : :class:`int`
        Places: 3, 7, 15 or 31.

    Members
    -------
    free : ``Out(1)``
    promise : ``In(1)``
        Takes a place; only while ``free``.
    push : ``In(1)``
    push_data : ``In(shape)``
        Fills a reserved place.
    words : ``Out(stream.Signature(shape))``
    """

    def __init__(self, *, shape, depth=15):
        if depth not in TAPS:
            raise TypeError(f"FIFO depth must be 3, 7, 15 or 31, not {depth!r}")
        self._shape = shape
        self._depth = depth
        super().__init__(
            {
                "credit": Out(1),
                "reserve": In(1),
                "push": In(1),
                "push_data": In(self._shape),
                "words": Out(stream.Signature(self._shape)),
            }
        )

    @property
    def depth(self):
        return self._depth

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = Memory(shape=self._shape, depth=self._depth + 1, init=[])
        write_port = memory.write_port()
        read_port = memory.read_port(domain="comb")
        # One place stays empty, so that equal indices mean that nothing is there.
        m.submodules.reserved = reserved = SlotCounter(self._depth)
        m.submodules.pushed = pushed = SlotCounter(self._depth)
        m.submodules.popped = popped = SlotCounter(self._depth)
        m.d.comb += [
            self.credit.eq(reserved.index != popped.before),
            reserved.step.eq(self.reserve),
            pushed.step.eq(self.push),
            popped.step.eq(self.words.valid & self.words.ready),
            self.words.valid.eq(pushed.index != popped.index),
            write_port.addr.eq(pushed.index),
            write_port.data.eq(self.push_data),
            write_port.en.eq(self.push),
            read_port.addr.eq(popped.index),
            self.words.payload.eq(read_port.data),
        ]
        return m
