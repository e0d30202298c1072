"""Cases that take turns: ten turns have all of them, and a run tells and repeats its own."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.rotation import ALL, TURNS, rotating, split, todays_turn

ROOT = Path(__file__).parents[1]
ROTATING = "tests/plan/timing/test_predict.py"


def items_of(cases: Sequence[Any]) -> list[Any]:
    """Stand-ins for collected items, as pytest gives them the marks of their parameters."""
    return [
        SimpleNamespace(value=case.values, get_closest_marker=lambda _, case=case: case.marks[0])
        for case in rotating(cases)
    ]


def test_ten_turns_have_every_case_once() -> None:
    items = items_of(range(23))
    turns = [split(items, str(turn)) for turn in range(TURNS)]
    assert sorted(item.value for now, _ in turns for item in now) == [(n,) for n in range(23)]
    assert [len(now) for now, _ in turns] == [3, 3, 3, 2, 2, 2, 2, 2, 2, 2]
    assert all(len(now) + len(later) == 23 for now, later in turns)
    assert split(items, ALL) == (items, [])


def test_tuples_are_the_values_of_several_parameters() -> None:
    cases = rotating([(n, str(n)) for n in range(10)])
    assert cases[3].values == (3, "3")


def test_other_tests_run_in_every_turn() -> None:
    plain: Any = SimpleNamespace(get_closest_marker=lambda _: None)
    assert all(split([plain], str(turn)) == ([plain], []) for turn in range(TURNS))


def test_no_turn_is_empty() -> None:
    with pytest.raises(ValueError, match="9 cases leave some of the 10 turns without any"):
        rotating(range(9))


def collected(*arguments: str) -> str:
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", *arguments],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return result.stdout + result.stderr


def test_a_run_tells_its_turn_and_can_repeat_it() -> None:
    """15 seeds: two in turn 4, one in turn 5; a test that is named runs all of them."""
    name = "test_model_equals_the_simulated_core"
    output = collected("--turn", "4", ROTATING)
    assert re.findall(rf"{name}\[(\d+)\]", output) == ["4", "14"]
    assert "turn 4; repeat with --turn 4" in output
    assert re.findall(rf"{name}\[(\d+)\]", collected(f"{ROTATING}::{name}")) == [
        str(seed) for seed in range(15)
    ]
    assert "argument --turn: invalid choice: '10'" in collected("--turn", "10", ROTATING)


def test_the_turn_is_a_digit() -> None:
    assert todays_turn() in map(str, range(TURNS))
