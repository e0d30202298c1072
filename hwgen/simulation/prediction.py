"""What the plan says of a build: its predicted cycles, and how long it may be silent."""

from __future__ import annotations

import importlib.util
from math import prod

import numpy as np

from hwgen.network import Network
from hwgen.simulation.core import Build

_SLACK_CYCLES = 10_000


def quiet_limit(build: Build, network: Network) -> int:
    """Cycles without any transfer after which the core counts as stuck.

    No word moves while a layer sums up one window: at most, with a single lane, one cycle for each
    of its weights.
    """
    longest = max(
        sum(prod(projection.weights.shape) for projection in layer.projections)
        for layer in network.layers
    )
    if build.plan is not None:
        from hwgen.plan.assembly import plan_from_json

        plan = plan_from_json(build.plan)
        longest = max(
            feed.window.rounds * feed.window.window_chunks * feed.window.slice_width
            for layer in plan.layers
            for feed in layer.feeds
        )
        # After a reset the planes of events are cleared.
        longest += plan.encoder.plane_depth if plan.encoder.code == "events" else 0
    return _SLACK_CYCLES + 2 * longest


def predict(
    build: Build, network: Network, images: np.ndarray
) -> tuple[float | None, float | None]:
    """Latency and interval in cycles that the cycle model gives; None where it does not apply."""
    if build.plan is None or importlib.util.find_spec("hwgen.plan.timing.predict") is None:
        return None, None
    from hwgen import golden
    from hwgen.plan.assembly import plan_from_json
    from hwgen.plan.timing.predict import predict as predict_cycles

    trains = golden.run(network, images, trains=True).trains
    prediction = predict_cycles(plan_from_json(build.plan), trains)
    return prediction.latency_cycles, prediction.interval_cycles
