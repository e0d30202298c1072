"""Choice of a phase-locked loop's dividers for the core's clock."""

from __future__ import annotations

from hwgen.boards import Board
from hwgen.errors import PlanError
from hwgen.synthesis.families import Pll, family_of


def choose(board: Board, hz: float) -> Pll | None:
    """The loop whose clock is nearest to ``hz``; None if the oscillator itself has that clock.

    Raises
    ------
    PlanError
        No setting comes within 2 % of ``hz``.
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
