"""The event scanner: from chunks of spike bits to the addresses of their weights."""

from amaranth import Cat, Module, Signal, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out


def chunk_layout(width):
    """A chunk of a window: its bits, and whether it ends the window and the output pixel."""
    return data.StructLayout({"bits": unsigned(width), "last": 1, "wrap": 1})


def event_layout(depth):
    """An event: the weight row of a spike; ``hit`` is 0 where a chunk held none."""
    return data.StructLayout({"address": range(depth), "hit": 1, "last": 1})


class EventScanner(wiring.Component):
    """Turns a chunk of spike bits into the weight row of each set bit, lowest bit first.

    A chunk with n set bits takes max(1, n) cycles. The row is counted on by the chunk width from
    chunk to chunk, and starts again at 0 after a chunk with ``wrap``.

    Parameters
    ----------
    chunk_width : :class:`int`
        Bits in a chunk.
    depth : :class:`int`
        Rows of the weight memory: a multiple of ``chunk_width``.

    Members
    -------
    chunks : ``In(stream.Signature(chunk_layout(chunk_width)))``
    events : ``Out(stream.Signature(event_layout(depth)))``
        Three cycles after the chunk; ``last`` stands on the window's last event.
    busy : ``Out(1)``
        A chunk is being searched.
    """

    def __init__(self, *, chunk_width, depth):
        if not isinstance(chunk_width, int) or chunk_width < 1:
            raise TypeError(f"Chunk width must be a positive integer, not {chunk_width!r}")
        if not isinstance(depth, int) or depth < 1 or depth % chunk_width:
            raise TypeError(f"Depth must be a multiple of the chunk width, not {depth!r}")
        self._chunk_width = chunk_width
        self._depth = depth
        super().__init__(
            {
                "chunks": In(stream.Signature(chunk_layout(chunk_width))),
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

        # Search: the bits not yet sent. Subtracting 1 clears the lowest set bit.
        valid = Signal()
        bits = Signal(width)
        base = Signal(range(self._depth))
        next_base = Signal(range(self._depth))
        last = Signal()
        rest = Signal(width)
        found = Signal()
        m.d.comb += [rest.eq(bits & (bits - 1)), self.busy.eq(valid)]

        # One-hot: the bit found. Splitting search and encoding keeps both short.
        hot_valid = Signal()
        hot = Signal(width)
        hot_base = Signal.like(base)
        hot_hit = Signal()
        hot_last = Signal()
        hot_ready = Signal()
        m.d.comb += found.eq(valid & hot_ready)
        with m.If(hot_ready):
            m.d.sync += [
                hot_valid.eq(valid),
                hot.eq(bits & ~rest),
                hot_base.eq(base),
                hot_hit.eq(bits != 0),
                hot_last.eq(last & (rest == 0)),
            ]

        done = Signal()
        m.d.comb += [
            done.eq(found & (rest == 0)),
            self.chunks.ready.eq(~valid | done),
        ]
        with m.If(found):
            m.d.sync += bits.eq(rest)
        with m.If(self.chunks.ready):
            m.d.sync += [
                valid.eq(self.chunks.valid),
                bits.eq(self.chunks.payload.bits),
                last.eq(self.chunks.payload.last),
            ]
        with m.If(self.chunks.ready & self.chunks.valid):
            m.d.sync += [base.eq(next_base), next_base.eq(next_base + width)]
            with m.If(self.chunks.payload.wrap):
                m.d.sync += next_base.eq(0)

        # Address: the index of the one-hot bit on top of the chunk's first row.
        index = Signal(range(width))
        for place in range(len(index)):
            chosen = [hot[n] for n in range(width) if n >> place & 1]
            m.d.comb += index[place].eq(Cat(*chosen).any())
        event_ready = Signal()
        m.d.comb += [
            hot_ready.eq(~hot_valid | event_ready),
            event_ready.eq(~self.events.valid | self.events.ready),
        ]
        with m.If(event_ready):
            m.d.sync += [
                self.events.valid.eq(hot_valid),
                self.events.payload.address.eq(hot_base + index),
                self.events.payload.hit.eq(hot_hit),
                self.events.payload.last.eq(hot_last),
            ]
        return m
