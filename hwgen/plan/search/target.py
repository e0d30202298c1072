"""Plans for a rate and a board: what the user asks for, in cycles and resources, and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Any

from hwgen import boards
from hwgen.boards import Board
from hwgen.errors import PlanError
from hwgen.plan.search.planned_design import Budget, PlannedDesign
from hwgen.plan.search.planner import Planner
from hwgen.plan.units.hardware_plan import HardwarePlan

FILL = 0.75
"""Share of a part's LUT4 that may be used: nextpnr adds about a seventh for the ends of carry
chains, and routing needs budget."""
FASTEST = "max"


@dataclass(frozen=True, kw_only=True)
class Target:
    """What is asked of the planner.

    Parameters
    ----------
    target_fps : float, "max" or None
        Results a second; None and "max" ask for the highest rate that fits.
    max_luts : int or None
        LUT4 that the core may take.
    board : Board or None
    clock_mhz : float or None
        The board's default where not given.
    """

    target_fps: float | str | None = None
    max_luts: int | None = None
    board: Board | None = None
    clock_mhz: float | None = None

    def __post_init__(self) -> None:
        for name, value in (("max_luts", self.max_luts), ("clock_mhz", self.clock_mhz)):
            if value is not None and not value > 0:
                raise PlanError(f"{name} must be positive, not {value!r}")
        fps = self.target_fps
        if isinstance(fps, str) and fps != FASTEST or isinstance(fps, int | float) and not fps > 0:
            raise PlanError(f"target_fps must be a positive number or {FASTEST!r}, not {fps!r}")
        if self.fps is not None and self.clock_hz is None:
            raise PlanError("target_fps needs a clock; give a board, or clock_mhz")
        if fps == FASTEST and self.board is None and self.max_luts is None:
            raise PlanError("the highest rate needs a limit; give a board, or max_luts")

    @property
    def is_made(self) -> bool:
        """Whether the planner is asked at all; a board alone is none of its business."""
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
        """What the core may take of ``board``."""
        luts = inf if board is None else FILL * board.resources.lut4
        blocks = inf if board is None else board.resources.block_ram
        return Budget(lut4=min(luts, self.max_luts or inf), block_rams=blocks)


def design_for(
    target: Target, planner: Planner, interval_of: Callable[[HardwarePlan], float | None]
) -> PlannedDesign:
    """The plan for a target; ``interval_of`` is the exact cycle model, None where it takes too
    long.

    Raises :class:`PlanError`, naming what is short, by how much, and the board that has it.
    """
    budget = target.budget(target.board)
    where = f" on {target.board.name}" if target.board else ""
    if target.fps is None:
        try:
            return planner.fewest_cycles(budget)
        except PlanError as error:
            raise PlanError(
                f"nothing fits{where}: {error}; {_other(target, planner, inf)}"
            ) from None
    assert target.clock_hz is not None
    cycles = target.clock_hz / target.fps
    try:
        return planner.confirmed(cycles, budget, interval_of)
    except PlanError as error:
        raise PlanError(
            f"{target.fps:,.6g} results/s at {target.clock_hz / 1e6:g} MHz are not "
            f"reachable{where}: {error}; "
            f"{_other(target, planner, cycles)}"
        ) from None


def _other(target: Target, planner: Planner, cycles: float) -> str:
    """Which board could do what ``target.board`` cannot."""
    if target.board is None:
        return "no board is asked for that could be changed"
    others = [boards.load(name) for name in boards.names() if name != target.board.name]
    for board in sorted(others, key=lambda board: board.resources.lut4):
        try:
            if cycles == inf:
                planner.fewest_cycles(target.budget(board))
            else:
                planner.for_cycles(cycles, target.budget(board))
        except PlanError:
            continue
        return f"{board.name} has room for it"
    return "none of the boards that come with hwgen can do it"


def describe(planned: PlannedDesign, target: Target, interval: float | None) -> dict[str, Any]:
    """What is expected of a plan, as plain values; ``interval`` as the exact model has it."""
    total = planned.total
    every = interval or planned.interval
    budget = target.budget(target.board)
    return {
        "bottleneck": planned.bottleneck,
        "interval_cycles": every,
        "clock_mhz": target.clock_hz / 1e6 if target.clock_hz else None,
        "results_per_s": target.clock_hz / every if target.clock_hz else None,
        "lut4": round(total.lut4),
        "block_ram": total.block_rams,
        "lut4_available": None if budget.lut4 == inf else int(budget.lut4),
        "block_ram_available": None if budget.block_rams == inf else int(budget.block_rams),
        "units": {
            name: {
                "cycles": round(planned.cycles[name]) if name in planned.cycles else None,
                "lane_use": _lane_use(planned, name, every),
                "lut4": round(usage.lut4),
                "block_ram": usage.block_rams,
            }
            for name, usage in planned.usage.items()
        },
    }


def _lane_use(planned: PlannedDesign, name: str, every: float) -> float | None:
    if name not in planned.works:
        return None
    layer = next(layer for layer in planned.plan.layers if layer.node == name)
    return round(planned.lane_use(layer, every), 4)
