"""What synthesis makes of memories and registers in each FPGA family.

The rules are those of yosys (``memory_libmap`` with the ``brams.txt`` of the family).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from hwgen.plan.units.memories import BLOCKS


@dataclass(frozen=True, kw_only=True)
class Fabric:
    """An FPGA family, as the planner sees it.

    Parameters
    ----------
    blocks : tuple of (rows, bits)
        Shapes of a block RAM.
    packs_banks : bool
        Banks of rows of a memory that is written lie side by side in one row of block RAMs: each
        bit has its own write enable.
    has_lut_ram : bool
        LUTs can be a memory of 16 × 4 bits. Without, every FIFO is made of flip-flops.
    lone_registers : float
        Share of the flip-flops that take a logic cell of their own, since none of its LUT4 feeds
        them: where a LUT4 and a flip-flop share a cell. 0 where they are placed independently.
    encoder : float
        LUT4 of an input encoder for one of an ECP5's.
    margin : float
        Factor on the LUT4 of a plan, so that synthesis finds no more.
    surplus : float
        Factor by which LUT4 and flip-flops of a plan may exceed those that synthesis finds.
    """

    name: str
    blocks: tuple[tuple[int, int], ...]
    packs_banks: bool
    has_lut_ram: bool
    lone_registers: float
    encoder: float
    margin: float
    surplus: float

    def packed_blocks(self, rows: int, width: int) -> int:
        """Block RAMs of a memory whose banks of rows lie side by side."""
        return min(ceil(ceil(rows / depth) * width / bits) for depth, bits in self.blocks)


ECP5 = Fabric(
    name="ecp5",
    blocks=BLOCKS,
    packs_banks=False,
    has_lut_ram=True,
    lone_registers=0.0,
    encoder=1.0,
    margin=1.05,
    surplus=1.15,
)
ICE40 = Fabric(
    name="ice40",
    blocks=((256, 16), (512, 8), (1024, 4), (2048, 2)),
    packs_banks=True,
    has_lut_ram=False,
    lone_registers=0.83,
    encoder=0.7,
    margin=1.0,
    surplus=1.2,
)
FABRICS = {fabric.name: fabric for fabric in (ECP5, ICE40)}
"""By the family of a board."""
