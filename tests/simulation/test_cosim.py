"""Random networks end to end: generate, simulate, compare every stream with golden."""

from __future__ import annotations

from pathlib import Path

import pytest

from hwgen.generation import generate
from hwgen.network import Network
from tests.support.cosimulation import require_exact_and_predicted
from tests.support.random_networks import KINDS, random_images, random_network
from tests.support.random_options import random_options
from tests.support.rotation import rotating

SEEDS = range(12)
SAMPLES = 3


def network_of(seed: int) -> Network:
    """Random network; half of them have paths that split and join."""
    neuron, residual = KINDS[seed % len(KINDS)], seed // 2 % 2 == 0
    return random_network(seed, neuron=neuron, residual=residual, max_size=7, max_channels=8)


@pytest.mark.parametrize("seed", rotating(SEEDS))
def test_random_network_equals_golden_and_the_cycle_model(seed: int, tmp_path: Path) -> None:
    """Bit-exact with and without stalls; latency and interval as predicted without stalls.

    The schedule changes every four networks.
    """
    network = network_of(seed)
    images = random_images(seed, network, SAMPLES)
    build = generate(network, **random_options(seed)).write(tmp_path / "build")
    require_exact_and_predicted(build, images, seed)
