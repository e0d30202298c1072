"""The event scanner: from chunks of spike bits to the addresses of their weights."""

from itertools import combinations, permutations
from typing import NamedTuple

from amaranth import Cat, Const, Module, Signal, Value, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl.streams.credit_fifo import CreditFifo


def chunk_layout(width, depth):
    """A chunk of a window: its bits, the weight row of the first, whether it ends the window, and
    whether two or more of its bits are 1, which only a scanner asks for.

    ``depth`` is the number of rows.
    """
    return data.StructLayout(
        {"bits": unsigned(width), "base": range(depth), "last": 1, "several": 1}
    )


def spike_index_layout(depth):
    """An event: the weight row of a spike; ``hit`` is 0 where a chunk held none."""
    return data.StructLayout({"address": range(depth), "hit": 1, "last": 1})


class SpikeScanner(wiring.Component):
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
    events : ``Out(stream.Signature(spike_index_layout(depth)))``
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
                "events": Out(stream.Signature(spike_index_layout(depth))),
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
        m.submodules.fifo = fifo = CreditFifo(shape=spike_index_layout(self._depth))
        valid = Signal()
        chunk = Signal.like(self.chunks.payload, reset_less=True)
        step = Signal()
        load = Signal()
        found = look(m, chunk.bits)
        # Known a cycle before, since all that brings the next chunk waits for it.
        several = Signal(reset_less=True)
        m.d.comb += [
            step.eq(valid & fifo.credit),
            load.eq(~valid | (step & ~several)),
            self.chunks.ready.eq(load),
            fifo.reserve.eq(step),
            self.busy.eq(valid),
        ]
        with m.If(load):
            m.d.sync += [
                valid.eq(self.chunks.valid),
                chunk.eq(self.chunks.payload),
                several.eq(self.chunks.payload.several),
            ]
        with m.If(step & several):
            m.d.sync += [
                chunk.bits.eq(without_lowest(m, found, chunk.bits)),
                several.eq(found.many),
            ]

        # The index of the bit goes on top of the row of the chunk's first bit.
        stepped = Signal()
        place = Signal.like(found.index, reset_less=True)
        event = Signal(spike_index_layout(self._depth), reset_less=True)
        m.d.sync += [
            stepped.eq(step),
            place.eq(found.index),
            event.address.eq(chunk.base),
            event.hit.eq(found.some),
            event.last.eq(chunk.last & ~several),
            fifo.push.eq(stepped),
            fifo.push_data.eq(event),
            fifo.push_data.address.eq(event.address + place),
        ]
        wiring.connect(m, fifo.words, wiring.flipped(self.events))
        return m


class Found(NamedTuple):
    """What is known of some bits: whether one of them is 1, or two, or three, and the index of the
    lowest. ``parts`` are the same of their up to four parts, of ``size`` bits each."""

    some: Value
    several: Value
    many: Value
    index: Value
    size: int = 0
    parts: tuple["Found", ...] = ()


def look(m, bits):
    """Look at ``bits`` in groups of four, at groups of groups, and so on: each takes about one
    look-up table a result, so that few lie between a chunk and what is left of it."""
    if len(bits) == 1:
        none = Const(0, 1)
        return Found(some=bits, several=none, many=none, index=Const(0, 0))
    size = 1
    while 4 * size < len(bits):
        size *= 4
    parts = [look(m, bits[n : n + size]) for n in range(0, len(bits), size)]
    some, several, many = (Signal(name=name) for name in ("some", "several", "many"))
    index = Signal(range(len(bits)), name="index")
    pairs = [a.some & b.some for a, b in combinations(parts, 2)]
    triples = [a.some & b.some & c.some for a, b, c in combinations(parts, 3)]
    pairs_and_one = [a.several & b.some for a, b in permutations(parts, 2)]
    m.d.comb += [
        some.eq(Cat(part.some for part in parts).any()),
        several.eq(Cat(*pairs, *(part.several for part in parts)).any()),
        many.eq(Cat(*triples, *pairs_and_one, *(part.many for part in parts)).any()),
    ]
    for n, part in reversed(tuple(enumerate(parts))):
        with m.If(part.some):
            m.d.comb += index.eq(n * size | part.index)
    return Found(some, several, many, index, size, tuple(parts))


def without_lowest(m, found, bits, first=1):
    """``bits`` without the lowest that is 1; all of them unless ``first``: none is 1 before."""
    if not found.parts:
        return bits & ~first
    rests = []
    for n, part in enumerate(found.parts):
        lowest = Signal(name="lowest")
        m.d.comb += lowest.eq(first & ~Cat(before.some for before in found.parts[:n]).any())
        start = n * found.size
        rests.append(without_lowest(m, part, bits[start : start + found.size], lowest))
    return Cat(*rests)
