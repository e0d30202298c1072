"""FPGA families: a new family is one class here and one row of the table."""

from __future__ import annotations

from hwgen.boards import Board
from hwgen.errors import PlanError
from hwgen.synthesis.families.ecp5 import Ecp5
from hwgen.synthesis.families.family import Family, Pll
from hwgen.synthesis.families.ice40 import Ice40

FAMILIES: dict[str, Family] = {family.name: family for family in (Ecp5(), Ice40())}


def family_of(board: Board) -> Family:
    """Family of the board's part."""
    return FAMILIES[board.family]


def choose_pll(board: Board, hz: float) -> Pll | None:
    """The loop whose clock is nearest to ``hz``; None if the oscillator itself has that clock.

    Raises :class:`.PlanError` if no setting comes within 2 % of ``hz``.
    """
    if abs(hz - board.clock.hz) < 0.5:
        return None
    best = min(
        family_of(board).plls(board.clock.hz),
        key=lambda pll: (abs(pll.hz - hz), pll.reference, pll.output),
    )
    if abs(best.hz - hz) > 0.02 * hz:
        raise PlanError(
            f"{board.name} cannot make {hz / 1e6:g} MHz from its {board.clock.hz / 1e6:g} MHz "
            f"oscillator; the nearest clock is {best.hz / 1e6:g} MHz"
        )
    return best


__all__ = ["FAMILIES", "Family", "Pll", "choose_pll", "family_of"]
