"""Random networks with inverse leaks k < 2 under Verilator, in both schedules."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hwgen.simulation.runner import simulate
from tests.support.cosimulation import builds_of_both_schedules
from tests.support.random_networks import random_images, random_network
from tests.support.rotation import rotating

SEEDS = (207, 200, 202, 203, 204, 211, 205, 206, 209, 210)


@pytest.mark.parametrize("seed", rotating(SEEDS))
def test_random_network_in_both_schedules(seed: int, tmp_path: Path) -> None:
    """Bit-exact with and without stalls; latency and interval as predicted without stalls."""
    network = random_network(
        seed,
        neuron="fractional",
        residual=seed % 2 == 0,
        max_size=5,
        max_channels=5,
        max_timesteps=5,
    )
    assert any(train_type.fractional for train_type in network.train_types.values())
    images = random_images(seed, network, 3)
    rng = np.random.default_rng([seed, 5])
    for build in builds_of_both_schedules(network, rng, tmp_path):
        free = simulate(build, images)
        assert free.bit_exact
        assert free.latency_cycles == free.predicted_latency_cycles
        assert free.interval_cycles == free.predicted_interval_cycles
        assert simulate(build, images, idle="random", backpressure="random", seed=seed).bit_exact
