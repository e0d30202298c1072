"""Memories that map to block RAM."""

from amaranth.hdl import ShapeLike
from amaranth.lib.memory import Memory


def block_memory(*, shape: ShapeLike, depth: int) -> Memory:
    """A memory for block RAM; a word that is read while it is written is undefined.

    ``no_rw_check`` keeps yosys from adding logic that forwards the written word.
    """
    return Memory(shape=shape, depth=depth, init=[], attrs={"no_rw_check": 1})
