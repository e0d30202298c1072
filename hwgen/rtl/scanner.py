"""The event scanner: from chunks of spike bits to the addresses of their weights."""

from amaranth import Cat, Module, Signal, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl.fifo import PromiseFifo


def chunk_layout(width, depth):
    """A chunk of a window: its bits, the weight row of the first, and whether it ends the window.

    ``depth`` is the number of rows.
    """
    return data.StructLayout({"bits": unsigned(width), "base": range(depth), "last": 1})


def event_layout(depth):
    """An event: the weight row of a spike; ``hit`` is 0 where a chunk held none."""
    return data.StructLayout({"address": range(depth), "hit": 1, "last": 1})


class EventScanner(wiring.Component):
    """Turns a chunk of spike bits into the weight row of each set bit, lowest bit first.

    A chunk with n set bits takes max(1, n) cycles.

    Parameters
    ----------
    chunk_width : :class:`int`
        Bits in a chunk.
    depth : :class:`int`
        Rows of the weight memory.

    Members
    -------
    chunks : ``In(stream.Signature(chunk_layout(chunk_width, depth)))``
    events : ``Out(stream.Signature(event_layout(depth)))``
        Five cycles after the chunk; ``last`` stands on the window's last event. Up to eight
        wait here, which evens out windows of unlike length.
    busy : ``Out(1)``
        A chunk is being searched.
    """

    def __init__(self, *, chunk_width, depth):
        if not isinstance(chunk_width, int) or chunk_width < 1:
            raise TypeError(f"Chunk width must be a positive integer, not {chunk_width!r}")
        if not isinstance(depth, int) or depth < 1:
            raise TypeError(f"Depth must be a positive integer, not {depth!r}")
        self._chunk_width = chunk_width
        self._depth = depth
        super().__init__(
            {
                "chunks": In(stream.Signature(chunk_layout(chunk_width, depth))),
                "events": Out(stream.Signature(event_layout(depth))),
                "busy": Out(1),
            }
        )

    @property
    def chunk_width(self):
        return self._chunk_width

    @property
    def depth(self):
        return self._depth

    def elaborate(self, platform):
        m = Module()
        width = self._chunk_width
        chunk = self.chunks.payload

        def without_lowest(bits):
            """Subtracting 1 changes the lowest set bit and the zeros below it."""
            return bits & (bits - 1)

        # Look ahead: what is left of the chunk after its first event.
        ahead_valid = Signal()
        ahead = Signal.like(chunk, reset_less=True)
        ahead_rest = Signal(width, reset_less=True)
        load = Signal()
        m.d.comb += self.chunks.ready.eq(~ahead_valid | load)
        with m.If(self.chunks.ready):
            m.d.sync += [
                ahead_valid.eq(self.chunks.valid),
                ahead.eq(chunk),
                ahead_rest.eq(without_lowest(chunk.bits)),
            ]

        # Search: an event a cycle, the chunk's last one where nothing is left after it.
        m.submodules.fifo = fifo = PromiseFifo(shape=event_layout(self._depth))
        valid = Signal()
        bits = Signal(width, reset_less=True)
        rest = Signal(width, reset_less=True)
        base = Signal(range(self._depth), reset_less=True)
        last = Signal()
        step = Signal()
        final = Signal()
        m.d.comb += [
            step.eq(valid & fifo.free),
            final.eq(rest == 0),
            load.eq(~valid | (step & final)),
            fifo.promise.eq(step),
            self.busy.eq(valid),
        ]
        with m.If(step):
            m.d.sync += [bits.eq(rest), rest.eq(without_lowest(rest))]
        with m.If(load):
            m.d.sync += [
                valid.eq(ahead_valid),
                bits.eq(ahead.bits),
                rest.eq(ahead_rest),
                base.eq(ahead.base),
                last.eq(ahead.last),
            ]

        # One-hot: the bit that goes.
        hot_valid = Signal()
        hot = Signal(width, reset_less=True)
        hot_base = Signal.like(base, reset_less=True)
        hot_last = Signal(reset_less=True)
        m.d.sync += [
            hot_valid.eq(step),
            hot.eq(bits & ~rest),
            hot_base.eq(base),
            hot_last.eq(last & final),
        ]

        # Address: its index on top of the chunk's first row.
        index = Signal(range(width))
        for place in range(len(index)):
            chosen = [hot[n] for n in range(width) if n >> place & 1]
            m.d.comb += index[place].eq(Cat(*chosen).any())
        m.d.sync += [
            fifo.push.eq(hot_valid),
            fifo.push_data.address.eq(hot_base + index),
            fifo.push_data.hit.eq(hot != 0),
            fifo.push_data.last.eq(hot_last),
        ]
        wiring.connect(m, fifo.words, wiring.flipped(self.events))
        return m
