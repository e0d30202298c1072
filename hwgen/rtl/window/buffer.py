"""The window buffer: rows of spike words in, the chunks of every output pixel's window out."""

from amaranth import Cat, Module
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hwgen.rtl.synapses.scanner import chunk_layout
from hwgen.rtl.window.reader import WindowReader
from hwgen.rtl.window.writer import WindowWriter


class WindowBuffer(wiring.Component):
    """Keeps the newest rows of a map and yields the chunks of each window that reads them.

    A row's place is free once no window needs it.

    Parameters
    ----------
    feed : :class:`hwgen.plan.units.hardware_plan.SynapticPathPlan`

    Members
    -------
    words : ``In(stream.Signature(plan.word_width))``
        In the order of ``plan.schedule``.
    chunks : ``Out(stream.Signature(chunk_layout(plan.slice_width, weight_depth)))``
        One a scanner. For each output pixel, in the same order, and each round: the window's
        chunks in the order (y, x, chunk). The first one comes seven cycles after the word that
        completes it.
    """

    def __init__(self, feed):
        self._feed = feed
        plan = feed.window
        chunk = chunk_layout(plan.slice_width, feed.weight_depth)
        super().__init__(
            {
                "words": In(stream.Signature(plan.word_width)),
                "chunks": Out(stream.Signature(chunk)).array(plan.scanners),
            }
        )

    def elaborate(self, platform):
        m = Module()
        plan = self._feed.window
        m.submodules.writer = writer = WindowWriter(plan)
        m.submodules.reader = reader = WindowReader(self._feed)
        m.submodules.memory = memory = Memory(
            shape=plan.chunk_width, depth=plan.depth, init=[], attrs={"no_rw_check": 1}
        )
        write_port, read_port = memory.write_port(), memory.read_port()
        pitch_bits = plan.pitch.bit_length() - 1
        m.d.comb += [
            writer.room.eq(reader.room),
            reader.row_done.eq(writer.row_done),
            reader.stored.eq(writer.stored),
            reader.plane.eq(writer.plane),
            read_port.addr.eq(reader.address),
            reader.data.eq(read_port.data),
        ]
        # A block RAM may lie far from the writer. The reader needs two cycles to hear of a chunk
        # and one for the address, so that one cycle for the way there delays nothing.
        m.d.sync += [
            write_port.addr.eq(Cat(writer.stored[:pitch_bits], writer.place)),
            write_port.data.eq(writer.chunk),
            write_port.en.eq(writer.write),
        ]
        wiring.connect(m, wiring.flipped(self.words), writer.words)
        for given, taken in zip(reader.chunks, self.chunks, strict=True):
            wiring.connect(m, given, wiring.flipped(taken))
        return m
