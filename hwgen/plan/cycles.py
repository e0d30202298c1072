"""The cycle model: latency and interval of a plan for given spike trains, without a simulator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwgen.plan.activity import busy_cycles, window_costs
from hwgen.plan.hardware import HardwarePlan, LayerPlan
from hwgen.plan.timing.encoder import feed_encoder
from hwgen.plan.timing.membrane import accumulate, fire, fire_at_once
from hwgen.plan.timing.pool import race
from hwgen.plan.timing.process import Link, Process, run
from hwgen.plan.timing.result import send_results
from hwgen.plan.timing.synapses import sum_windows
from hwgen.plan.timing.window import Window


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """Cycles of samples that come back to back, with a result that is never held up.

    Parameters
    ----------
    latency_cycles : int
        From the first sample's first beat to its class.
    interval_cycles : float or None
        Mean distance of results; None for one sample.
    result_cycles : tuple of int
        When each class leaves, counted from the first beat.
    busy_cycles : {layer: float}
        Cycles a sample in which the layer's scanners, the slowest in each window, have a chunk.
    """

    latency_cycles: int
    interval_cycles: float | None
    result_cycles: tuple[int, ...]
    busy_cycles: dict[str, float]


def predict(plan: HardwarePlan, trains: Mapping[str, NDArray[np.uint8]]) -> Prediction:
    """Predict the cycles of the samples of ``trains``, arrays (samples, timesteps, C, H, W)."""
    source = plan.encoder.output
    samples = len(trains[source.node])
    link = Link()
    first_beats: list[int] = []
    processes: list[Process] = [feed_encoder(plan.encoder, samples, link, first_beats)]
    busy = {}
    for stage in plan.stages:
        window = Window(stage.window, link)
        processes.append(window.write(samples * stage.window.timesteps))
        out = Link()
        if isinstance(stage, LayerPlan):
            costs = [window_costs(sample, source, stage.window) for sample in trains[source.node]]
            busy[stage.node] = sum(busy_cycles(cost, stage) for cost in costs) / samples
            processes += _layer(stage, samples, window, costs, out)
        else:
            processes.append(race(stage, samples, window, out))
        link, source = out, stage.output
    done: list[int] = []
    readout = plan.layers[-1]
    processes.append(
        send_results(readout.fan_out, readout.membrane_lanes, samples, link, done)
    )
    run(processes)
    results = tuple(cycle - first_beats[0] for cycle in done)
    return Prediction(
        latency_cycles=results[0],
        interval_cycles=(results[-1] - results[0]) / (samples - 1) if samples > 1 else None,
        result_cycles=results,
        busy_cycles=busy,
    )


def _layer(
    plan: LayerPlan,
    samples: int,
    window: Window,
    costs: list[NDArray[np.int64]],
    out: Link,
) -> list[Process]:
    currents: list[int] = []
    taken: list[int] = []
    processes = [sum_windows(plan, window, costs, currents, taken)]
    if plan.kind == "single-phase":
        return [*processes, fire_at_once(plan, samples, currents, taken, out)]
    closed: list[int] = []
    fired: list[int] = []
    last_issue = [-9] * plan.banks
    return [
        *processes,
        accumulate(plan, samples, currents, taken, closed, fired, last_issue),
        fire(plan, samples, closed, fired, last_issue, out),
    ]
