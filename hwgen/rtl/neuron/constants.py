"""Memories of per-channel constants: one row per membrane word."""

from collections.abc import Sequence

import numpy as np
from amaranth import Module, Signal, Value
from amaranth.hdl import ShapeLike
from amaranth.lib.memory import Memory

from hwgen.plan.units.layer import LayerPlan
from hwgen.plan.units.memories import BLOCK_ROWS
from hwgen.rtl.memory import read_only_memory


def constant_memory(
    tables: Sequence[np.ndarray], layout: ShapeLike, plan: LayerPlan, *, unused: Sequence[int]
) -> Memory:
    """A memory of n tables of per-channel constants, interleaved: row word·n + table.

    ``unused`` is the constant of lanes past the last channel, for each table.
    """
    spare = plan.words * plan.membrane_lanes - len(tables[0])
    padded = [
        np.pad(values, (0, spare), constant_values=filler).reshape(plan.words, plan.membrane_lanes)
        for values, filler in zip(tables, unused, strict=True)
    ]
    rows = np.stack(padded, axis=1).reshape(-1, plan.membrane_lanes).tolist()
    return read_only_memory(shape=layout, rows=rows)


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
