"""The window buffer: rows of spike words in, the chunks of every output pixel's window out."""

from amaranth import Cat, Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.plan.units.synaptic_path import SynapticPathPlan
from hwgen.rtl.memory import block_memory
from hwgen.rtl.parameters import Parameter
from hwgen.rtl.synapses.scanner import chunk_layout
from hwgen.rtl.window.reader import WindowReader
from hwgen.rtl.window.writer import WindowWriter


class WindowBuffer(wiring.Component):
    """Stores the newest rows of a map and yields the chunks of each window that reads them.

    The slot of a row is free once no window needs the row.

    Members
    -------
    words : ``In(stream.Signature(path.window.word_width))``
        In the order of the plan's schedule.
    chunks : ``Out(stream.Signature(chunk_layout(path.window.slice_width, path.weight_depth)))``
        One stream per scanner. For each output pixel in the order of the schedule, and each round:
        the chunks of the window in the order (y, x, chunk). The first chunk of a window comes seven
        cycles after the word that completes it.
    """

    path = Parameter(SynapticPathPlan)

    def __init__(self, *, path: SynapticPathPlan) -> None:
        self.path = path
        plan = path.window
        chunk = chunk_layout(plan.slice_width, path.weight_depth)
        members = {
            "words": In(stream.Signature(plan.word_width)),
            "chunks": Out(stream.Signature(chunk)).array(plan.scanners),
        }
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        plan = self.path.window
        m.submodules.writer = writer = WindowWriter(plan=plan)
        m.submodules.reader = reader = WindowReader(path=self.path)
        m.submodules.memory = memory = block_memory(shape=plan.chunk_width, depth=plan.depth)
        write_port, read_port = memory.write_port(), memory.read_port()
        pitch_bits = plan.row_pitch.bit_length() - 1
        m.d.comb += [
            writer.room.eq(reader.room),
            reader.row_done.eq(writer.row_done),
            reader.stored.eq(writer.stored),
            reader.plane.eq(writer.plane),
            read_port.addr.eq(reader.address),
            reader.data.eq(read_port.data),
        ]
        # A block RAM may lie far from the writer, so the write port is registered. This costs no
        # latency: the reader takes two cycles to see a chunk and one more to form its address.
        m.d.sync += [
            write_port.addr.eq(Cat(writer.stored[:pitch_bits], writer.slot)),
            write_port.data.eq(writer.chunk),
            write_port.en.eq(writer.write),
        ]
        wiring.connect(m, wiring.flipped(self.words), writer.words)
        for inner, outer in zip(reader.chunks, self.chunks, strict=True):
            wiring.connect(m, inner, wiring.flipped(outer))
        return m
