"""Converted averages end to end: weights stored once, every stream equal to golden."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from hwgen.generation import generate
from hwgen.network import stored_weights
from tests.support.conversion import convert
from tests.support.cosimulation import require_exact_and_predicted
from tests.support.float_models import Forward, pixels


def model() -> nn.Module:
    """An average before a convolution, one before a linear layer, and a branch without any."""
    torch.manual_seed(2)
    return Forward(
        lambda m, x: (
            lambda y: m.averaged(F.avg_pool2d(y, (2, 3)).flatten(1)) + m.direct(y.flatten(1))
        )(F.relu(m.second(F.avg_pool2d(F.relu(m.first(x)), 2)))),
        first=nn.Conv2d(1, 4, 3, padding=1), second=nn.Conv2d(4, 4, (1, 2)),
        averaged=nn.Linear(16, 5), direct=nn.Linear(96, 5),
    ).eval()  # fmt: skip


@pytest.mark.parametrize(
    ("schedule", "lanes", "scanners"),
    [("row", 4, 2), pytest.param("time", 2, 1, marks=pytest.mark.slow)],
    ids=["row", "time"],
)
def test_averages_equal_golden_and_the_cycle_model(
    schedule: str, lanes: int, scanners: int, tmp_path: Path
) -> None:
    images = np.kron(pixels((1, 4, 7), samples=40), np.ones((1, 1, 2, 2), np.uint8))
    network = convert(model(), images, timesteps=3)
    design = generate(network, schedule=schedule, lanes=lanes, scanners=scanners)
    *_, average, _, classifier = design.plan.layers
    assert [path.tile for path in average.paths] == [(2, 2)]
    assert {path.tile for path in classifier.paths} == {(2, 3), (1, 1)}
    for projection, path in zip(network.readout.projections, classifier.paths, strict=True):
        inputs = stored_weights(projection.weights)[0].size
        assert path.weight_depth * path.window.scanners == inputs * classifier.rounds
    require_exact_and_predicted(design.write(tmp_path / "build"), images[:3], seed=lanes)
