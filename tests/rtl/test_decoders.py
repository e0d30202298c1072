"""Random networks with each output decoder, in both schedules: every word and every cycle."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from hwgen import golden
from hwgen.network import Identity, Network, SoftmaxReadout
from hwgen.plan.assembly import make_plan
from hwgen.plan.timing.predict import predict
from hwgen.plan.units.hardware_plan import HardwarePlan
from hwgen.plan.units.options import PlanOptions
from tests.support.random_networks import DECODERS, KINDS, random_images, random_network
from tests.support.rotation import rotating
from tests.support.rtl.cores import CoreBench

SEEDS = range(12)
SMALL = (0, 1, 2, 3, 4, 5, 8, 9, 10)
"""Seeds of networks that are simulated in seconds."""
BOTH = [(seed, "softmax") for seed in SEEDS] + [
    (seed, decoder) for seed in SMALL for decoder in DECODERS[2:]
]


def network_of(seed: int, decoder: str) -> Network:
    return random_network(
        seed, neuron=KINDS[seed % len(KINDS)], decoder=decoder, residual=seed % 3 == 0,
        max_size=4, max_channels=5, max_timesteps=5,
    )  # fmt: skip


def options_of(seed: int) -> dict[str, Any]:
    rng = np.random.default_rng([seed, 5])
    return {
        "lanes": int(rng.choice([1, 2, 3, 16])),
        "membrane_lanes": (None, None, 16, 1)[rng.integers(4)],
        "scanners": int(rng.choice([1, 2])),
        "pipeline": str(rng.choice(["alternate", "overlap"])),
        "counters": False,
    }


@pytest.mark.parametrize(("seed", "decoder"), rotating(BOTH))
def test_network_in_both_schedules(seed: int, decoder: str) -> None:
    """Without stalls, each class leaves in the cycle that the cycle model predicts."""
    network = network_of(seed, decoder)
    images = random_images(seed, network, 3)
    for schedule in ("row", "time"):
        plan = make_plan(network, PlanOptions(schedule=schedule, **options_of(seed)))
        assert HardwarePlan.from_json(plan.to_json()) == plan
        bench = CoreBench(plan, network, images)
        prediction = predict(plan, bench.trains)
        bench.run()
        start = bench.sample_cycles[0]
        results = [cycle - start for cycle in bench.result_cycles]
        assert results == list(prediction.result_cycles), schedule


@pytest.mark.parametrize(
    ("seed", "decoder"), [*BOTH[:12:4], (3, "spike_count"), (6, "first_spike")]
)
def test_stalls_and_a_reset(seed: int, decoder: str) -> None:
    network = network_of(seed, decoder)
    plan = make_plan(
        network, PlanOptions(schedule=("row", "time")[seed // 4 % 2], **options_of(seed))
    )
    bench = CoreBench(plan, network, random_images(seed, network, 2))
    bench.run(stall=(0.3, 0.5), seed=seed, reset_at=(307,))


def test_the_seeds_cover_all_kinds_of_networks() -> None:
    found: Counter[str] = Counter()
    for seed in SEEDS:
        network = network_of(seed, "softmax")
        neuron = network.readout.neuron
        assert isinstance(neuron, SoftmaxReadout)
        source_type = network.train_types[network.readout.sources[0]]
        counts = golden.run(network, random_images(seed, network, 20)).logits
        found["ones first"] += source_type.ones_first
        found["any order"] += not source_type.ones_first
        found["one spikes"] += bool((counts > 0).sum(axis=1).max() == 1)
        found["several spike"] += bool((counts > 0).sum(axis=1).max() > 1)
        for decoder in DECODERS[2:]:
            last = network_of(seed, decoder).readout
            found[decoder] += isinstance(last.projections[0], Identity)
    assert min(found.values()) >= 2
    assert found["spike_count"] == found["first_spike"] == len(SEEDS)
    assert found["several spike"] >= 4
