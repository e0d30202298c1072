"""How long training takes that nobody asked for."""

from __future__ import annotations

from typing import Any

import pytest

from hwgen.conversion.calibration import training_budget
from hwgen.conversion.calibration.training_budget import multiply_adds_of, training_for
from hwgen.conversion.options import Options
from tests.support.float_models import fused, tiny_cnn

GRAPH = fused(tiny_cnn(), (2, 8, 8))
PER_IMAGE = 8 * 8 * 4 * 2 * 9 + 2 * 2 * 6 * 4 * 9 + 24 * 4  # by hand, padding counts


def test_multiply_adds_by_hand() -> None:
    assert multiply_adds_of(GRAPH) == PER_IMAGE


@pytest.mark.parametrize(
    ("images", "passes", "expected"),
    [
        (1000, 3500, (3, 1000)),
        (1000, 1000, (1, 1000)),
        (1000, 999, (1, 999)),
        (1000, 1 << 20, (8, 1000)),
        (1000, 255, None),
        (255, 1 << 20, None),
        (256, 1 << 20, (8, 256)),
    ],
)
def test_epochs_and_images_fit_the_budget(
    images: int, passes: int, expected: tuple[int, int] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_budget, "BUDGET", passes * PER_IMAGE + 1)
    found = training_for(GRAPH, images, Options(timesteps=2))
    assert (found and (found.epochs, found.images)) == expected


@pytest.mark.parametrize(
    ("options", "tried"),
    [
        ({"timesteps": 5}, True),
        ({"timesteps": 6}, False),
        ({"timesteps": 8, "mean_timesteps": 2.5}, True),
        ({"timesteps": 8, "weight_bits": 4}, True),
        ({"timesteps": 3, "neuron": "if2"}, True),
        ({"timesteps": 3, "leak": 1.5}, False),
        ({"timesteps": 3, "neuron": "if"}, False),
    ],
)
def test_it_is_tried_where_rounding_costs_most(options: dict[str, Any], tried: bool) -> None:
    assert (training_for(GRAPH, 1000, Options(**options)) is not None) == tried


@pytest.mark.parametrize(
    ("options", "rate"),
    [
        ({"timesteps": 1}, 0.01),
        ({"timesteps": 2}, 0.01),
        ({"timesteps": 4}, 0.0025),
        ({"timesteps": 3, "neuron": "if2"}, 0.01),
        ({"timesteps": 8, "mean_timesteps": 2.5}, 0.04 / 2**2.5),
        ({"timesteps": 8, "weight_bits": 3}, 0.005),
    ],
)
def test_the_rate_falls_with_the_number_of_levels(options: dict[str, Any], rate: float) -> None:
    found = training_for(GRAPH, 1000, Options(**options))
    assert found is not None
    assert found.learning_rate == pytest.approx(rate)
