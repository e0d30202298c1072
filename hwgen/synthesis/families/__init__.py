"""FPGA families: a new family is one class here and one row of the table."""

from __future__ import annotations

from hwgen.boards import Board
from hwgen.synthesis.families.ecp5 import Ecp5
from hwgen.synthesis.families.family import Family, Pll
from hwgen.synthesis.families.ice40 import Ice40

FAMILIES: dict[str, Family] = {family.name: family for family in (Ecp5(), Ice40())}


def family_of(board: Board) -> Family:
    """Family of the board's part."""
    return FAMILIES[board.family]


__all__ = ["FAMILIES", "Family", "Pll", "family_of"]
