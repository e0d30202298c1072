"""A small FIFO whose free places are promised before the data comes."""

from amaranth import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out


class PromiseFifo(wiring.Component):
    """Ends a pipeline that cannot stop: ``promise`` takes a place when work enters the pipeline.

    ``free`` tells that a place can be promised. A word pushed in cycle n can be read from cycle
    n + 1 on.

    Parameters
    ----------
    shape : shape-like
        Of a word.
    depth : :class:`int`
        Places, a power of two.

    Members
    -------
    free : ``Out(1)``
    promise : ``In(1)``
        Takes a place; only while ``free``.
    push : ``In(1)``
    push_data : ``In(shape)``
        Fills a promised place.
    words : ``Out(stream.Signature(shape))``
    """

    def __init__(self, *, shape, depth=8):
        if not isinstance(depth, int) or depth < 2 or depth & (depth - 1):
            raise TypeError(f"FIFO depth must be a power of two of at least 2, not {depth!r}")
        self._shape = shape
        self._depth = depth
        super().__init__(
            {
                "free": Out(1),
                "promise": In(1),
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
        m.submodules.memory = memory = Memory(shape=self._shape, depth=self._depth, init=[])
        write_port = memory.write_port()
        read_port = memory.read_port(domain="comb")

        promised = Signal(range(self._depth + 1))
        level = Signal(range(self._depth + 1))
        push_index = Signal(range(self._depth))
        pop_index = Signal(range(self._depth))
        pop = Signal()

        m.d.comb += [
            self.free.eq(promised != self._depth),
            pop.eq(self.words.valid & self.words.ready),
            self.words.valid.eq(level != 0),
            write_port.addr.eq(push_index),
            write_port.data.eq(self.push_data),
            write_port.en.eq(self.push),
            read_port.addr.eq(pop_index),
            self.words.payload.eq(read_port.data),
        ]
        m.d.sync += [
            promised.eq(promised + self.promise - pop),
            level.eq(level + self.push - pop),
        ]
        with m.If(self.push):
            m.d.sync += push_index.eq(push_index + 1)
        with m.If(pop):
            m.d.sync += pop_index.eq(pop_index + 1)
        return m
