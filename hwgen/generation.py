"""Generate hardware, with the cycles that it will take on the network's own calibration images."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hwgen import golden
from hwgen.network import Network
from hwgen.plan.cycles import Prediction, predict
from hwgen.plan.hardware import HardwarePlan

if TYPE_CHECKING:
    from hwgen.rtl.design import Design


def generate(network: Network, **options: Any) -> Design:
    """The hardware of a network; ``.write(path)`` makes the build folder.

    Parameters
    ----------
    network : Network
    options
        ``board`` and those of :func:`hwgen.plan.folding.make_plan`: ``schedule``, ``pipeline``,
        ``lanes``, ``scanners``, ``membrane_lanes``, ``input_width``, ``counters``.

    Raises
    ------
    NetworkError
        The network breaks a rule.
    PlanError
        An option does not fit the network.
    """
    from hwgen.rtl.design import generate as design_of

    design = design_of(network, **options)
    if network.probe is None:
        return design
    prediction = predict_cycles(network, design.plan, network.probe)
    return replace(
        design,
        prediction={
            "images": len(network.probe),
            "latency_cycles": prediction.latency_cycles,
            "interval_cycles": prediction.interval_cycles,
            "busy_cycles": prediction.busy_cycles,
        },
    )


def predict_cycles(
    network: Network, plan: HardwarePlan, images: NDArray[np.integer]
) -> Prediction:
    """The cycle model on golden's trains of ``images``, shape (samples, channels, y, x)."""
    return predict(plan, golden.run(network, images, trains=True).trains)
