"""The chunk queue: FIFOs of chunks in front of the scanners."""

from amaranth import Cat, Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hwgen.plan.units.latencies import CHUNK_QUEUE_DEPTH, CHUNKS_IN_FLIGHT
from hwgen.plan.units.synaptic_path import PathKind, SynapticPathPlan
from hwgen.rtl.parameters import Parameter
from hwgen.rtl.synapses.priority_encoder import encode_lowest
from hwgen.rtl.synapses.scanner import chunk_layout


class ChunkQueue(wiring.Component):
    """A FIFO per scanner for its slices of the chunks that a reader delivers.

    A silent slice is dropped unless it ends the window, so that it takes no scanner cycle. A path
    of kind "every" drops none.

    Members
    -------
    room : ``Out(1)``
        Every FIFO has a slot for one more chunk besides the ``CHUNKS_IN_FLIGHT`` ones.
    push, last : ``In(1)``
        A chunk arrives; it is the last one of its window. It is stored in the next cycle, once
        its slices are known to be silent or not.
    bits : ``In(path.window.chunk_width)``
    inside : ``In(1)``
        The chunk lies in the map; otherwise its bits count as 0.
    base : ``In(range(path.weight_depth))``
    chunks : ``Out(stream.Signature(chunk_layout(path.window.slice_width, path.weight_depth)))``
        One stream per scanner.
    """

    path = Parameter(SynapticPathPlan)

    def __init__(self, *, path: SynapticPathPlan) -> None:
        self.path = path
        plan = path.window
        self._layout = chunk_layout(plan.slice_width, path.weight_depth)
        members = {
            "room": Out(1),
            "push": In(1),
            "last": In(1),
            "bits": In(plan.chunk_width),
            "inside": In(1),
            "base": In(range(path.weight_depth)),
            "chunks": Out(stream.Signature(self._layout)).array(plan.scanners),
        }
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        plan = self.path.window
        every = self.path.kind == PathKind.EVERY
        room = Signal(plan.scanners)  # registered, so one cycle late
        base = Signal.like(self.base, reset_less=True)
        last = Signal(reset_less=True)
        m.d.comb += self.room.eq(room.all())
        m.d.sync += [base.eq(self.base), last.eq(self.last)]
        for index, (bits, chunks) in enumerate(zip(plan.owned_bits, self.chunks, strict=True)):
            m.submodules[f"memory_{index}"] = memory = Memory(
                shape=self._layout, depth=CHUNK_QUEUE_DEPTH, init=[]
            )
            write_port = memory.write_port()
            read_port = memory.read_port(domain="comb")
            owned = Signal(plan.slice_width, name="owned")
            slice_bits = Signal(plan.slice_width, reset_less=True)
            two_or_more = Signal(reset_less=True)
            push = Signal()
            pop = Signal()
            level = Signal(range(CHUNK_QUEUE_DEPTH + 1))
            m.d.comb += [
                owned.eq(Cat(self.bits[bit] if bit >= 0 else Const(0, 1) for bit in bits)),
                write_port.en.eq(push),
                write_port.data.bits.eq(slice_bits),
                write_port.data.base.eq(base),
                write_port.data.last.eq(last),
                write_port.data.two_or_more.eq(two_or_more),
                chunks.valid.eq(level != 0),
                chunks.payload.eq(read_port.data),
                pop.eq(chunks.valid & chunks.ready),
            ]
            m.d.sync += [
                push.eq(self.push & ((owned.any() & self.inside) | self.last | every)),
                slice_bits.eq(Mux(self.inside, owned, 0)),
                room[index].eq(level < CHUNK_QUEUE_DEPTH - CHUNKS_IN_FLIGHT),
            ]
            if self.path.kind == PathKind.SPIKES:
                m.d.sync += two_or_more.eq(encode_lowest(m, owned).two_or_more & self.inside)
            # Not level + push - pop: pop arrives late in its cycle, and a carry chain would follow.
            with m.If(push & ~pop):
                m.d.sync += level.eq(level + 1)
            with m.If(pop & ~push):
                m.d.sync += level.eq(level - 1)
            with m.If(push):
                m.d.sync += write_port.addr.eq(write_port.addr + 1)
            with m.If(pop):
                m.d.sync += read_port.addr.eq(read_port.addr + 1)
        return m
