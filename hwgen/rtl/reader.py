"""The reader of a window buffer: a counter for each axis of a window, and the address they give."""

from amaranth import Module, Signal, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl.fifo import PromiseFifo
from hwgen.rtl.scanner import chunk_layout


class WindowReader(wiring.Component):
    """Reads the windows of one scanner, a chunk a cycle, as soon as their rows are there.

    It counts the rows that came since the oldest one it still needs, so readers of one buffer
    need not know of each other. Taps outside the map yield the pad value's bits.

    Parameters
    ----------
    plan : :class:`hwgen.plan.hardware.WindowPlan`
    index : :class:`int`
        Which scanner's slice it reads.

    Members
    -------
    row_done : ``In(1)``
        The writer completed a row in this cycle.
    column : ``In(range(plan.columns))``
        The column that the writer fills.
    room : ``Out(1)``
        A row may be written.
    address : ``Out(range(plan.depth))``
    data : ``In(plan.slice_width)``
        The memory's word, one cycle after ``address``.
    chunks : ``Out(stream.Signature(chunk_layout(plan.slice_width)))``
    """

    def __init__(self, plan, index):
        self._plan = plan
        self._index = index
        super().__init__(
            {
                "row_done": In(1),
                "column": In(range(plan.columns)),
                "room": Out(1),
                "address": Out(range(plan.depth)),
                "data": In(plan.slice_width),
                "chunks": Out(stream.Signature(chunk_layout(plan.slice_width))),
            }
        )

    @property
    def plan(self):
        return self._plan

    def elaborate(self, platform):
        m = Module()
        plan = self._plan
        kernel_y, kernel_x = plan.kernel
        stride_y, stride_x = plan.stride
        top, left = plan.padding[:2]
        chunks = 1 if plan.depthwise else plan.chunks  # read at each tap

        # One counter an axis, innermost first; each one steps when all inside it wrap.
        axes = {}
        step = go = Signal()
        for name, size in (
            ("chunk", chunks),
            ("tap_x", kernel_x),
            ("tap_y", kernel_y),
            ("fold", plan.fold),
            ("out_x", plan.out_columns),
            ("out_y", plan.out_rows),
            ("time", plan.timesteps),
        ):
            count = Signal(range(size), name=name)
            end = Signal(name=f"{name}_end")
            m.d.comb += end.eq(step & (count == size - 1))
            with m.If(step):
                m.d.sync += count.eq(count + 1)
            with m.If(end):
                m.d.sync += count.eq(0)
            axes[name] = count
            axes[f"{name}_end"] = step = end
        window_end, pixel_end = axes["tap_y_end"], axes["fold_end"]
        row_end, plane_end = axes["out_x_end"], axes["out_y_end"]

        def of_row(values, name):
            """The value of each output row; most rows share one."""
            usual = max(set(values), key=values.count)
            signal = Signal(range(max(values) + 1), name=name, init=usual)
            m.d.comb += signal.eq(usual)
            with m.Switch(axes["out_y"]):
                for out_row, value in enumerate(values):
                    if value != usual:
                        with m.Case(out_row):
                            m.d.comb += signal.eq(value)
            return signal

        needed = of_row([plan.rows_needed(y) for y in range(plan.out_rows)], "needed")
        released = of_row([plan.rows_released(y) for y in range(plan.out_rows)], "released")

        # Rows since the oldest one needed; the newest may be read as far as it is written.
        rows = Signal(range(plan.buffer_rows + 1))
        m.d.sync += rows.eq(rows + self.row_done)
        with m.If(row_end):
            m.d.sync += rows.eq(rows + self.row_done - released)
        first_column = plan.last_column(0)
        newest_column = Signal(range(plan.columns + kernel_x), init=first_column)
        with m.If(pixel_end):
            m.d.sync += newest_column.eq(newest_column + stride_x)
            if plan.out_columns > 1:
                with m.If(axes["out_x"] == plan.out_columns - 2):
                    m.d.sync += newest_column.eq(plan.columns - 1)
        with m.If(row_end):
            m.d.sync += newest_column.eq(first_column)
        ready = Signal()
        m.d.comb += [
            self.room.eq(rows != plan.buffer_rows),
            ready.eq((rows > needed) | ((rows == needed) & (self.column > newest_column))),
        ]

        # Address = row of the tap + column of the tap, the rows being a ring.
        pitch = plan.columns * plan.chunks
        oldest = Signal(range(plan.depth))
        tap_row = Signal(range(plan.depth))
        low = -left * plan.chunks
        span = signed((pitch + kernel_x * plan.chunks).bit_length() + 1)
        window_offset = Signal(span, init=low)
        offset = Signal(span, init=low)

        def ring(base, distance):
            moved = Signal(range(2 * plan.depth))
            m.d.comb += moved.eq(base + distance)
            wrapped = Signal(range(plan.depth))
            m.d.comb += wrapped.eq(moved)
            with m.If(moved >= plan.depth):
                m.d.comb += wrapped.eq(moved - plan.depth)
            return wrapped

        next_oldest = Signal(range(plan.depth))
        distance = of_row(
            [plan.rows_released(y) * pitch % plan.depth for y in range(plan.out_rows)], "distance"
        )
        m.d.comb += next_oldest.eq(ring(oldest, distance))
        with m.If(row_end):
            m.d.sync += oldest.eq(next_oldest)

        tap_y_inside = Signal()
        above = Signal(signed(plan.rows.bit_length() + kernel_y.bit_length() + 2), init=-top)
        map_row = Signal.like(above, init=-top)
        m.d.comb += tap_y_inside.eq((map_row >= 0) & (map_row < plan.rows))
        with m.If(axes["tap_x_end"]):
            m.d.sync += map_row.eq(map_row + 1)
            with m.If(map_row >= 0):
                m.d.sync += tap_row.eq(ring(tap_row, pitch))
        with m.If(window_end):
            m.d.sync += [tap_row.eq(oldest), map_row.eq(above)]
        with m.If(row_end):
            m.d.sync += [
                tap_row.eq(next_oldest),
                above.eq(above + stride_y),
                map_row.eq(above + stride_y),
            ]
        with m.If(plane_end):
            m.d.sync += [above.eq(-top), map_row.eq(-top)]

        tap_x_inside = Signal()
        beside = Signal(signed(plan.columns.bit_length() + kernel_x.bit_length() + 2), init=-left)
        map_column = Signal.like(beside, init=-left)
        m.d.comb += tap_x_inside.eq((map_column >= 0) & (map_column < plan.columns))
        with m.If(axes["chunk_end"]):
            m.d.sync += map_column.eq(map_column + 1)
        with m.If(axes["tap_x_end"]):
            m.d.sync += map_column.eq(beside)
        with m.If(pixel_end):
            m.d.sync += [beside.eq(beside + stride_x), map_column.eq(beside + stride_x)]
        with m.If(row_end):
            m.d.sync += [beside.eq(-left), map_column.eq(-left)]

        tap_pitch = plan.chunks if plan.depthwise else 1
        with m.If(go):
            m.d.sync += offset.eq(offset + tap_pitch)
        with m.If(axes["tap_x_end"]):
            m.d.sync += offset.eq(window_offset)
        with m.If(window_end & ~pixel_end):
            if plan.depthwise:
                m.d.sync += [offset.eq(window_offset + 1), window_offset.eq(window_offset + 1)]
        with m.If(pixel_end):
            advance = stride_x * plan.chunks - (plan.fold - 1 if plan.depthwise else 0)
            m.d.sync += [
                window_offset.eq(window_offset + advance),
                offset.eq(window_offset + advance),
            ]
        with m.If(row_end):
            m.d.sync += [window_offset.eq(low), offset.eq(low)]

        # Three stages: address, memory, pad. The FIFO's promise stands for all.
        m.submodules.fifo = fifo = PromiseFifo(shape=chunk_layout(plan.slice_width))
        inside = Signal()
        m.d.comb += [
            go.eq(ready & fifo.free),
            fifo.promise.eq(go),
            inside.eq(tap_x_inside & tap_y_inside),
        ]
        m.d.sync += self.address.eq(tap_row + offset)
        names = ("valid", "last", "wrap", "inside")
        stages = [{name: Signal(name=f"{name}_{n}") for name in names} for n in range(3)]
        m.d.sync += [
            stages[0]["valid"].eq(go),
            stages[0]["last"].eq(window_end),
            stages[0]["wrap"].eq(pixel_end),
            stages[0]["inside"].eq(inside),
            *(stages[n + 1][name].eq(stages[n][name]) for n in range(2) for name in names),
        ]
        bits = Signal(plan.slice_width, reset_less=True)
        pad = self._pad_bits(m, axes)
        m.d.sync += bits.eq(self.data)
        with m.If(~stages[1]["inside"]):
            m.d.sync += bits.eq(pad)
        m.d.comb += [
            fifo.push.eq(stages[2]["valid"]),
            fifo.push_data.last.eq(stages[2]["last"]),
            fifo.push_data.wrap.eq(stages[2]["wrap"]),
            fifo.push_data.bits.eq(bits),
        ]
        wiring.connect(m, fifo.words, wiring.flipped(self.chunks))
        return m

    def _pad_bits(self, m, axes):
        """The pad value's bits, in step with the memory's word."""
        plan = self._plan
        if not plan.pad_planes:
            return 0
        first = self._index * plan.slice_width
        mask = (1 << plan.slice_width) - 1
        early = Signal(plan.slice_width)
        late = Signal(plan.slice_width)
        with m.Switch(axes["time"]):
            for time, plane in enumerate(plan.pad_planes):
                with m.Case(time), m.Switch(axes["chunk"]):
                    for chunk, bits in enumerate(plane):
                        with m.Case(chunk):
                            m.d.sync += early.eq(bits >> first & mask)
        m.d.sync += late.eq(early)
        return late

