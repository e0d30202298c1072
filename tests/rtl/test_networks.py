"""Random networks whose paths branch and join, in both schedules: every word and every cycle.

All streams are compared with the same golden trains, so both schedules give the same train for
every neuron, and the same logits.
"""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

import numpy as np
import pytest

from hwgen.network import Network
from hwgen.plan.assembly import make_plan
from hwgen.plan.timing.predict import predict
from hwgen.plan.units.hardware_plan import HardwarePlan
from hwgen.plan.units.options import PlanOptions
from tests.support.random_networks import KINDS, random_images, random_network
from tests.support.rotation import rotating
from tests.support.rtl.cores import CoreBench

SEEDS = range(50)
FIRST_SPIKES = range(50, 62)
"""Networks with ttfs trains, so that its pool and its input occur often enough."""


def network_of(seed: int) -> Network:
    return random_network(
        seed, neuron="ttfs" if seed in FIRST_SPIKES else KINDS[seed % 4],
        max_size=5, max_channels=4, max_timesteps=3, residual=True,
    )  # fmt: skip


def options_of(seed: int) -> dict[str, Any]:
    """Random options: from one lane to all channels, whole words of the source if possible."""
    rng = np.random.default_rng([seed, 3])
    return {
        "lanes": int(rng.choice([1, 2, 3, 6, 16, 16])),
        "membrane_lanes": (None, None, 16, 1)[rng.integers(4)],
        "scanners": int(rng.choice([1, 1, 2, 3])),
        "pipeline": str(rng.choice(["alternate", "overlap"])),
        "input_width": int(rng.choice([16, 32, 64, 256])),
        "counters": False,
    }


def plans_of(seed: int) -> list[HardwarePlan]:
    network, options = network_of(seed), options_of(seed)
    return [
        make_plan(network, PlanOptions(schedule=schedule, **options))
        for schedule in ("row", "time")
    ]


@pytest.mark.parametrize("seed", rotating([*SEEDS, *FIRST_SPIKES]))
def test_network_in_both_schedules(seed: int) -> None:
    """Without stalls, each class leaves in the cycle that the cycle model predicts."""
    network = network_of(seed)
    images = random_images(seed, network, 2)
    for plan in plans_of(seed):
        bench = CoreBench(plan, network, images)
        prediction = predict(plan, bench.trains)
        bench.run()
        start = bench.sample_cycles[0]
        results = [cycle - start for cycle in bench.result_cycles]
        assert results == list(prediction.result_cycles), plan.schedule


@pytest.mark.parametrize(
    ("seed", "schedule"),
    rotating(itertools.product([*SEEDS[::10], FIRST_SPIKES[0]], ["row", "time"])),
)
def test_stalls_and_a_reset(seed: int, schedule: str) -> None:
    network = network_of(seed)
    plan = make_plan(network, PlanOptions(schedule=schedule, **options_of(seed)))
    bench = CoreBench(plan, network, random_images(seed, network, 2))
    bench.run(stall=(0.3, 0.5), seed=seed, reset_at=(211,))


def test_the_seeds_cover_all_kinds_of_units() -> None:
    """A census, so that no kind of unit disappears from the seeds unnoticed."""
    found: Counter[str] = Counter()
    for seed in SEEDS:
        plan = plans_of(seed)[0]
        found[plan.pipeline] += 1
        for stage in plan.layers:
            found[stage.kind] += 1
            found[f"{len(stage.paths)} paths"] += 1
            for path in stage.paths:
                window = path.window
                found[path.kind] += 1
                found["wide"] += window.wide
                found["flush"] += window.flush_chunks > 0
                found["shared taps"] += path.tile != (1, 1)
                found["depthwise"] += path.kind == "masked" and window.kernel == (3, 3)
                found["stride"] += window.stride == (2, 2)
                found["asymmetric"] += window.padding[:2] != window.padding[2:]
                found["several scanners"] += window.scanners > 1
                found["skip buffer"] += window.slots > window.kernel[0] + window.stride[0]
    scarce = {what: count for what, count in found.items() if count < 10}
    assert not scarce
    assert len(found) == 18
