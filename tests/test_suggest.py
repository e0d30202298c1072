"""The one "did you mean"."""

from __future__ import annotations

import pytest

from hwgen.errors import PlanError
from hwgen.suggest import require_known, suggest, unknown


def test_a_near_miss_is_named_and_otherwise_every_choice() -> None:
    layers = ["conv1", "conv2", "fc"]
    assert suggest("cnv2", layers) == "did you mean 'conv2'?"
    assert suggest("pool", layers) == "available: conv1, conv2, fc"
    assert suggest(7, iter(layers)) == "available: conv1, conv2, fc"
    assert suggest("x", []) == "available: none"
    assert unknown("layer", "conv", ["conv1"]) == "unknown layer 'conv'; did you mean 'conv1'?"


def test_require_known_raises_the_error_that_it_is_given() -> None:
    require_known("schedule", "row", ("row", "time"), error=PlanError)
    with pytest.raises(PlanError, match="^unknown schedule 'rwo'; did you mean 'row'"):
        require_known("schedule", "rwo", ("row", "time"), error=PlanError)
    with pytest.raises(PlanError, match=r"^unknown schedule \['row'\]; did you mean 'row'"):
        require_known("schedule", ["row"], {"row": 1, "time": 2}, error=PlanError)
