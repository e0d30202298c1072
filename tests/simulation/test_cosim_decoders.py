"""Random networks with decoders other than membranes, end to end under Verilator."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hwgen.generation import generate
from hwgen.network import Network
from tests.support.cosimulation import require_exact_and_predicted
from tests.support.random_networks import KINDS, random_images, random_network
from tests.support.rotation import rotating

SAMPLES = 3
CASES = [
    *((seed, "softmax") for seed in range(10)),
    *((seed, "spike_count") for seed in (10, 11)),
    *((seed, "first_spike") for seed in (12, 13)),
]


def network_of(seed: int, decoder: str) -> Network:
    return random_network(
        seed, neuron=KINDS[seed // 2 % len(KINDS)], decoder=decoder, residual=seed % 3 == 0,
        max_size=6, max_channels=8,
    )  # fmt: skip


@pytest.mark.parametrize(("seed", "decoder"), rotating(CASES))
def test_random_network_equals_golden_and_the_cycle_model(
    seed: int, decoder: str, tmp_path: Path
) -> None:
    """Bit-exact with and without stalls; latency and interval as predicted without stalls.

    The schedule alternates from network to network.
    """
    network = network_of(seed, decoder)
    rng = np.random.default_rng([seed, 79])
    build = generate(
        network,
        lanes=int(rng.choice([1, 2, 3, 5, 8, 16])),
        scanners=int(rng.choice([1, 1, 2, 3])),
        schedule=("row", "time")[seed % 2],
        pipeline=str(rng.choice(["alternate", "overlap"])),
        counters=bool(rng.integers(2)),
    ).write(tmp_path / "build")
    assert build.network.readout.neuron.__dict__.keys() == (network.readout.neuron.__dict__.keys())
    images = random_images(seed, network, SAMPLES)
    require_exact_and_predicted(build, images, seed)
