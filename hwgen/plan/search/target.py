"""Plan for a rate and a board: the user's target as cycles and resources, and the answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf

from hwgen import boards
from hwgen.arguments import require_number
from hwgen.boards import Board
from hwgen.errors import PlanError
from hwgen.plan.cost.area import plan_usage
from hwgen.plan.cost.fabric import FABRICS
from hwgen.plan.cost.usage import Usage
from hwgen.plan.search.planned_design import Budget, PlannedDesign
from hwgen.plan.search.planner import Planner
from hwgen.plan.units.hardware_plan import HardwarePlan

FILL, CELL_FILL = 0.75, 0.9
"""Share of a part's LUT4 that a core may use: nextpnr adds about a seventh for the ends of carry
chains, and routing needs free ones. Share of the logic cells, where LUT4 and flip-flops share one:
those of the flip-flops are counted, and few of them are ends of carry chains."""
SHELL = Usage(200, 0, 150)
"""The board's shell around a core."""
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
        """Resources that the planner may use on ``board``; unlimited without one."""
        if board is None:
            return Budget(lut4=self.max_luts or inf)
        whole = part_of(board)
        luts = FILL * board.resources.lut4 if whole.cells == inf else whole.lut4
        cells = min(whole.cells, CELL_FILL * board.resources.lut4)
        return replace(
            whole,
            lut4=min(luts, self.max_luts or inf),
            cells=inf if whole.cells == inf else cells,
        )


def part_of(board: Board) -> Budget:
    """Everything that the board's part has besides the shell."""
    fabric, part = FABRICS[board.family], board.resources
    return Budget(
        lut4=part.lut4 - SHELL.lut4,
        block_rams=part.block_ram,
        ff=part.ff - SHELL.ff,
        cells=part.lut4 - SHELL.cells(fabric) if fabric.lone_registers else inf,
        fabric=fabric,
    )


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


def forced_design(
    target: Target, planner: Planner, interval_of: Callable[[HardwarePlan], float | None]
) -> PlannedDesign:
    """A plan that need not fit: the one for the target's rate, or the smallest without a rate."""
    budget = target.budget(target.board)
    if target.fps is None or target.clock_hz is None:
        return planner.smallest(budget)
    unlimited = Budget(fabric=budget.fabric)
    return planner.confirmed(target.clock_hz / target.fps, unlimited, interval_of)


def misfit(plan: HardwarePlan, board: Board) -> str | None:
    """Why ``plan`` cannot fit ``board``, with remedies; None if it can.

    It can where synthesis may find fewer than the part has
    (:attr:`hwgen.plan.cost.fabric.Fabric.surplus`).
    """

    def shortage(board: Board) -> str:
        part = part_of(board)
        most = sum(plan_usage(plan, part.fabric).values(), Usage())
        surplus = part.fabric.surplus
        least = Usage(most.lut4 / surplus, most.block_rams, most.ff / surplus)
        return "" if part.holds(least) else part.shortage(most)

    if not (lacks := shortage(board)):
        return None
    others = [other for other in _by_size(board) if not shortage(other)]
    larger = f"it fits on {others[0].name}; " if others else ""
    return (
        f"the plan does not fit on {board.name}: it needs {lacks}; {larger}give fewer lanes, "
        f"{_LESS}"
    )


_LESS = (
    "omit the counters, convert with fewer weight bits or timesteps, or write it all the same "
    "with force"
)


def _by_size(board: Board) -> list[Board]:
    """All other boards that come with hwgen, the smallest first."""
    others = [boards.load(name) for name in boards.names() if name != board.name]
    return sorted(others, key=lambda other: other.resources.lut4)


def _remedy(target: Target, planner: Planner, cycles: float) -> str:
    """The smallest board that meets the target, as the end of a message."""
    if target.board is None:
        return "raise max_luts or give a board"
    for board in _by_size(target.board):
        try:
            if cycles == inf:
                planner.fewest_cycles(target.budget(board))
            else:
                planner.for_cycles(cycles, target.budget(board))
        except PlanError:
            continue
        return f"it fits on {board.name}; or {_LESS}"
    return f"it fits on no board that comes with hwgen; {_LESS}"
