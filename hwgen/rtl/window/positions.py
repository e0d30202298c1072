"""Position counters of a window reader: buffer slot, chunk in the row, weight row."""

from amaranth import Const, Module, Signal, Value, signed

from hwgen.plan.units.geometry import WindowPlan
from hwgen.plan.units.synaptic_path import PathKind, SynapticPathPlan
from hwgen.rtl.streams.loops import Axis, ring_sum, select_value, step_axes


def count_slot(m: Module, plan: WindowPlan, axes: dict[str, Axis]) -> tuple[Value, Value]:
    """The buffer slot of the tap's row and timestep, and whether that row lies in the map."""
    size = plan.slots * plan.planes
    row_end = axes["out_x"].end
    out_y = axes["out_y"].count
    out_rows = range(plan.out_rows)
    released = [plan.rows_released(y) * plan.planes for y in out_rows]
    oldest = Signal(range(size))
    step = Signal(range(size))
    m.d.comb += step.eq(
        select_value(m, [(n - plan.planes + 1) % size for n in released], out_y, "distance")
    )
    if plan.planes > 1:
        with m.If(~axes["time"].last):
            m.d.comb += step.eq(1)
    following = ring_sum(m, oldest, step, size)
    slot = Signal(range(size))
    with m.If(row_end):
        m.d.sync += oldest.eq(following)
    if plan.kernel[0] == 1:
        return oldest, Const(1)

    # Taps above the map have no slot in the buffer.
    top = plan.padding[0]
    above = Signal(range(max(top, 1) + 1), init=top)  # kernel rows above the map
    above_left = Signal.like(above, init=top)
    below = [max(0, y * plan.stride[0] - top + plan.kernel[0] - plan.rows) for y in out_rows]
    inside = above_left == 0
    if any(below):
        inside &= axes["tap_y"].count < plan.kernel[0] - select_value(m, below, out_y, "below")
    with m.If(axes["run"].end):
        with m.If(above_left != 0):
            m.d.sync += above_left.eq(above_left - 1)
        with m.Else():
            m.d.sync += slot.eq(ring_sum(m, slot, plan.planes % size, size))
    with m.If(axes["tap_y"].end):
        m.d.sync += [slot.eq(oldest), above_left.eq(above)]
    with m.If(row_end):
        m.d.sync += slot.eq(following)
    if top:
        tops = [max(0, top - y * plan.stride[0]) for y in out_rows]
        following_top = Signal.like(above)
        m.d.comb += following_top.eq(
            select_value(m, [tops[(y + 1) % len(tops)] for y in out_rows], out_y, "next_above")
        )
        with m.If(row_end if plan.planes == 1 else axes["time"].end):
            m.d.sync += [above.eq(following_top), above_left.eq(following_top)]
    inside_y = Signal()
    m.d.comb += inside_y.eq(inside)
    return slot, inside_y


def count_offset(m: Module, plan: WindowPlan, axes: dict[str, Axis], go: Value) -> Value:
    """The chunk of a buffer row that the tap reads; negative to the left of the map."""
    if plan.wide:
        return axes["out_x"].count
    low = -plan.padding[1] * plan.chunks
    high = (plan.out_columns - 1) * plan.stride[1] * plan.chunks + plan.kernel[1] * plan.chunks
    span = signed(max(high, plan.row_pitch).bit_length() + 1)
    first = Signal(span, init=low)  # first chunk of the window
    offset = Signal(span, init=low)
    with m.If(go):
        m.d.sync += offset.eq(offset + (plan.chunks if plan.depthwise else 1))
    with m.If(axes["run"].end):
        m.d.sync += offset.eq(first)
    following = Signal(span)
    m.d.comb += following.eq(first)
    if plan.depthwise and plan.rounds > 1:
        m.d.comb += following.eq(first + 1)
        with m.If(axes["tap_y"].end):
            m.d.sync += [first.eq(following), offset.eq(following)]
    with m.If(axes["round"].end):
        distance = plan.stride[1] * plan.chunks - (plan.rounds - 1 if plan.depthwise else 0)
        m.d.comb += following.eq(first + distance)
        m.d.sync += [first.eq(following), offset.eq(following)]
    with m.If(axes["out_x"].end):
        m.d.sync += [first.eq(low), offset.eq(low)]
    return offset


def count_base(m: Module, path: SynapticPathPlan, axes: dict[str, Axis], go: Value) -> Value:
    """The weight row of bit 0 of a slice."""
    if path.kind == PathKind.EVERY:
        return Const(0, 0)
    step = 1 if path.is_masked else path.window.slice_width
    pixel_end = axes["round"].end
    base = Signal(range(path.weight_depth))
    with m.If(go):
        m.d.sync += base.eq(base + step)
    # Each tap starts again with the first weight row of its tile, and each row of taps with the
    # first one of its row of tiles; the two are the same where a tile is as wide as the kernel.
    (ky, kx), (tile_y, tile_x) = path.window.kernel, path.tile
    registers = [base]
    if tile_x > 1:
        of_tile = Signal.like(base)
        registers.append(of_tile)
        with m.If(axes["chunk"].end):
            m.d.sync += base.eq(of_tile)
        if tile_x < kx or tile_y == 1:
            with m.If(axes["tile_x"].end):
                m.d.sync += [register.eq(base + step) for register in registers]
    if tile_y > 1:
        if tile_x < kx or kx == 1:
            of_row = Signal.like(base)
            with m.If(axes["run"].end):
                m.d.sync += [register.eq(of_row) for register in registers]
            registers.append(of_row)
        tile_end = axes["tap_y"].end
        if tile_y < ky:
            tile_end = step_axes(m, axes["run"].end, [("tile_y", tile_y)])["tile_y"].end
        with m.If(tile_end):
            m.d.sync += [register.eq(base + step) for register in registers]
    with m.If(pixel_end):
        m.d.sync += [register.eq(0) for register in registers]
    return base


def chunk_of_pixel(m: Module, path: SynapticPathPlan, axes: dict[str, Axis], go: Value) -> Value:
    """Index of the chunk within its pixel."""
    plan = path.window
    if plan.depthwise:
        return axes["round"].count
    if "chunk" in axes:
        return axes["chunk"].count
    if plan.chunks == 1:
        return Const(0)
    return step_axes(m, go, [("chunk", plan.chunks)])["chunk"].count
