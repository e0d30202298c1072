"""Random networks with inverse leaks k < 2 in both schedules: every word and every cycle."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from hwgen.network import Network
from hwgen.plan.assembly import make_plan
from hwgen.plan.timing.predict import predict
from hwgen.plan.units.options import PlanOptions
from tests.support.random_networks import random_images, random_network
from tests.support.rotation import rotating
from tests.support.rtl.cores import CoreBench

SEEDS = range(12)


def network_of(seed: int) -> Network:
    """Random network; every third one mixes neuron types."""
    return random_network(
        seed, neuron="fractional" if seed % 3 else None, residual=seed % 2 == 0,
        max_size=4, max_channels=4, max_timesteps=4,
    )  # fmt: skip


@pytest.mark.parametrize("seed", rotating(SEEDS))
def test_network_in_both_schedules(seed: int) -> None:
    network = network_of(seed)
    images = random_images(seed, network, 2)
    rng = np.random.default_rng([seed, 9])
    for schedule in ("row", "time"):
        plan = make_plan(
            network,
            PlanOptions(
                schedule=schedule,
                lanes=int(rng.choice([1, 2, 3, 16])),
                membrane_lanes=(None, 16, 1)[rng.integers(3)],
                scanners=int(rng.choice([1, 1, 2])),
                pipeline=str(rng.choice(["alternate", "overlap"])),
                counters=False,
            ),
        )
        bench = CoreBench(plan, network, images)
        prediction = predict(plan, bench.trains)
        bench.run()
        results = [cycle - bench.sample_cycles[0] for cycle in bench.result_cycles]
        assert results == list(prediction.result_cycles), schedule
    bench.run(stall=(0.3, 0.5), seed=seed, reset_at=(151,))


def test_the_seeds_cover_leaks_on_both_sides() -> None:
    """A census, so that no kind of unit disappears from the seeds unnoticed."""
    found: Counter[str] = Counter()
    for seed in SEEDS:
        for layer in make_plan(network_of(seed)).layers:
            leak_in, leak_out = layer.leak_in, layer.leak_out
            if not layer.fractional:
                continue
            found[layer.kind] += 1
            found["in"] += leak_in.rounds
            found["out"] += leak_out.rounds and layer.kind != "readout"
            found["both, different"] += (
                leak_in.rounds and leak_out.rounds and leak_in.m != leak_out.m
            )
            found["fractions"] += layer.frac_bits > 0
            found["few words"] += layer.membrane_depth < 7
    assert min(found[kind] for kind in ("readout", "in", "out", "fractions", "few words")) >= 5
    assert found["both, different"] >= 3
