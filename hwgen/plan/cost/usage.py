"""Resources of an FPGA in use, and those of the memories inside the units."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from hwgen.plan.cost.fabric import ECP5, Fabric
from hwgen.plan.units.layer import LayerPlan
from hwgen.plan.units.memories import BLOCK_ROWS, MemoryKind, read_only, read_write, split_rows
from hwgen.plan.units.synaptic_path import SynapticPathPlan

SPARSE_BIT = 0.75
"""LUT4 per nonzero bit of weights in LUTs, where few are."""
SPLIT = 1.25
"""Factor on the LUTs of a split memory: its address, and the choice between its two parts."""
BLOCK_WEIGHT, SELECTED_BIT = 128, 0.6
"""LUT4 that yosys counts for a block RAM of an ECP5, and LUT4 per multiplexed bit."""
BLOCK_BITS = 64
"""Flip-flops that yosys prefers to a block RAM of an iCE40."""
ROW_SELECT, DECODER = 0.82, 21
"""A memory of flip-flops: LUT4 per bit of its rows, and of its address decoder."""
FIFO_ROWS = 16
"""Rows of every FIFO and chunk queue."""


@dataclass(frozen=True)
class Usage:
    """LUT4, block RAMs and flip-flops in use."""

    lut4: float = 0
    block_rams: int = 0
    ff: float = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.lut4 + other.lut4, self.block_rams + other.block_rams, self.ff + other.ff)

    def cells(self, fabric: Fabric) -> float:
        """Logic cells: LUT4, and the flip-flops that share a cell with none of them."""
        return self.lut4 + fabric.lone_registers * self.ff

    def cost(self, price: float, fabric: Fabric = ECP5) -> float:
        """Cost in logic cells, with ``price`` of them for a block RAM."""
        return self.cells(fabric) + price * self.block_rams


def memory_usage(rows: int, width: int, fabric: Fabric = ECP5) -> Usage:
    """A memory that is written and read by the clock, wherever yosys puts it.

    For yosys a block RAM of an ECP5 counts 128, LUT RAM of 16 × 4 bits four, and a multiplexed bit
    about 0.5. A memory of an iCE40 is made of flip-flops if they are no more than 64 for each block
    RAM that it would take.
    """
    if not fabric.has_lut_ram:
        blocks = fabric.packed_blocks(rows, width)
        if rows * width <= BLOCK_BITS * blocks:
            return _registers(rows, width) + Usage(ff=width)
        banks = ceil(rows / fabric.blocks[0][0])
        return Usage(0.8 * banks * width if banks > 1 else 0, blocks, banks - 1)
    banks = ceil(rows / 16)
    in_luts = 4 * banks * ceil(width / 4) + SELECTED_BIT * (banks - 1) * width
    block = read_write(rows, width, MemoryKind.BLOCK)
    if BLOCK_WEIGHT * block.block_rams < in_luts:
        return Usage(block.luts, block.block_rams)
    return Usage(read_write(rows, width, MemoryKind.LUT).luts, ff=width)


def fifo_usage(width: int, fabric: Fabric = ECP5) -> Usage:
    """The memory of a FIFO, whose oldest word is read without a clock."""
    if fabric.has_lut_ram:
        return Usage(read_write(FIFO_ROWS, width, MemoryKind.LUT).luts)
    return _registers(FIFO_ROWS, width)


def constants_usage(rows: int, width: int, fabric: Fabric = ECP5) -> Usage:
    """A table of constants; yosys uses block RAM for many rows."""
    if rows < BLOCK_ROWS:
        return Usage(_function(rows, width, fabric))
    if fabric.packs_banks:
        return Usage(block_rams=fabric.packed_blocks(rows, width))
    return Usage(block_rams=read_only(rows, width, MemoryKind.BLOCK).block_rams)


def weight_usage(
    plan: LayerPlan, path: SynapticPathPlan, kind: MemoryKind, fabric: Fabric = ECP5
) -> Usage:
    """The weight memories of a synaptic path. A single row is constants, absorbed by adders."""
    if path.weight_depth == 1:
        return Usage()
    rows, width = path.weight_depth, plan.lanes * path.weight_bits
    cost = read_only(rows, width, kind)
    address = (rows - 1).bit_length()
    match cost.kind:
        case MemoryKind.LUT:
            sparse = SPARSE_BIT * path.weight_share * rows * width
            one = Usage(min(_function(rows, width, fabric), sparse), ff=address + width)
        case MemoryKind.SPLIT:
            first = split_rows(rows)
            one = _blocks(first, width, fabric)
            if rows > first:
                one += Usage(_function(rows - first, width, fabric) + width, ff=address + width)
            one = Usage(SPLIT * one.lut4, one.block_rams, one.ff)
        case _:
            one = _blocks(rows, width, fabric)
    count = path.window.scanners
    return Usage(count * one.lut4, count * one.block_rams, count * one.ff)


def _blocks(rows: int, width: int, fabric: Fabric) -> Usage:
    """Weights in block RAM with their output register, in the banks that the RTL makes."""
    cost = read_only(rows, width, MemoryKind.BLOCK)
    word = cost.banks * width
    registers = word + 2 * (cost.banks - 1).bit_length()
    if not fabric.packs_banks:
        return Usage(cost.luts, cost.block_rams, registers)
    blocks = fabric.packed_blocks(cost.bank_rows, word)
    banks = ceil(cost.bank_rows / fabric.blocks[0][0])
    choice = cost.luts + (0.8 * banks * word if banks > 1 else 0)
    return Usage(choice, blocks, registers + banks - 1)


def _registers(rows: int, width: int) -> Usage:
    """A memory of flip-flops: a multiplexer for each bit, and an enable for each row."""
    return Usage(ROW_SELECT * rows * width + DECODER, ff=rows * width)


def _function(rows: int, width: int, fabric: Fabric) -> float:
    """LUT4 of ``width`` arbitrary functions of ``rows`` rows.

    Without multiplexers between LUTs, 32 rows take three or four of them and more rows nearly one
    for each seven rows.
    """
    if fabric.has_lut_ram:
        return read_only(rows, width, MemoryKind.LUT).luts
    if rows <= 16:
        return width
    return (3.5 if rows <= 32 else 0.145 * (1 << (rows - 1).bit_length())) * width
