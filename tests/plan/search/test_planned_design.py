"""A budget of LUTs and block RAMs, and what a board leaves for a core."""

from __future__ import annotations

import pytest

from hwgen import boards
from hwgen.plan.cost.usage import Usage
from hwgen.plan.search.planned_design import Budget
from hwgen.plan.search.target import Target


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
    assert Target(board=board).budget(board) == Budget(lut4=62_730, block_rams=208)
    assert Target(board=board, max_luts=5000).budget(board) == Budget(lut4=5000, block_rams=208)
    assert Target(board=board, max_luts=70_000).budget(board).lut4 == 62_730
