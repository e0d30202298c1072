"""Random networks that add trains of unlike lengths under Verilator, in both schedules."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.cosimulation import (
    builds_of_both_schedules,
    require_exact_and_predicted,
)
from tests.support.joined import adds_unlike_trains
from tests.support.random_networks import random_images, random_network
from tests.support.rotation import rotating

CASES = (
    ("radix", 0), ("radix", 7), ("ttfs", 3), ("rate_two", 0), ("fractional", 2),
    ("radix", 13), ("radix", 14), ("ttfs", 7), ("rate_two", 7), ("fractional", 3),
)  # fmt: skip


@pytest.mark.parametrize(("neuron", "seed"), rotating(CASES))
def test_random_network_in_both_schedules(neuron: str, seed: int, tmp_path: Path) -> None:
    network = random_network(
        seed, neuron=neuron, residual=True, max_size=6, max_channels=6, max_timesteps=6
    )
    assert adds_unlike_trains(network)
    images = random_images(seed, network, 3)
    rng = np.random.default_rng([seed, 6])
    for build in builds_of_both_schedules(network, rng, tmp_path):
        require_exact_and_predicted(build, images, seed)
