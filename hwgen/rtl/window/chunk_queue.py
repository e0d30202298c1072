"""Chunks that wait for their scanners."""

from amaranth import Cat, Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hwgen.rtl.synapses.priority_encoder import encode_lowest
from hwgen.rtl.synapses.scanner import chunk_layout

DEPTH = 16
"""Places of each FIFO."""
UNDER_WAY = 5
"""Chunks that may still come once there seems to be no room."""


class ChunkQueue(wiring.Component):
    """A FIFO for each scanner's slices of the chunks that a reader brings.

    A silent slice is dropped, unless it ends the window: so a scanner spends no cycle on it. A
    feed of kind "every" drops none.

    Parameters
    ----------
    feed : :class:`hwgen.plan.units.hardware_plan.SynapticPathPlan`

    Members
    -------
    free : ``Out(1)``
        Every FIFO takes another chunk beside the ``UNDER_WAY`` ones that may be on their way.
    push, last : ``In(1)``
        A chunk comes, and the last one of its window. It enters in the next cycle, when what its
        slices hold is known.
    bits : ``In(plan.chunk_width)``
    inside : ``In(1)``
        It lies in the map; else its bits count as 0.
    base : ``In(range(weight_depth))``
    chunks : ``Out(stream.Signature(chunk_layout(plan.slice_width, weight_depth)))``, an array
    """

    def __init__(self, feed):
        self._feed = feed
        plan = feed.window
        self._layout = chunk_layout(plan.slice_width, feed.weight_depth)
        super().__init__(
            {
                "free": Out(1),
                "push": In(1),
                "last": In(1),
                "bits": In(plan.chunk_width),
                "inside": In(1),
                "base": In(range(feed.weight_depth)),
                "chunks": Out(stream.Signature(self._layout)).array(plan.scanners),
            }
        )

    def elaborate(self, platform):
        m = Module()
        plan = self._feed.window
        every = self._feed.kind == "every"
        free = Signal(plan.scanners)  # a cycle late
        base = Signal.like(self.base, reset_less=True)
        last = Signal(reset_less=True)
        m.d.comb += self.free.eq(free.all())
        m.d.sync += [base.eq(self.base), last.eq(self.last)]
        for index, (bits, chunks) in enumerate(zip(plan.places, self.chunks, strict=True)):
            m.submodules[f"memory_{index}"] = memory = Memory(
                shape=self._layout, depth=DEPTH, init=[]
            )
            write_port = memory.write_port()
            read_port = memory.read_port(domain="comb")
            given = Signal(plan.slice_width, name="given")
            slice_bits = Signal(plan.slice_width, reset_less=True)
            several = Signal(reset_less=True)
            push = Signal()
            pop = Signal()
            level = Signal(range(DEPTH + 1))
            m.d.comb += [
                given.eq(Cat(self.bits[bit] if bit >= 0 else Const(0, 1) for bit in bits)),
                write_port.en.eq(push),
                write_port.data.bits.eq(slice_bits),
                write_port.data.base.eq(base),
                write_port.data.last.eq(last),
                write_port.data.two_or_more.eq(several),
                chunks.valid.eq(level != 0),
                chunks.payload.eq(read_port.data),
                pop.eq(chunks.valid & chunks.ready),
            ]
            m.d.sync += [
                push.eq(self.push & ((given.any() & self.inside) | self.last | every)),
                slice_bits.eq(Mux(self.inside, given, 0)),
                free[index].eq(level < DEPTH - UNDER_WAY),
            ]
            if self._feed.kind == "events":
                m.d.sync += several.eq(encode_lowest(m, given).two_or_more & self.inside)
            # Not level + push - pop: nobody waits for a carry that begins with a late pop.
            with m.If(push & ~pop):
                m.d.sync += level.eq(level + 1)
            with m.If(pop & ~push):
                m.d.sync += level.eq(level - 1)
            with m.If(push):
                m.d.sync += write_port.addr.eq(write_port.addr + 1)
            with m.If(pop):
                m.d.sync += read_port.addr.eq(read_port.addr + 1)
        return m
