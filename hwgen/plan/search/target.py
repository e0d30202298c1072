"""Plan for a rate and a board: the user's target as cycles and resources, and the answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

from hwgen import boards
from hwgen.arguments import require_number
from hwgen.boards import Board
from hwgen.errors import PlanError
from hwgen.plan.search.planned_design import Budget, PlannedDesign
from hwgen.plan.search.planner import Planner
from hwgen.plan.units.hardware_plan import HardwarePlan

FILL = 0.75
"""Share of a part's LUT4 that a core may use: nextpnr adds about a seventh for the ends of carry
chains, and routing needs free ones."""
FASTEST = "max"


@dataclass(frozen=True, kw_only=True)
class Target:
    """The user's target.

    Parameters
    ----------
    target_fps : float, "max" or None
        Results per second; None or "max" for the highest rate that fits.
    max_luts : int or None
        LUT4 that the core may use.
    board : Board or None
    clock_mhz : float or None
        None for the board's default clock.
    """

    target_fps: float | str | None = None
    max_luts: int | None = None
    board: Board | None = None
    clock_mhz: float | None = None

    def __post_init__(self) -> None:
        fps = self.target_fps
        for name, value, rule in (
            ("max_luts", self.max_luts, "above 0"),
            ("clock_mhz", self.clock_mhz, "above 0"),
            ("target_fps", None if fps == FASTEST else fps, f"above 0, or {FASTEST!r}"),
        ):
            if value is not None:
                require_number(name, value, rule, lambda x: x > 0, error=PlanError)
        if self.fps is not None and self.clock_hz is None:
            raise PlanError("target_fps needs a clock; give a board or clock_mhz")
        if fps == FASTEST and self.board is None and self.max_luts is None:
            raise PlanError("target_fps 'max' needs a limit; give a board or max_luts")

    @property
    def needs_planner(self) -> bool:
        """Whether it states a rate or a limit; a board alone does not."""
        return self.target_fps is not None or self.max_luts is not None

    @property
    def fps(self) -> float | None:
        return None if isinstance(self.target_fps, str) else self.target_fps

    @property
    def clock_hz(self) -> float | None:
        if self.clock_mhz is not None:
            return self.clock_mhz * 1e6
        return self.board.default_hz if self.board else None

    def budget(self, board: Board | None) -> Budget:
        """Resources that the core may use on ``board``; unlimited without one."""
        luts = inf if board is None else FILL * board.resources.lut4
        blocks = inf if board is None else board.resources.block_ram
        return Budget(lut4=min(luts, self.max_luts or inf), block_rams=blocks)


def design_for(
    target: Target, planner: Planner, interval_of: Callable[[HardwarePlan], float | None]
) -> PlannedDesign:
    """The plan that meets a target.

    ``interval_of`` is the cycle model; it returns None where it would take too long. Raises
    :class:`.PlanError`, which names the missing resource, the shortfall and a board that fits.
    """
    budget = target.budget(target.board)
    where = f" on {target.board.name}" if target.board else ""
    cycles, failure = inf, "no plan fits"
    if target.fps is not None and target.clock_hz is not None:
        cycles, clock_mhz = target.clock_hz / target.fps, target.clock_hz / 1e6
        failure = f"{target.fps:,.6g} results/s at {clock_mhz:g} MHz are not reachable"
    try:
        if cycles == inf:
            return planner.fewest_cycles(budget)
        return planner.confirmed(cycles, budget, interval_of)
    except PlanError as error:
        remedy = _remedy(target, planner, cycles)
        raise PlanError(f"{failure}{where}: {error}; {remedy}") from None


def _remedy(target: Target, planner: Planner, cycles: float) -> str:
    """The smallest board that meets the target, as the end of a message."""
    if target.board is None:
        return "raise max_luts or give a board"
    others = [boards.load(name) for name in boards.names() if name != target.board.name]
    for board in sorted(others, key=lambda board: board.resources.lut4):
        try:
            if cycles == inf:
                planner.fewest_cycles(target.budget(board))
            else:
                planner.for_cycles(cycles, target.budget(board))
        except PlanError:
            continue
        return f"it fits on {board.name}"
    return "it fits on no board that comes with hwgen"
