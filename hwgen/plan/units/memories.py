"""What memories cost on an ECP5: block RAMs and LUT4, and where each had best lie.

The rules are those by which yosys maps memories; a test holds them against it. Read-only memories
are packed tightly: the banks into which their rows fall stand side by side in one row of blocks.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

BLOCKS = ((512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1))
"""(rows, bits) that an 18 kbit block RAM may have."""
LUTS_PER_BLOCK = 256
"""LUT4 that are worth a block RAM; an ECP5-85F has 404 of them for each."""
BLOCK_ROWS = 128
"""Constants of so many rows go into block RAM."""
TREE_BANKS = 5
"""Up to so many banks of weights are chosen by a tree of pairs, more by a bit for each."""
KINDS = ("block", "lut", "split")
"""Block RAM; LUTs; block RAM for 2ⁿ rows and LUTs for the rest (read-only memories)."""


@dataclass(frozen=True, kw_only=True)
class MemoryCost:
    """What a memory uses. ``kind`` is one of ``KINDS``, never "auto".

    ``banks`` of ``bank_rows`` rows, all rows or a power of two, stand side by side in block RAM.
    """

    kind: str
    block_rams: int
    luts: int
    banks: int = 1
    bank_rows: int = 0

    @property
    def weighed(self) -> int:
        """Both in LUT4."""
        return self.luts + LUTS_PER_BLOCK * self.block_rams


def read_only(rows: int, width: int, kind: str = "auto") -> MemoryCost:
    """A memory of constants: weights. Its LUTs are those of random contents, the worst ones.

    ``kind`` "auto" is the one that weighs least. Raises :class:`ValueError` for another kind.
    """
    if kind == "auto":
        kinds = KINDS if rows > BLOCKS[0][0] else KINDS[:2]
        costs = [read_only(rows, width, kind) for kind in kinds]
        return min(costs, key=lambda cost: cost.weighed)
    if kind == "block":
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
    if kind == "lut":
        return MemoryCost(
            kind=kind, block_rams=0, luts=ceil(_function(rows) * width), bank_rows=rows
        )
    if kind == "split":
        first = split_rows(rows)
        block = read_only(first, width, "block")
        rest = read_only(rows - first, width, "lut") if rows > first else block
        if rest is block:
            return MemoryCost(kind=kind, block_rams=block.block_rams, luts=block.luts)
        # The two are joined by an OR.
        luts = block.luts + rest.luts + width
        return MemoryCost(kind=kind, block_rams=block.block_rams, luts=luts)
    raise ValueError(f"memory must be auto, block, lut or split, not {kind!r}")


def read_write(rows: int, width: int, kind: str = "auto") -> MemoryCost:
    """A memory with one write and one read port: membranes, window buffers, queues.

    ``kind`` is "auto", "block" or "lut": the LUT RAM holds 16 × 4 bits in six LUT4.
    """
    if kind == "auto":
        costs = [read_write(rows, width, kind) for kind in ("block", "lut")]
        return min(costs, key=lambda cost: cost.weighed)
    if kind == "block":
        blocks, luts = min(
            (banks * ceil(width / bits), _multiplexer(banks) * width)
            for depth, bits in BLOCKS
            for banks in [ceil(rows / depth)]
        )
        return MemoryCost(kind=kind, block_rams=blocks, luts=ceil(luts))
    if kind == "lut":
        banks = ceil(rows / 16)
        luts = 6 * banks * ceil(width / 4) + _multiplexer(banks) * width + (banks > 1) * banks
        return MemoryCost(kind=kind, block_rams=0, luts=ceil(luts))
    raise ValueError(f"memory must be auto, block or lut, not {kind!r}")


def split_rows(rows: int) -> int:
    """How many rows of a split memory lie in block RAM: the greatest power of two of them."""
    return 1 << rows.bit_length() - 1


def _bank_choice(banks: int) -> float:
    """LUT4 a bit of the choice between banks of weights (``WeightMemory``), as ABC9 makes it."""
    few = (0, 1, 2, 4, 3, 5.25, 9.25, 5.25, 8)
    return few[banks - 1] if banks <= len(few) else 0.8 * banks


def _multiplexer(inputs: int) -> float:
    """LUT4 of a multiplexer of one bit, as ABC9 makes it for speed."""
    few = (0, 1, 2, 4, 3, 4, 5, 6)
    return few[inputs - 1] if inputs <= len(few) else 1.1 * inputs


def _function(rows: int) -> float:
    """LUT4 of an arbitrary function of one bit with so many rows.

    Up to 128 rows it is made of whole LUT5, LUT6, LUT7; beyond them those are selected.
    """
    if rows <= 128:
        return 1 << max(0, (rows - 1).bit_length() - 4)
    return 1.2 * rows / 16
