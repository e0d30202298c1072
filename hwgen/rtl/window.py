"""The window buffer: rows of spike words in, the chunks of every output pixel's window out."""

from amaranth import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hwgen.rtl.reader import WindowReader
from hwgen.rtl.scanner import chunk_layout


class WindowBuffer(wiring.Component):
    """Keeps the newest rows of a map and yields the chunks of each window that reads them.

    Words come pixel by pixel; ``pack`` of them make a chunk. Each scanner has its own slice of
    every chunk, in its own memory with its own reader, so that scanners run apart from each
    other. A row's place is free once no reader needs it.

    Parameters
    ----------
    plan : :class:`hwgen.plan.hardware.WindowPlan`

    Members
    -------
    words : ``In(stream.Signature(plan.word_width))``
    chunks : ``Out(stream.Signature(chunk_layout(plan.slice_width))).array(plan.scanners)``
        For each output row, column and fold: the window's chunks in the order (y, x, chunk).
        The first one comes five cycles after the word that completes it.
    """

    def __init__(self, plan):
        self._plan = plan
        super().__init__(
            {
                "words": In(stream.Signature(plan.word_width)),
                "chunks": Out(stream.Signature(chunk_layout(plan.slice_width))).array(
                    plan.scanners
                ),
            }
        )

    @property
    def plan(self):
        return self._plan

    def elaborate(self, platform):
        m = Module()
        plan = self._plan
        readers = [WindowReader(plan, index) for index in range(plan.scanners)]

        # Pack words into chunks: one memory word each.
        place = Signal(range(plan.pack))
        word = Signal(range(plan.words))
        held = Signal(plan.chunk_width)
        chunk = Signal(plan.chunk_width)
        take = Signal()
        complete = Signal()
        pixel_done = Signal()
        m.d.comb += [
            take.eq(self.words.valid & self.words.ready),
            pixel_done.eq(take & (word == plan.words - 1)),
            complete.eq(take & ((place == plan.pack - 1) | (word == plan.words - 1))),
        ]
        with m.Switch(place):
            for index in range(plan.pack):
                with m.Case(index):
                    m.d.comb += chunk.eq(held | (self.words.payload << (index * plan.word_width)))
        with m.If(take):
            m.d.sync += [held.eq(chunk), place.eq(place + 1), word.eq(word + 1)]
            with m.If(complete):
                m.d.sync += [held.eq(0), place.eq(0)]
            with m.If(pixel_done):
                m.d.sync += word.eq(0)

        # Where the writer stands: an address, and the column that comes next.
        address = Signal(range(plan.depth))
        column = Signal(range(plan.columns))
        row_done = Signal()
        m.d.comb += row_done.eq(pixel_done & (column == plan.columns - 1))
        with m.If(complete):
            m.d.sync += address.eq(address + 1)
            with m.If(address == plan.depth - 1):
                m.d.sync += address.eq(0)
        with m.If(pixel_done):
            m.d.sync += column.eq(column + 1)
        with m.If(row_done):
            m.d.sync += column.eq(0)

        room = Signal(plan.scanners)
        m.d.comb += self.words.ready.eq(room.all())
        for index, reader in enumerate(readers):
            m.submodules[f"reader_{index}"] = reader
            m.submodules[f"memory_{index}"] = memory = Memory(
                shape=plan.slice_width, depth=plan.depth, init=[], attrs={"no_rw_check": 1}
            )
            write_port = memory.write_port()
            read_port = memory.read_port()
            first = index * plan.slice_width
            m.d.comb += [
                write_port.addr.eq(address),
                write_port.data.eq(chunk[first : first + plan.slice_width]),
                write_port.en.eq(complete),
                read_port.addr.eq(reader.address),
                reader.data.eq(read_port.data),
                reader.row_done.eq(row_done),
                reader.column.eq(column),
                room[index].eq(reader.room),
            ]
            wiring.connect(m, reader.chunks, wiring.flipped(self.chunks[index]))
        return m
