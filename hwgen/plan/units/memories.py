"""Cost of memories on an ECP5 in block RAMs and LUT4, and the cheapest kind for each.

The rules are those by which yosys maps memories; a test compares the two. Read-only memories are
packed tightly: their banks of rows lie side by side in one row of block RAMs.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import ceil


class MemoryKind(StrEnum):
    """Where a memory lies."""

    AUTO = "auto"
    """Wherever it costs least."""
    BLOCK = "block"
    """In block RAM."""
    LUT = "lut"
    """In LUTs."""
    SPLIT = "split"
    """2ⁿ rows in block RAM and the rest in LUTs; for read-only memories."""


READ_ONLY_KINDS = (MemoryKind.BLOCK, MemoryKind.LUT, MemoryKind.SPLIT)

BLOCKS = ((512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1))
"""(rows, bits) of the shapes of an 18 kbit block RAM."""
LUTS_PER_BLOCK = 256
"""LUT4 that count as much as a block RAM; an ECP5-85F has 404 for each."""
BLOCK_ROWS = 128
"""Tables of constants with at least this many rows go into block RAM."""
TREE_BANKS = 5
"""Up to this many banks of weights are selected by a tree of pairs, more by one-hot bits."""


@dataclass(frozen=True, kw_only=True)
class MemoryCost:
    """Resources of a memory. ``kind`` is never :attr:`MemoryKind.AUTO`.

    ``banks`` of ``bank_rows`` rows, all rows or a power of two, lie side by side in block RAM.
    """

    kind: MemoryKind
    block_rams: int
    luts: int
    banks: int = 1
    bank_rows: int = 0

    @property
    def weighed(self) -> int:
        """Cost in LUT4, with :data:`LUTS_PER_BLOCK` for each block RAM."""
        return self.luts + LUTS_PER_BLOCK * self.block_rams


def read_only(rows: int, width: int, kind: MemoryKind = MemoryKind.AUTO) -> MemoryCost:
    """Cost of a memory of constants; in LUTs that of random content, the worst case."""
    match kind:
        case MemoryKind.AUTO:
            kinds = READ_ONLY_KINDS if rows > BLOCKS[0][0] else READ_ONLY_KINDS[:2]
            costs = [read_only(rows, width, each) for each in kinds]
            return min(costs, key=lambda cost: cost.weighed)
        case MemoryKind.BLOCK:
            costs = [
                MemoryCost(
                    kind=kind,
                    block_rams=ceil(banks * width / bits),
                    luts=ceil(_bank_choice(banks) * width),
                    banks=banks,
                    bank_rows=min(rows, depth),
                )
                for depth, bits in BLOCKS
                for banks in [ceil(rows / depth)]
            ]
            return min(costs, key=lambda cost: (cost.weighed, cost.banks))
        case MemoryKind.LUT:
            luts = ceil(_function(rows) * width)
            return MemoryCost(kind=kind, block_rams=0, luts=luts, bank_rows=rows)
        case MemoryKind.SPLIT:
            first = split_rows(rows)
            block = read_only(first, width, MemoryKind.BLOCK)
            luts = block.luts
            if rows > first:  # an OR joins the two
                luts += read_only(rows - first, width, MemoryKind.LUT).luts + width
            return MemoryCost(kind=kind, block_rams=block.block_rams, luts=luts)


def read_write(rows: int, width: int, kind: MemoryKind) -> MemoryCost:
    """Cost of a memory with one write and one read port: membranes, window buffers, queues.

    LUT RAM holds 16 × 4 bits in six LUT4. Raises :class:`ValueError` for another kind than BLOCK
    and LUT.
    """
    match kind:
        case MemoryKind.BLOCK:
            blocks, luts = min(
                (banks * ceil(width / bits), _multiplexer(banks) * width)
                for depth, bits in BLOCKS
                for banks in [ceil(rows / depth)]
            )
            return MemoryCost(kind=kind, block_rams=blocks, luts=ceil(luts))
        case MemoryKind.LUT:
            banks = ceil(rows / 16)
            luts = 6 * banks * ceil(width / 4) + _multiplexer(banks) * width + (banks > 1) * banks
            return MemoryCost(kind=kind, block_rams=0, luts=ceil(luts))
        case _:
            raise ValueError(f"a memory that is written lies in block RAM or in LUTs, not {kind}")


def split_rows(rows: int) -> int:
    """Rows of a split memory in block RAM: the largest power of two up to ``rows``."""
    return 1 << rows.bit_length() - 1


def _bank_choice(banks: int) -> float:
    """LUT4 per bit that select one of the banks of a ``WeightMemory``, as ABC9 maps it."""
    few = (0, 1, 2, 4, 3, 5.25, 9.25, 5.25, 8)
    return few[banks - 1] if banks <= len(few) else 0.8 * banks


def _multiplexer(inputs: int) -> float:
    """LUT4 of a one-bit multiplexer, as ABC9 maps it for speed."""
    few = (0, 1, 2, 4, 3, 4, 5, 6)
    return few[inputs - 1] if inputs <= len(few) else 1.1 * inputs


def _function(rows: int) -> float:
    """LUT4 of an arbitrary one-bit function of ``rows`` rows.

    Up to 128 rows it is one LUT5, LUT6 or LUT7; beyond that, a multiplexer selects among those.
    """
    if rows <= 128:
        return 1 << max(0, (rows - 1).bit_length() - 4)
    return 1.2 * rows / 16
