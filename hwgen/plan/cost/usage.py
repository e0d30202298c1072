"""Resources of an FPGA in use, and those of the memories inside the units."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from hwgen.plan.units.layer import LayerPlan
from hwgen.plan.units.memories import BLOCK_ROWS, MemoryKind, read_only, read_write
from hwgen.plan.units.synaptic_path import SynapticPathPlan

SPARSE_BIT = 0.75
"""LUT4 per nonzero bit of weights in LUTs, where few are."""
SPLIT = 1.25
"""Factor on the LUTs of a split memory: its address, and the choice between its two parts."""
BLOCK_WEIGHT, SELECTED_BIT = 128, 0.6
"""LUT4 that yosys counts for a block RAM, and LUT4 per multiplexed bit."""


@dataclass(frozen=True)
class Usage:
    """LUT4 and block RAMs in use."""

    lut4: float = 0
    block_rams: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.lut4 + other.lut4, self.block_rams + other.block_rams)

    def cost(self, price: float) -> float:
        """Cost in LUT4, with ``price`` LUT4 for a block RAM."""
        return self.lut4 + price * self.block_rams


def memory_usage(rows: int, width: int) -> Usage:
    """A memory that is written, wherever yosys puts it.

    For yosys a block RAM counts 128, LUT RAM of 16 × 4 bits four, and a multiplexed bit about 0.5.
    """
    banks = ceil(rows / 16)
    in_luts = 4 * banks * ceil(width / 4) + SELECTED_BIT * (banks - 1) * width
    block = read_write(rows, width, MemoryKind.BLOCK)
    fits_block = BLOCK_WEIGHT * block.block_rams < in_luts
    cost = block if fits_block else read_write(rows, width, MemoryKind.LUT)
    return Usage(cost.luts, cost.block_rams)


def constants_usage(rows: int, width: int) -> Usage:
    """A table of constants; yosys uses block RAM for many rows."""
    cost = read_only(rows, width, MemoryKind.BLOCK if rows >= BLOCK_ROWS else MemoryKind.LUT)
    return Usage(cost.luts, cost.block_rams)


def weight_usage(plan: LayerPlan, path: SynapticPathPlan, kind: MemoryKind) -> Usage:
    """The weight memories of a synaptic path. A single row is constants, absorbed by adders."""
    if path.weight_depth == 1:
        return Usage()
    width = plan.lanes * path.weight_bits
    cost = read_only(path.weight_depth, width, kind)
    luts: float = SPLIT * cost.luts if cost.kind == MemoryKind.SPLIT else cost.luts
    if cost.kind == MemoryKind.LUT:
        luts = min(luts, SPARSE_BIT * path.weight_share * path.weight_depth * width)
    count = path.window.scanners
    return Usage(count * luts, count * cost.block_rams)
