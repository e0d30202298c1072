"""Per-channel constants of a layer, one row of ``membrane_lanes`` of them a membrane word."""

from amaranth import Signal
from amaranth.lib.memory import Memory

from hwgen.plan.units.memories import BLOCK_ROWS


def constant_rows(values, plan, unused):
    """Rows of (words, membrane_lanes) integers; lanes past the last channel hold ``unused``."""
    rows = [[unused] * plan.membrane_lanes for _ in range(plan.words)]
    for channel, value in enumerate(values.tolist()):
        rows[channel // plan.membrane_lanes][channel % plan.membrane_lanes] = value
    return rows


def constant_memory(values_by_step, layout, plan, *, unused):
    """A memory of the rows of each entry of ``values_by_step`` in turn: row word·n + entry.

    ``unused`` holds, for each entry, what lanes past the last channel get.
    """
    tables = [
        constant_rows(values, plan, filler)
        for values, filler in zip(values_by_step, unused, strict=True)
    ]
    rows = [table[word] for word in range(plan.words) for table in tables]
    style = "block" if len(rows) >= BLOCK_ROWS else "logic"
    return Memory(shape=layout, depth=len(rows), init=rows, attrs={"rom_style": style})


def read_row(m, memory, index):
    """The row at ``index``, two cycles later: registers before and after LUTs, or those of a block
    RAM, whose output comes too late in its cycle to go through logic."""
    row = Signal(memory.shape, reset_less=True)
    if memory.depth >= BLOCK_ROWS:
        port = memory.read_port()
        m.d.comb += port.addr.eq(index)
    else:
        port = memory.read_port(domain="comb")
        m.d.sync += port.addr.eq(index)
    m.d.sync += row.eq(port.data)
    return row
