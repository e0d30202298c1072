"""The window reader: a counter for each axis of a window, and the addresses that they form."""

from amaranth import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.plan.units.geometry import WindowPlan
from hwgen.plan.units.synaptic_path import SynapticPathPlan
from hwgen.rtl.parameters import Parameter
from hwgen.rtl.streams.loops import step_axes
from hwgen.rtl.synapses.scanner import chunk_layout
from hwgen.rtl.window.chunk_queue import ChunkQueue
from hwgen.rtl.window.positions import chunk_of_pixel, count_base, count_offset, count_slot
from hwgen.rtl.window.writer_progress import count_rows, window_stored

PIPELINE = 3
"""Cycles from a read to its chunk, which is stored in the chunk queue in the next cycle."""


class WindowReader(wiring.Component):
    """Reads windows as soon as their rows are stored, one chunk per cycle for all scanners.

    Each scanner gets its slice of a chunk and the weight row of the slice's bit 0; a silent slice
    is dropped unless it ends the window. Taps outside the map yield the bits of the pad value.

    Members
    -------
    row_done : ``In(1)``
        The writer completes a row in this cycle.
    stored : ``In(range(path.window.row_chunks + 1))``
        Chunks stored of the row that is being written.
    plane : ``In(range(path.window.planes))``
        Timestep of that row.
    room : ``Out(1)``
        A row may be written.
    address : ``Out(range(path.window.depth))``
    data : ``In(path.window.chunk_width)``
        The memory's word, one cycle after ``address``.
    chunks : ``Out(stream.Signature(chunk_layout(path.window.slice_width, path.weight_depth)))``
        One stream per scanner.
    """

    path = Parameter(SynapticPathPlan)

    def __init__(self, *, path: SynapticPathPlan) -> None:
        self.path = path
        plan = path.window
        chunk = chunk_layout(plan.slice_width, path.weight_depth)
        members = {
            "row_done": In(1),
            "stored": In(range(plan.row_chunks + 1)),
            "plane": In(range(plan.planes)),
            "room": Out(1),
            "address": Out(range(plan.depth)),
            "data": In(plan.chunk_width),
            "chunks": Out(stream.Signature(chunk)).array(plan.scanners),
        }
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        plan = self.path.window
        go = Signal()
        axes = step_axes(m, go, _loop_nest(self.path))

        # An output row is read in all its timesteps before its rows are released.
        row_read = axes["time" if plan.planes > 1 else "out_x"].end
        rows = count_rows(m, plan, axes, row_done=self.row_done, row_read=row_read)
        m.d.comb += self.room.eq(rows != plan.slots)
        ready = window_stored(m, plan, axes, rows=rows, stored=self.stored, plane=self.plane)

        offset = count_offset(m, plan, axes, go)
        slot, inside = count_slot(m, plan, axes)
        if not plan.wide and any((plan.padding[1], plan.padding[3])):
            inside = inside & (offset >= 0) & (offset < plan.row_chunks)
        base = count_base(m, self.path, axes, go)

        # Three stages: address, memory, register. No logic precedes the register, so that it maps
        # to the register inside the block RAM. The chunk queue has room for chunks in flight.
        m.submodules.queue = queue = ChunkQueue(path=self.path)
        m.d.comb += go.eq(ready & queue.room)
        pitch_bits = plan.row_pitch.bit_length() - 1
        m.d.sync += self.address.eq(Cat(offset[:pitch_bits], slot))
        last = Signal(PIPELINE)
        valid = Signal(PIPELINE)
        bases = [base, *(Signal.like(base, name=f"base_{n}") for n in range(PIPELINE))]
        insides = [inside, *(Signal(name=f"inside_{n}") for n in range(PIPELINE))]
        m.d.sync += [
            valid.eq(valid << 1 | go),
            last.eq(last << 1 | axes["tap_y"].end),
            *(after.eq(before) for before, after in zip(bases, bases[1:], strict=False)),
            *(after.eq(before) for before, after in zip(insides, insides[1:], strict=False)),
        ]
        read = Signal(plan.chunk_width, reset_less=True)
        m.d.sync += read.eq(self.data)
        m.d.comb += [queue.bits.eq(read), queue.inside.eq(insides[-1])]
        if plan.pad_planes:
            pad = _pad_bits(m, plan, axes["time"].count, chunk_of_pixel(m, self.path, axes, go))
            m.d.comb += [queue.bits.eq(Mux(insides[-1], read, pad)), queue.inside.eq(1)]
        m.d.comb += [queue.push.eq(valid[-1]), queue.base.eq(bases[-1]), queue.last.eq(last[-1])]
        for inner, outer in zip(queue.chunks, self.chunks, strict=True):
            wiring.connect(m, inner, wiring.flipped(outer))
        return m


def _loop_nest(path: SynapticPathPlan) -> list[tuple[str, int]]:
    """The loops of a reader, innermost first."""
    plan, tile_x = path.window, path.tile[1]
    loops = [("run", plan.kernel_row_chunks)]
    if tile_x > 1:
        chunks = plan.kernel_row_chunks // plan.kernel[1]
        loops = [("chunk", chunks), ("tile_x", tile_x), ("run", plan.kernel[1] // tile_x)]
    loops += [("tap_y", plan.kernel[0]), ("round", plan.rounds), ("out_x", plan.out_columns)]
    rows, times = ("out_y", plan.out_rows), ("time", plan.timesteps)
    return [*loops, times, rows] if plan.planes > 1 else [*loops, rows, times]


def _pad_bits(m: Module, plan: WindowPlan, time: Value, chunk: Value) -> Value:
    """The bits of the pad value, in step with the register of the memory's word."""
    early, late, pad = (Signal(plan.chunk_width, name=n) for n in ("early", "late", "pad"))
    taps = plan.kernel[1] if plan.wide else 1
    with m.Switch(time):
        for step, plane in enumerate(plan.pad_planes):
            with m.Case(step), m.Switch(chunk):
                for index, bits in enumerate(plane):
                    with m.Case(index):
                        m.d.sync += early.eq(Const(bits, plan.pixel_width).replicate(taps))
    m.d.sync += [late.eq(early), pad.eq(late)]
    return pad
