"""Random networks with direct input and with address events, end to end."""

from __future__ import annotations

from pathlib import Path

import pytest

from hwgen.generation import generate
from hwgen.network import Network
from tests.support.cosimulation import require_exact_and_predicted
from tests.support.random_networks import random_images, random_network
from tests.support.random_options import random_options
from tests.support.rotation import rotating

SAMPLES = 3
NEURONS = {
    "direct": ("rate_single", "rate_hard"),
    "events": ("rate_single", "rate_two", "rate_hard", None),
}
SEEDS = {"direct": range(10), "events": range(12)}


CASES = [(code, seed) for code, seeds in SEEDS.items() for seed in seeds]


def network_of(code: str, seed: int) -> Network:
    neuron = NEURONS[code][seed % len(NEURONS[code])]
    return random_network(
        seed, neuron=neuron, residual=seed % 5 == 4, code=code, max_size=6, max_channels=4
    )


@pytest.mark.parametrize(("code", "seed"), rotating(CASES))
def test_random_network_equals_golden_and_the_cycle_model(
    code: str, seed: int, tmp_path: Path
) -> None:
    """Bit-exact with and without stalls; latency and interval as predicted without stalls."""
    network = network_of(code, seed)
    images = random_images(seed, network, SAMPLES)
    options = random_options(seed)
    if code == "events":
        options |= {"schedule": "time", "input_width": (32, 64, None)[seed % 3]}
    build = generate(network, **options).write(tmp_path / "build")
    require_exact_and_predicted(build, images, seed)
