"""Simulation of one build with and without stalls, compared with golden and the cycle model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from hwgen import Build
from hwgen.generation import generate
from hwgen.network import Network
from hwgen.simulation.runner import simulate
from tests.support.random_options import STALLS


def builds_of_both_schedules(
    network: Network, rng: np.random.Generator, folder: Path
) -> Iterator[Build]:
    """A build of each schedule, with a pipeline, lanes and scanners by ``rng``."""
    for schedule in ("row", "time"):
        yield generate(
            network,
            schedule=schedule,
            pipeline=str(rng.choice(["alternate", "overlap"])),
            lanes=int(rng.choice([1, 2, 3, 8])),
            scanners=int(rng.choice([1, 1, 2])),
            counters=False,
        ).write(folder / schedule)


def require_exact_and_predicted(build: Build, images: np.ndarray, seed: int) -> None:
    """Bit-exact with and without stalls; latency and interval as predicted without stalls."""
    free = simulate(build, images)
    assert (free.bit_exact, free.samples) == (True, len(images))
    assert free.latency_cycles == free.predicted_latency_cycles
    assert free.interval_cycles == free.predicted_interval_cycles

    rng = np.random.default_rng([seed, 78])
    stalled = simulate(
        build,
        images,
        idle=str(rng.choice(STALLS)),
        backpressure=str(rng.choice(STALLS)),
        seed=seed,
    )
    assert stalled.bit_exact
    assert stalled.latency_cycles >= free.latency_cycles
