"""Memories that map to block RAM, and memories of constants."""

from collections.abc import Sequence
from typing import Any

from amaranth.hdl import ShapeLike
from amaranth.lib.memory import Memory

from hwgen.plan.units.memories import BLOCK_ROWS


def block_memory(*, shape: ShapeLike, depth: int) -> Memory:
    """A memory for block RAM; a word that is read while it is written is undefined.

    ``no_rw_check`` keeps yosys from adding logic that forwards the written word.
    """
    return Memory(shape=shape, depth=depth, init=[], attrs={"no_rw_check": 1})


def read_only_memory(*, shape: ShapeLike, rows: Sequence[Any]) -> Memory:
    """A memory of constants: in block RAM if it has many rows, otherwise in LUTs."""
    style = "block" if len(rows) >= BLOCK_ROWS else "logic"
    return Memory(shape=shape, depth=len(rows), init=rows, attrs={"rom_style": style})
