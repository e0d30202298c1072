"""The writer of a window buffer: words of a map in, chunks at their places out."""

from amaranth import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl.streams.loops import ring_sum, step_axes


class WindowWriter(wiring.Component):
    """Packs words into chunks and gives each its place in the buffer.

    For a wide window it keeps the newest pixels of the row, so that what it writes is a whole row
    of the kernel, taps outside the map included; for those beyond the last pixel it writes on for
    a few cycles, in which it takes no word.

    Parameters
    ----------
    plan : :class:`hwgen.plan.units.geometry.WindowPlan`

    Members
    -------
    words : ``In(stream.Signature(plan.word_width))``
    room : ``In(1)``
        A row may be written.
    write : ``Out(1)``
    place : ``Out(range(plan.slots * plan.planes))``
        The row, and the timestep in it, that is written.
    stored : ``Out(range(plan.row_chunks + 1))``
        Chunks that it holds already.
    chunk : ``Out(plan.chunk_width)``
    plane : ``Out(range(plan.planes))``
        The timestep of the row.
    row_done : ``Out(1)``
        This chunk completes a row in all its timesteps.
    """

    def __init__(self, plan):
        self._plan = plan
        super().__init__(
            {
                "words": In(stream.Signature(plan.word_width)),
                "room": In(1),
                "write": Out(1),
                "place": Out(range(plan.slots * plan.planes)),
                "stored": Out(range(plan.row_chunks + 1)),
                "chunk": Out(plan.chunk_width),
                "plane": Out(range(plan.planes)),
                "row_done": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        plan = self._plan

        # Words enter a chunk from the top.
        take = Signal()
        complete = Signal()
        line_end = Signal()  # the last chunk of a row in one timestep
        m.d.comb += take.eq(self.words.valid & self.words.ready)
        axes = step_axes(m, take, [("word", plan.words), ("column", plan.columns)])
        pixel_done, last_pixel = axes["word"].end, axes["column"].end
        pixel = self.words.payload
        if plan.pack > 1:
            held = Signal(plan.word_width * (plan.pack - 1))
            pixel = Cat(held, self.words.payload)
            with m.If(take):
                m.d.sync += held.eq(pixel[plan.word_width :])
            if plan.words % plan.pack:  # the last chunk of a pixel has fewer words
                with m.If(complete):
                    m.d.sync += held.eq(0)
        if plan.chunks == 1:
            m.d.comb += complete.eq(pixel_done)
        elif plan.pack == 1:
            m.d.comb += complete.eq(take)
        else:
            place = Signal(range(plan.pack))
            full = Signal()  # with the next word
            m.d.comb += complete.eq(pixel_done | (take & full))
            with m.If(take):
                m.d.sync += [place.eq(place + 1), full.eq(place == plan.pack - 2)]
            with m.If(complete):
                m.d.sync += [place.eq(0), full.eq(0)]

        if plan.wide:
            self._write_wide(m, pixel, pixel_done, last_pixel, line_end)
        else:
            m.d.comb += [
                self.words.ready.eq(self.room),
                self.chunk.eq(pixel),
                self.write.eq(complete),
                line_end.eq(last_pixel),
            ]

        # Where it writes.
        plane = step_axes(m, line_end, [("plane", plan.planes)])["plane"]
        m.d.comb += [self.plane.eq(plane.count), self.row_done.eq(plane.end)]
        with m.If(self.write):
            m.d.sync += self.stored.eq(self.stored + 1)
        with m.If(line_end):
            m.d.sync += [
                self.stored.eq(0),
                self.place.eq(ring_sum(m, self.place, 1, plan.slots * plan.planes)),
            ]
        return m

    def _write_wide(self, m, pixel, pixel_done, last_pixel, line_end):
        """The row of pixels that ends with this one, every ``stride`` pixels."""
        plan = self._plan
        taps, width = plan.kernel[1], plan.pixel_width
        first = taps - 1 - plan.padding[1]  # the pixel that completes the first row of taps
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
        if plan.flush:
            left = Signal(range(plan.flush + 1))
            m.d.comb += [
                self.words.ready.eq(self.room & (left == 0)),
                shift.eq(pixel_done | (left != 0)),
                line_end.eq(left == 1),
            ]
            with m.If(left != 0):
                m.d.sync += left.eq(left - 1)
                m.d.comb += newest.eq(self._of_plane(m, self._pads(1)))
            with m.Else():
                m.d.comb += newest.eq(pixel)
            with m.If(last_pixel):
                m.d.sync += left.eq(plan.flush)
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
            m.d.sync += [until.eq(first), history.eq(self._of_plane(m, following))]

    def _pads(self, taps):
        """In each timestep, the bits of ``taps`` taps outside the map."""
        plan = self._plan
        planes = plan.pad_planes or ((0,),) * plan.planes
        return [sum(bits << n * plan.pixel_width for n in range(taps)) for (bits,) in planes]

    def _of_plane(self, m, values):
        """The value of the timestep that is written."""
        if len(set(values)) == 1:
            return values[0]
        chosen = Signal(max(value.bit_length() for value in values), name="pad")
        with m.Switch(self.plane):
            for plane, value in enumerate(values):
                with m.Case(plane):
                    m.d.comb += chosen.eq(value)
        return chosen
