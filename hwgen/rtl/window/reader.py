"""The reader of a window buffer: a counter for each axis of a window, and the address they give."""

from amaranth import Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl.streams.loops import ring_sum, step_axes
from hwgen.rtl.synapses.scanner import chunk_layout
from hwgen.rtl.window.chunk_queue import ChunkQueue

PIPELINE = 3
"""Cycles from a read to its chunk, which enters the FIFOs in the next one."""


class WindowReader(wiring.Component):
    """Reads windows, a chunk a cycle for all scanners, as soon as their rows are there.

    Each scanner gets its slice of a chunk and the weight row that belongs to its first bit; where
    the slice is silent, it gets nothing, unless it ends the window. Taps outside the map yield the
    pad value's bits.

    Parameters
    ----------
    feed : :class:`hwgen.plan.units.hardware_plan.SynapticPathPlan`

    Members
    -------
    row_done : ``In(1)``
        The writer completes a row in this cycle.
    stored : ``In(range(plan.row_chunks + 1))``
        Chunks of the row that is being written.
    plane : ``In(range(plan.planes))``
        Its timestep.
    room : ``Out(1)``
        A row may be written.
    address : ``Out(range(plan.depth))``
    data : ``In(plan.chunk_width)``
        The memory's word, one cycle after ``address``.
    chunks : ``Out(stream.Signature(chunk_layout(plan.slice_width, weight_depth)))``
        One a scanner.
    """

    def __init__(self, feed):
        self._feed = feed
        self._plan = plan = feed.window
        chunk = chunk_layout(plan.slice_width, feed.weight_depth)
        super().__init__(
            {
                "row_done": In(1),
                "stored": In(range(plan.row_chunks + 1)),
                "plane": In(range(plan.planes)),
                "room": Out(1),
                "address": Out(range(plan.depth)),
                "data": In(plan.chunk_width),
                "chunks": Out(stream.Signature(chunk)).array(plan.scanners),
            }
        )

    def elaborate(self, platform):
        m = Module()
        plan = self._plan
        go = Signal()
        self._axes = axes = step_axes(m, go, self._sizes())
        window_end, pixel_end = axes["tap_y"].end, axes["round"].end

        ready = self._follow_writer(m)
        offset = self._count_offset(m, go, window_end, pixel_end)
        place, inside = self._count_place(m)
        if not plan.wide and any((plan.padding[1], plan.padding[3])):
            inside = inside & (offset >= 0) & (offset < plan.row_chunks)
        base = self._count_base(m, go, window_end, pixel_end)

        # Three stages: address, memory, its register, which has no logic before it, so that it can
        # be the block RAM's own. FIFOs keep room for what is under way.
        m.submodules.waiting = waiting = ChunkQueue(self._feed)
        m.d.comb += go.eq(ready & waiting.free)
        pitch_bits = plan.pitch.bit_length() - 1
        m.d.sync += self.address.eq(Cat(offset[:pitch_bits], place))
        last = Signal(PIPELINE)
        valid = Signal(PIPELINE)
        bases = [base, *(Signal.like(base, name=f"base_{n}") for n in range(PIPELINE))]
        insides = [inside, *(Signal(name=f"inside_{n}") for n in range(PIPELINE))]
        m.d.sync += [
            valid.eq(valid << 1 | go),
            last.eq(last << 1 | window_end),
            *(after.eq(before) for before, after in zip(bases, bases[1:], strict=False)),
            *(after.eq(before) for before, after in zip(insides, insides[1:], strict=False)),
        ]
        read = Signal(plan.chunk_width, reset_less=True)
        m.d.sync += read.eq(self.data)
        m.d.comb += [waiting.bits.eq(read), waiting.inside.eq(insides[-1])]
        if plan.pad_planes:
            pad = self._pad_bits(m, go)
            m.d.comb += [waiting.bits.eq(Mux(insides[-1], read, pad)), waiting.inside.eq(1)]
        m.d.comb += [
            waiting.push.eq(valid[-1]),
            waiting.base.eq(bases[-1]),
            waiting.last.eq(last[-1]),
        ]
        for given, taken in zip(waiting.chunks, self.chunks, strict=True):
            wiring.connect(m, given, wiring.flipped(taken))
        return m

    def _sizes(self):
        """The loop nest, innermost first."""
        plan = self._plan
        sizes = [("run", plan.run)]
        if self._feed.shared_taps:
            sizes = [("chunk", plan.chunks), ("run", plan.kernel[1])]
        sizes += [("tap_y", plan.kernel[0]), ("round", plan.rounds), ("out_x", plan.out_columns)]
        rows, times = ("out_y", plan.out_rows), ("time", plan.timesteps)
        return [*sizes, times, rows] if plan.planes > 1 else [*sizes, rows, times]

    def _of_row(self, m, values, name):
        """The value of each output row; most rows share one."""
        usual = max(set(values), key=values.count)
        signal = Signal(range(max(values) + 1), name=name, init=usual)
        m.d.comb += signal.eq(usual)
        with m.Switch(self._axes["out_y"].count):
            for out_row, value in enumerate(values):
                if value != usual:
                    with m.Case(out_row):
                        m.d.comb += signal.eq(value)
        return signal

    @property
    def _row_read(self):
        """An output row is read in all its timesteps."""
        return self._axes["time" if self._plan.planes > 1 else "out_x"].end

    def _follow_writer(self, m):
        """Whether the window's newest row is written as far as the window reads it."""
        plan = self._plan
        rows_of = range(plan.out_rows)
        needed = self._of_row(m, [plan.rows_needed(y) for y in rows_of], "needed")
        released = self._of_row(m, [plan.rows_released(y) for y in rows_of], "released")
        rows = Signal(range(plan.slots + 1))  # complete ones, since the oldest that is needed
        m.d.sync += rows.eq(rows + self.row_done)
        with m.If(self._row_read):
            m.d.sync += rows.eq(rows + self.row_done - released)
        m.d.comb += self.room.eq(rows != plan.slots)

        # What the window waits for, and the one after it in the row: which of them counts in the
        # next cycle is told late in this one.
        newest = [plan.newest_chunk(x) for x in range(plan.out_columns)]
        after = [*newest[1:], newest[0]]
        newest_now = Signal(range(plan.row_chunks + 1), init=newest[0])
        newest_next = Signal(range(plan.row_chunks + 1), init=after[0])
        out_x, row_end, _ = self._axes["out_x"]
        pixel_end = self._axes["round"].end
        with m.If(pixel_end):
            m.d.sync += newest_now.eq(newest_next)
            self._follow(m, newest_next, after, out_x)
        written = Signal(2)
        m.d.comb += written.eq(Cat(self.stored > newest_now, self.stored > newest_next))
        line_done = Signal()  # the row that is written is read in an earlier timestep
        same_line = Signal()
        m.d.comb += [line_done.eq(rows > needed), same_line.eq(rows == needed)]
        if plan.planes > 1:
            time = self._axes["time"].count
            m.d.comb += [
                line_done.eq((rows > needed) | ((rows == needed) & (self.plane > time))),
                same_line.eq((rows == needed) & (self.plane == time)),
            ]
        ready = Signal()
        m.d.sync += ready.eq(line_done | (same_line & written[0]))
        with m.If(pixel_end):
            m.d.sync += ready.eq(line_done | (same_line & written[1]))
        with m.If(row_end):
            m.d.sync += ready.eq(0)
        return ready

    def _follow(self, m, signal, values, index):
        """Step ``signal`` on from ``values[index]``, around the end, by its usual step."""
        steps = [b - a for a, b in zip(values, values[1:], strict=False)]
        usual = max(set(steps), key=steps.count) if steps else 0
        m.d.sync += signal.eq(signal + usual)
        with m.Switch(index):
            for place in range(len(values)):
                after = values[(place + 1) % len(values)]
                if place == len(values) - 1 or after - values[place] != usual:
                    with m.Case(place):
                        m.d.sync += signal.eq(after)

    def _count_place(self, m):
        """The tap's row and timestep in the buffer, and whether that row is in the map."""
        plan = self._plan
        size = plan.slots * plan.planes
        axes = self._axes
        row_end = axes["out_x"].end
        rows_of = range(plan.out_rows)
        released = [plan.rows_released(y) * plan.planes for y in rows_of]
        oldest = Signal(range(size))
        step = Signal(range(size))
        m.d.comb += step.eq(
            self._of_row(m, [(n - plan.planes + 1) % size for n in released], "distance")
        )
        if plan.planes > 1:
            with m.If(~axes["time"].last):
                m.d.comb += step.eq(1)
        following = ring_sum(m, oldest, step, size)
        place = Signal(range(size))
        with m.If(row_end):
            m.d.sync += oldest.eq(following)
        if plan.kernel[0] == 1:
            return oldest, Const(1)

        # Taps above the map take no place in the buffer.
        top = plan.padding[0]
        above = Signal(range(max(top, 1) + 1), init=top)  # rows of the kernel above the map
        above_left = Signal.like(above, init=top)
        below = [max(0, y * plan.stride[0] - top + plan.kernel[0] - plan.rows) for y in rows_of]
        inside = above_left == 0
        if any(below):
            inside &= axes["tap_y"].count < plan.kernel[0] - self._of_row(m, below, "below")
        tap_end = axes["run"].end
        with m.If(tap_end):
            with m.If(above_left != 0):
                m.d.sync += above_left.eq(above_left - 1)
            with m.Else():
                m.d.sync += place.eq(ring_sum(m, place, plan.planes % size, size))
        with m.If(axes["tap_y"].end):
            m.d.sync += [place.eq(oldest), above_left.eq(above)]
        with m.If(row_end):
            m.d.sync += place.eq(following)
        if top:
            tops = [max(0, top - y * plan.stride[0]) for y in rows_of]
            following_top = Signal.like(above)
            m.d.comb += following_top.eq(
                self._of_row(m, [tops[(y + 1) % len(tops)] for y in rows_of], "next_above")
            )
            advance = row_end if plan.planes == 1 else axes["time"].end
            with m.If(advance):
                m.d.sync += [above.eq(following_top), above_left.eq(following_top)]
        inside_y = Signal()
        m.d.comb += inside_y.eq(inside)
        return place, inside_y

    def _count_offset(self, m, go, window_end, pixel_end):
        """The chunk in a row of the buffer that the tap reads; negative left of the map."""
        plan = self._plan
        axes = self._axes
        if plan.wide:
            return axes["out_x"].count
        low = -plan.padding[1] * plan.chunks
        high = (plan.out_columns - 1) * plan.stride[1] * plan.chunks + plan.kernel[1] * plan.chunks
        span = signed(max(high, plan.pitch).bit_length() + 1)
        first = Signal(span, init=low)  # of the window
        offset = Signal(span, init=low)
        with m.If(go):
            m.d.sync += offset.eq(offset + (plan.chunks if plan.depthwise else 1))
        with m.If(axes["run"].end):
            m.d.sync += offset.eq(first)
        after = Signal(span)
        m.d.comb += after.eq(first)
        if plan.depthwise and plan.rounds > 1:
            m.d.comb += after.eq(first + 1)
            with m.If(window_end):
                m.d.sync += [first.eq(after), offset.eq(after)]
        with m.If(pixel_end):
            advance = plan.stride[1] * plan.chunks - (plan.rounds - 1 if plan.depthwise else 0)
            m.d.comb += after.eq(first + advance)
            m.d.sync += [first.eq(after), offset.eq(after)]
        with m.If(axes["out_x"].end):
            m.d.sync += [first.eq(low), offset.eq(low)]
        return offset

    def _count_base(self, m, go, window_end, pixel_end):
        """The weight row of the first bit of a slice."""
        feed, plan = self._feed, self._plan
        step = 1 if feed.kind == "masked" else plan.slice_width
        if feed.kind == "every":
            return Const(0, 0)
        base = Signal(range(feed.weight_depth))
        with m.If(go):
            m.d.sync += base.eq(base + step)
        if feed.shared_taps:
            # Each tap starts again at the rows of its round.
            first = Signal.like(base)
            with m.If(self._axes["chunk"].end):
                m.d.sync += base.eq(first)
            with m.If(window_end):
                m.d.sync += [first.eq(base + step), base.eq(base + step)]
            with m.If(pixel_end):
                m.d.sync += first.eq(0)
        with m.If(pixel_end):
            m.d.sync += base.eq(0)
        return base

    def _pad_bits(self, m, go):
        """The pad value's bits, in step with the register of the memory's word."""
        plan = self._plan
        early, late, pad = (Signal(plan.chunk_width, name=n) for n in ("early", "late", "pad"))
        chunk = self._chunk_of_pixel(m, go)
        taps = plan.kernel[1] if plan.wide else 1
        with m.Switch(self._axes["time"].count):
            for time, plane in enumerate(plan.pad_planes):
                with m.Case(time), m.Switch(chunk):
                    for index, bits in enumerate(plane):
                        with m.Case(index):
                            m.d.sync += early.eq(Const(bits, plan.pixel_width).replicate(taps))
        m.d.sync += [late.eq(early), pad.eq(late)]
        return pad

    def _chunk_of_pixel(self, m, go):
        """Which chunk of its pixel is read."""
        plan = self._plan
        if self._feed.shared_taps:
            return self._axes["chunk"].count
        if plan.depthwise:
            return self._axes["round"].count
        if plan.chunks == 1:
            return Const(0)
        return step_axes(m, go, [("chunk", plan.chunks)])["chunk"].count
