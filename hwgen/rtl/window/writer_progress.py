"""Synchronisation of a window reader with its writer: which rows are stored, which are free."""

from amaranth import Cat, Module, Signal, Value

from hwgen.plan.units.geometry import WindowPlan
from hwgen.rtl.streams.loops import Axis, advance, select_value


def count_rows(
    m: Module, plan: WindowPlan, axes: dict[str, Axis], *, row_done: Value, row_read: Value
) -> Value:
    """Complete rows in the buffer, from the oldest one that a window still needs.

    ``row_done`` adds a row; ``row_read``, the end of an output row in all its timesteps, releases
    those that no later window needs.
    """
    released = select_value(
        m, [plan.rows_released(y) for y in range(plan.out_rows)], axes["out_y"].count, "released"
    )
    rows = Signal(range(plan.slots + 1))
    m.d.sync += rows.eq(rows + row_done)
    with m.If(row_read):
        m.d.sync += rows.eq(rows + row_done - released)
    return rows


def window_stored(
    m: Module, plan: WindowPlan, axes: dict[str, Axis], *, rows: Value, stored: Value, plane: Value
) -> Value:
    """Whether the newest row of the current window is stored as far as the window reads it.

    ``stored`` are the chunks of the row that is being written, ``plane`` is its timestep.
    """
    needed = select_value(
        m, [plan.rows_needed(y) for y in range(plan.out_rows)], axes["out_y"].count, "needed"
    )
    # Compare for this window and for the next one in the row: which of the two counts in the next
    # cycle is known only late in this cycle.
    newest = [plan.newest_chunk(x) for x in range(plan.out_columns)]
    following = [*newest[1:], newest[0]]
    newest_now = Signal(range(plan.row_chunks + 1), init=newest[0])
    newest_next = Signal(range(plan.row_chunks + 1), init=following[0])
    out_x, row_end, _ = axes["out_x"]
    pixel_end = axes["round"].end
    with m.If(pixel_end):
        m.d.sync += newest_now.eq(newest_next)
        advance(m, newest_next, following, out_x)
    written = Signal(2)
    m.d.comb += written.eq(Cat(stored > newest_now, stored > newest_next))
    # The newest row of the window is complete in this timestep; it is the one being written.
    complete = Signal()
    in_progress = Signal()
    m.d.comb += [complete.eq(rows > needed), in_progress.eq(rows == needed)]
    if plan.planes > 1:
        time = axes["time"].count
        m.d.comb += [
            complete.eq((rows > needed) | ((rows == needed) & (plane > time))),
            in_progress.eq((rows == needed) & (plane == time)),
        ]
    ready = Signal()
    m.d.sync += ready.eq(complete | (in_progress & written[0]))
    with m.If(pixel_end):
        m.d.sync += ready.eq(complete | (in_progress & written[1]))
    with m.If(row_end):
        m.d.sync += ready.eq(0)
    return ready
