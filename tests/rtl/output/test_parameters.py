# amaranth: UnusedElaboratable=no
"""Output units reject bad parameters and expose the accepted ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from amaranth import signed
from amaranth.lib import data

from hwgen.plan.units.softmax import SoftmaxPlan
from hwgen.rtl.output.result import ResultUnit
from hwgen.rtl.output.softmax import SoftmaxUnit
from hwgen.rtl.output.softmax_draws import SoftmaxDraws
from hwgen.rtl.output.softmax_terms import SoftmaxTerms
from tests.support.rtl.parameters import check_exposed, check_rejected

LAYOUT = data.ArrayLayout(signed(7), 2)
PLAN = SoftmaxPlan(
    classes=3,
    timesteps=4,
    shift=1,
    entries=5,
    below_width=6,
    entry_width=4,
    sum_width=6,
    random_bits=8,
    seed=1,
    count_width=3,
)
TABLE = np.array([9, 6, 4, 2, 1])
SOFTMAX = {"plan": PLAN, "word_layout": LAYOUT, "table": TABLE}
COMPONENTS: list[tuple[Any, dict[str, Any]]] = [
    (ResultUnit, {"classes": 3, "word_layout": LAYOUT, "width": 32}),
    (SoftmaxDraws, {"plan": PLAN}),
    (SoftmaxTerms, SOFTMAX),
    (SoftmaxUnit, SOFTMAX),
]


@pytest.mark.parametrize(("component", "parameters"), COMPONENTS)
def test_parameters_are_exposed(component: Any, parameters: dict[str, Any]) -> None:
    check_exposed(component, parameters)


@pytest.mark.parametrize(
    ("component", "name", "value"),
    [
        (ResultUnit, "classes", 0),
        (ResultUnit, "word_layout", signed(7)),
        (ResultUnit, "width", 32.0),
        (SoftmaxDraws, "plan", TABLE),
        (SoftmaxTerms, "table", TABLE[1:]),
        (SoftmaxTerms, "plan", None),
        (SoftmaxUnit, "word_layout", 7),
        (SoftmaxUnit, "table", TABLE[1:]),
        (SoftmaxUnit, "plan", None),
    ],
)
def test_bad_parameters_are_rejected(component: Any, name: str, value: Any) -> None:
    check_rejected(component, dict(COMPONENTS)[component], name, value)
