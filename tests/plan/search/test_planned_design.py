"""A budget of LUTs and block RAMs, and what a board leaves for a core."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hwgen import boards
from hwgen.plan.assembly import make_plan
from hwgen.plan.cost.usage import Usage
from hwgen.plan.search.planned_design import Budget
from hwgen.plan.search.target import Target, misfit
from hwgen.plan.units.options import PlanOptions
from tests.support import two_layers


@pytest.mark.parametrize(
    ("usage", "fits"),
    [(Usage(100, 2), True), (Usage(100.5, 2), False), (Usage(100, 3), False), (Usage(0, 0), True)],
)
def test_a_budget_bounds_both_resources(usage: Usage, fits: bool) -> None:
    assert Budget(lut4=100, block_rams=2).holds(usage) is fits
    assert Budget().holds(usage)


def test_a_core_may_use_three_quarters_of_the_luts_of_a_part() -> None:
    """Of 83,640 LUT4 and 208 block RAMs (Lattice FPGA-DS-02012)."""
    board = boards.load("ulx3s-85f")
    whole = Budget(lut4=62_730, block_rams=208, ff=83_490)
    assert Target(board=board).budget(board) == whole
    assert Target(board=board, max_luts=5000).budget(board) == replace(whole, lut4=5000)
    assert Target(board=board, max_luts=70_000).budget(board).lut4 == 62_730


def test_lut4_and_flip_flops_of_an_ice40_share_cells() -> None:
    """5,280 logic cells (Lattice FPGA-DS-02008), of which a core may use 90 %."""
    board = boards.load("icebreaker")
    budget = Target(board=board).budget(board)
    assert (budget.block_rams, budget.cells, budget.fabric.name) == (30, 4752, "ice40")
    assert budget.holds(Usage(3000, 30, 2000))
    assert not budget.holds(Usage(3000, 30, 2200))  # 3,000 + 0.83 · 2,200 = 4,826
    assert budget.shortage(Usage(3000, 31, 2200)) == (
        "4,826 logic cells of 4,752 (74 too many), 31 block RAMs of 30 (1 too many)"
    )


def test_a_plan_that_exceeds_the_whole_part_does_not_fit() -> None:
    """Three layers of eight lanes each are more than the logic of an iCE40 UP5K."""
    board = boards.load("icebreaker")
    plan = make_plan(two_layers.network(), PlanOptions(lanes=8))
    message = misfit(plan, board)
    assert message is not None
    assert message.startswith("the plan does not fit on icebreaker: it needs ")
    assert " logic cells of 4,9" in message  # 5,280 without the shell
    assert "; it fits on ulx3s-25f; give fewer lanes, omit the counters, " in message
    assert misfit(plan, boards.load("ulx3s-25f")) is None
