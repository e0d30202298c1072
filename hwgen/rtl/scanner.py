"""The event scanner: from chunks of spike bits to the addresses of their weights."""

from amaranth import Cat, Const, Module, Signal, unsigned
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
        Four cycles after the chunk; ``last`` stands on the window's last event. Up to fifteen
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
        m.submodules.fifo = fifo = PromiseFifo(shape=event_layout(self._depth))
        valid = Signal()
        chunk = Signal.like(self.chunks.payload, reset_less=True)
        step = Signal()
        load = Signal()
        index, rest, final = self._find_lowest(m, chunk.bits)
        m.d.comb += [
            step.eq(valid & fifo.free),
            load.eq(~valid | (step & final)),
            self.chunks.ready.eq(load),
            fifo.promise.eq(step),
            self.busy.eq(valid),
        ]
        with m.If(step):
            m.d.sync += chunk.bits.eq(rest)
        with m.If(load):
            m.d.sync += [valid.eq(self.chunks.valid), chunk.eq(self.chunks.payload)]

        # The index of the bit goes on top of the row of the chunk's first bit.
        found = Signal()
        place = Signal.like(index, reset_less=True)
        event = Signal(event_layout(self._depth), reset_less=True)
        m.d.sync += [
            found.eq(step),
            place.eq(index),
            event.address.eq(chunk.base),
            event.hit.eq(chunk.bits != 0),
            event.last.eq(chunk.last & final),
            fifo.push.eq(found),
            fifo.push_data.eq(event),
            fifo.push_data.address.eq(event.address + place),
        ]
        wiring.connect(m, fifo.words, wiring.flipped(self.events))
        return m

    def _find_lowest(self, m, bits):
        """Index of the lowest bit that is 1, ``bits`` without it, and whether these are all 0.

        Bits are looked at in groups of four: what a group says of itself is one look-up table.
        """
        width = self._chunk_width
        index = Signal(range(width))
        rest = Signal(width)
        final = Signal()
        groups = [bits[n : n + 4] for n in range(0, width, 4)]
        some = Signal(len(groups))
        first = Signal(len(groups))
        several = Signal(len(groups))
        low, high = Const(0, 2), Const(0, max(1, (len(groups) - 1).bit_length()))
        for n, group in enumerate(groups):
            pairs = [group[a] & group[b] for a in range(len(group)) for b in range(a)]
            m.d.comb += [
                some[n].eq(group.any()),
                first[n].eq(~some[:n].any()),
                several[n].eq(Cat(*pairs).any() | (~first[n] & some[n])),
            ]
            chosen = first[n] & some[n]
            place = Signal(2, name=f"place_{n}")
            for lane in reversed(range(len(group))):
                with m.If(group[lane]):
                    m.d.comb += place.eq(lane)
            low = low | (place & chosen.replicate(2))
            high = high | (Const(n, len(high)) & chosen.replicate(len(high)))
            for lane in range(len(group)):
                lowest = first[n] & ~group[:lane].any()
                m.d.comb += rest[4 * n + lane].eq(group[lane] & ~lowest)
        m.d.comb += [final.eq(~several.any()), index.eq(Cat(low, high))]
        return index, rest, final
