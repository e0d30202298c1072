"""Memories of per-channel constants: one row per membrane word."""

from collections.abc import Sequence

import numpy as np
from amaranth import Module, Signal, Value
from amaranth.hdl import ShapeLike
from amaranth.lib.memory import Memory

from hwgen.plan.units.layer import LayerPlan
from hwgen.plan.units.memories import BLOCK_ROWS


def constant_rows(values: np.ndarray, plan: LayerPlan, unused: int) -> list[list[int]]:
    """``values`` of all channels in rows of ``membrane_lanes``; ``unused`` fills the last row."""
    rows = [[unused] * plan.membrane_lanes for _ in range(plan.words)]
    for channel, value in enumerate(values.tolist()):
        rows[channel // plan.membrane_lanes][channel % plan.membrane_lanes] = value
    return rows


def constant_memory(
    tables: Sequence[np.ndarray], layout: ShapeLike, plan: LayerPlan, *, unused: Sequence[int]
) -> Memory:
    """A memory of n tables of per-channel constants, interleaved: row word·n + table.

    ``unused`` is the constant of lanes past the last channel, for each table.
    """
    by_table = [
        constant_rows(values, plan, filler) for values, filler in zip(tables, unused, strict=True)
    ]
    rows = [table[word] for word in range(plan.words) for table in by_table]
    style = "block" if len(rows) >= BLOCK_ROWS else "logic"
    return Memory(shape=layout, depth=len(rows), init=rows, attrs={"rom_style": style})


def read_row(m: Module, memory: Memory, index: Value) -> Value:
    """The row at ``index``, two cycles later.

    LUTs have registers before and after them. A block RAM has its own output register, because
    without it the output arrives too late in its cycle for any logic.
    """
    row = Signal(memory.shape, reset_less=True)
    if memory.depth >= BLOCK_ROWS:
        port = memory.read_port()
        m.d.comb += port.addr.eq(index)
    else:
        port = memory.read_port(domain="comb")
        m.d.sync += port.addr.eq(index)
    m.d.sync += row.eq(port.data)
    return row
