"""Figures of the plan that a simulation needs: predicted cycles, and the longest silence."""

from __future__ import annotations

import numpy as np

from hwgen import golden
from hwgen.network import Network
from hwgen.plan.timing.predict import Prediction
from hwgen.plan.timing.predict import predict as predict_cycles
from hwgen.plan.units.hardware_plan import HardwarePlan

_SLACK_CYCLES = 10_000


def quiet_limit(plan: HardwarePlan) -> int:
    """Cycles without any transfer after which the core counts as stuck.

    No word moves while a layer sums one window: at most one cycle per weight row of the window.
    """
    longest = max(
        feed.window.rounds * feed.window.window_chunks * feed.window.slice_width
        for layer in plan.layers
        for feed in layer.paths
    )
    # After a reset the planes of address events are cleared.
    longest += plan.encoder.plane_depth if plan.encoder.reads_address_events else 0
    return _SLACK_CYCLES + 2 * longest


def predict(plan: HardwarePlan, network: Network, images: np.ndarray) -> Prediction:
    """Prediction of the cycle model for these images."""
    return predict_cycles(plan, golden.run(network, images, trains=True).trains)
