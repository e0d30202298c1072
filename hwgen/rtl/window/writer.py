"""The window writer: words of a map in, chunks with their slot in the buffer out."""

from collections.abc import Sequence

from amaranth import Cat, Module, Signal, Value
from amaranth.hdl import ValueLike
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.plan.units.geometry import WindowPlan
from hwgen.rtl.parameters import Parameter
from hwgen.rtl.streams.loops import ring_sum, step_axes


class WindowWriter(wiring.Component):
    """Packs words into chunks and assigns each a slot of the buffer.

    For a wide window it keeps the newest pixels of the row and writes a whole row of the kernel as
    one chunk, with taps outside the map. Chunks with taps beyond the last pixel follow in extra
    cycles, in which it takes no word.

    Members
    -------
    words : ``In(stream.Signature(plan.word_width))``
    room : ``In(1)``
        A row may be written.
    write : ``Out(1)``
    slot : ``Out(range(plan.slots * plan.planes))``
        Slot of the row and timestep that is written.
    stored : ``Out(range(plan.row_chunks + 1))``
        Chunks already in that slot.
    chunk : ``Out(plan.chunk_width)``
    plane : ``Out(range(plan.planes))``
        Timestep of the row.
    row_done : ``Out(1)``
        This chunk completes a row in all its timesteps.
    """

    plan = Parameter(WindowPlan)

    def __init__(self, *, plan: WindowPlan) -> None:
        self.plan = plan
        members = {
            "words": In(stream.Signature(plan.word_width)),
            "room": In(1),
            "write": Out(1),
            "slot": Out(range(plan.slots * plan.planes)),
            "stored": Out(range(plan.row_chunks + 1)),
            "chunk": Out(plan.chunk_width),
            "plane": Out(range(plan.planes)),
            "row_done": Out(1),
        }
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        plan = self.plan

        # Words enter a chunk from the top.
        take = Signal()
        complete = Signal()
        line_end = Signal()  # the last chunk of a row in one timestep
        m.d.comb += take.eq(self.words.valid & self.words.ready)
        axes = step_axes(m, take, [("word", plan.words), ("column", plan.columns)])
        pixel_done, last_pixel = axes["word"].end, axes["column"].end
        pixel = self.words.payload
        if plan.pack > 1:
            earlier = Signal(plan.word_width * (plan.pack - 1))
            pixel = Cat(earlier, self.words.payload)
            with m.If(take):
                m.d.sync += earlier.eq(pixel[plan.word_width :])
            if plan.words % plan.pack:  # the last chunk of a pixel has fewer words
                with m.If(complete):
                    m.d.sync += earlier.eq(0)
        if plan.chunks == 1:
            m.d.comb += complete.eq(pixel_done)
        elif plan.pack == 1:
            m.d.comb += complete.eq(take)
        else:
            packed = Signal(range(plan.pack))
            full = Signal()  # the next word completes the chunk
            m.d.comb += complete.eq(pixel_done | (take & full))
            with m.If(take):
                m.d.sync += [packed.eq(packed + 1), full.eq(packed == plan.pack - 2)]
            with m.If(complete):
                m.d.sync += [packed.eq(0), full.eq(0)]

        if plan.wide:
            self._write_wide(m, pixel, pixel_done, last_pixel, line_end)
        else:
            m.d.comb += [
                self.words.ready.eq(self.room),
                self.chunk.eq(pixel),
                self.write.eq(complete),
                line_end.eq(last_pixel),
            ]

        # Slot and position in it.
        plane = step_axes(m, line_end, [("plane", plan.planes)])["plane"]
        m.d.comb += [self.plane.eq(plane.count), self.row_done.eq(plane.end)]
        with m.If(self.write):
            m.d.sync += self.stored.eq(self.stored + 1)
        with m.If(line_end):
            m.d.sync += [
                self.stored.eq(0),
                self.slot.eq(ring_sum(m, self.slot, 1, plan.slots * plan.planes)),
            ]
        return m

    def _write_wide(
        self, m: Module, pixel: Value, pixel_done: Value, last_pixel: Value, line_end: Value
    ) -> None:
        """Write the kernel row that ends with the newest pixel, every ``stride`` pixels."""
        plan = self.plan
        taps, width = plan.kernel[1], plan.pixel_width
        first = taps - 1 - plan.padding[1]  # the pixel that completes the first kernel row
        stride = plan.stride[1]
        shift = Signal()
        newest = Signal(width)
        history = Signal(width * (taps - 1), init=self._pads(taps - 1)[0])
        m.d.comb += self.chunk.eq(Cat(history, newest))
        until = Signal(range(max(first, stride - 1) + 1), init=first)
        m.d.comb += self.write.eq(shift & (until == 0) & (self.stored != plan.out_columns))
        with m.If(shift):
            m.d.sync += [history.eq(self.chunk[width:]), until.eq(until - 1)]
            with m.If(until == 0):
                m.d.sync += until.eq(stride - 1)
        if plan.flush_chunks:
            flushes_left = Signal(range(plan.flush_chunks + 1))
            m.d.comb += [
                self.words.ready.eq(self.room & (flushes_left == 0)),
                shift.eq(pixel_done | (flushes_left != 0)),
                line_end.eq(flushes_left == 1),
            ]
            with m.If(flushes_left != 0):
                m.d.sync += flushes_left.eq(flushes_left - 1)
                m.d.comb += newest.eq(self._select_plane(m, self._pads(1)))
            with m.Else():
                m.d.comb += newest.eq(pixel)
            with m.If(last_pixel):
                m.d.sync += flushes_left.eq(plan.flush_chunks)
        else:
            m.d.comb += [
                self.words.ready.eq(self.room),
                shift.eq(pixel_done),
                newest.eq(pixel),
                line_end.eq(last_pixel),
            ]
        pads = self._pads(taps - 1)
        following = pads[1:] + pads[:1]
        with m.If(line_end):
            m.d.sync += [until.eq(first), history.eq(self._select_plane(m, following))]

    def _pads(self, taps: int) -> list[int]:
        """Bits of ``taps`` taps outside the map, for each timestep."""
        plan = self.plan
        planes = plan.pad_planes or ((0,),) * plan.planes
        return [sum(bits << n * plan.pixel_width for n in range(taps)) for (bits,) in planes]

    def _select_plane(self, m: Module, values: Sequence[int]) -> ValueLike:
        """The value of the timestep that is written."""
        if len(set(values)) == 1:
            return values[0]
        selected = Signal(max(value.bit_length() for value in values), name="pad")
        with m.Switch(self.plane):
            for plane, value in enumerate(values):
                with m.Case(plane):
                    m.d.comb += selected.eq(value)
        return selected
