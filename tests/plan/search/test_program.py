"""The integer linear program, on choices whose best combination is worked out by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from hwgen.plan.cost.usage import Usage
from hwgen.plan.search.choices import Choice
from hwgen.plan.search.planned_design import Budget
from hwgen.plan.search.program import GAP, select
from hwgen.plan.units.geometry import StreamPlan

INPUT = StreamPlan(node="input", shape=(8, 4, 4), timesteps=2, width=8)


def stream(node: str, width: int) -> StreamPlan:
    return StreamPlan(node=node, shape=(8, 4, 4), timesteps=2, width=width)


def choice(
    node: str, sources: list[StreamPlan], lut4: float, blocks: int, width: int = 1
) -> Choice:
    output = stream(node, width)
    return Choice(sources=tuple(sources), output=output, usage=Usage(lut4, blocks, lut4))


def luts_and_blocks() -> dict[str, list[Choice]]:
    """500 LUT4, or 100 LUT4 and two block RAMs: equal at 200 LUT4 for a block RAM."""
    return {"a": [choice("a", [INPUT], 500, 0), choice("a", [INPUT], 100, 2)]}


def test_block_rams_that_are_there_are_free() -> None:
    chosen = select(luts_and_blocks(), Usage(), Budget(block_rams=2))
    assert chosen["a"].usage.block_rams == 2
    assert select(luts_and_blocks(), Usage(), Budget(block_rams=1))["a"].usage.block_rams == 0
    # What is used in any case counts.
    assert select(luts_and_blocks(), Usage(0, 1), Budget(block_rams=2))["a"].usage.block_rams == 0


def test_without_a_limit_a_block_ram_is_as_dear_as_400_luts() -> None:
    assert select(luts_and_blocks(), Usage(), Budget())["a"].usage.lut4 == 500
    assert select(luts_and_blocks(), Usage(), Budget(lut4=499))["a"].usage.lut4 == 100


def test_of_equal_plans_the_one_with_fewer_block_rams_is_taken() -> None:
    choices = {"a": [choice("a", [INPUT], 100, 2), choice("a", [INPUT], 100, 1)]}
    assert select(choices, Usage(), Budget(block_rams=2))["a"].usage.block_rams == 1


def test_a_stream_has_the_width_that_its_reader_was_sized_for() -> None:
    """The cheapest of each stage would be 10 + 10; with equal streams they are 10 + 50 or 30 + 10.

    "c" reads both: "a" of width 2, "b" and "c" cost 30 + 10 + 5.
    """
    wide, narrow = stream("a", 2), stream("a", 1)
    choices = {
        "a": [choice("a", [INPUT], 10, 0, width=1), choice("a", [INPUT], 30, 0, width=2)],
        "b": [choice("b", [narrow], 50, 0), choice("b", [wide], 10, 0)],
    }
    chosen = select(choices, Usage(), Budget())
    assert [chosen[name].usage.lut4 for name in "ab"] == [30, 10]
    choices["c"] = [
        choice("c", [stream("b", 1), narrow], 1, 0),
        choice("c", [stream("b", 1), wide], 5, 0),
    ]
    chosen = select(choices, Usage(), Budget())
    assert [chosen[name].usage.lut4 for name in "abc"] == [30, 10, 5]


def test_a_plan_that_does_not_fit_exceeds_its_budget_least() -> None:
    """Of 100 LUT4 and 2 block RAMs: 150 and 2 are 1.5 times as many; 120 and 4 twice."""
    choices = {"a": [choice("a", [INPUT], 120, 4), choice("a", [INPUT], 150, 2)]}
    assert select(choices, Usage(), Budget(lut4=100, block_rams=2))["a"].usage.lut4 == 150


@pytest.mark.parametrize("seed", range(20))
def test_no_combination_is_better(seed: int) -> None:
    """All combinations of five stages in a chain with two skips, within random budgets."""
    rng = np.random.default_rng(seed)
    sources = {"a": ["input"], "b": ["a"], "c": ["b", "a"], "d": ["c"], "e": ["d", "c"]}
    streams = {name: [stream(name, width) for width in (1, 2)] for name in sources}
    streams["input"] = [INPUT]
    choices = {
        name: [
            choice(name, list(pair), float(rng.integers(1, 100)), int(rng.integers(5)), width=width)
            for pair in itertools.product(*(streams[source] for source in read))
            for width in (1, 2)
            for _ in range(2)
        ]
        for name, read in sources.items()
    }
    budget = Budget(lut4=float(rng.integers(120, 400)), block_rams=int(rng.integers(2, 12)))
    best = min(
        (
            sum(choice.usage.lut4 for choice in chosen)
            for chosen in _agreeing(choices)
            if budget.holds(sum((choice.usage for choice in chosen), Usage()))
        ),
        default=None,
    )
    found = sum((choice.usage for choice in select(choices, Usage(), budget).values()), Usage())
    assert budget.holds(found) is (best is not None)
    if best is not None:
        assert best <= found.lut4 <= best * (1 + GAP) + 0.02  # block RAMs decide between equal ones


def _agreeing(choices: dict[str, list[Choice]]) -> list[list[Choice]]:
    """All combinations in which each stage reads what its sources send."""
    partial: list[list[Choice]] = [[]]
    for given in choices.values():
        partial = [
            [*chosen, choice]
            for chosen in partial
            for choice in given
            if {*choice.sources} <= {INPUT, *(earlier.output for earlier in chosen)}
        ]
    return partial
