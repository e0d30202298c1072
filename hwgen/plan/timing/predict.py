"""The cycle model: latency and interval of a plan for given spike trains, without a simulator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwgen.plan.cost.activity import busy_cycles, window_costs
from hwgen.plan.timing.address_events import feed_events
from hwgen.plan.timing.encoder import feed_encoder
from hwgen.plan.timing.membrane import Grants, fire, fire_at_once
from hwgen.plan.timing.pool import race
from hwgen.plan.timing.process import Link, Process, run
from hwgen.plan.timing.result import send_results
from hwgen.plan.timing.scanner import PathTimes
from hwgen.plan.timing.softmax import draw_spikes
from hwgen.plan.timing.synapses import sum_windows
from hwgen.plan.timing.window import Window, write
from hwgen.plan.units.hardware_plan import HardwarePlan, LayerPlan, PoolPlan


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
    source = plan.encoder.output.node
    samples = len(trains[source])
    links = {stream.node: Link() for stream in plan.streams}
    readers: dict[str, list[Window]] = {node: [] for node in links}
    first_beats: list[int] = []
    encoder = plan.encoder
    processes: list[Process] = [
        feed_events(encoder, trains[source], links[source], first_beats)
        if encoder.code == "events"
        else feed_encoder(encoder, samples, links[source], first_beats)
    ]
    logits = Link()
    busy = {}
    for stage in plan.stages:
        out = links.get(stage.node, logits)
        feeds = stage.feeds if isinstance(stage, LayerPlan) else (stage.feed,)
        windows = [Window(feed.window) for feed in feeds]
        for feed, window in zip(feeds, windows, strict=True):
            readers[feed.source].append(window)
        if isinstance(stage, PoolPlan):
            processes.append(race(stage, samples, windows[0], out))
            continue
        costs = [
            [window_costs(sample, plan.stream(feed.source), feed) for sample in trains[feed.source]]
            for feed in feeds
        ]
        busy[stage.node] = (
            sum(busy_cycles(list(of_feeds), stage) for of_feeds in zip(*costs, strict=True))
            / samples
        )
        times = [PathTimes(*given) for given in zip(feeds, windows, costs, strict=True)]
        processes += layer_processes(stage, samples, times, out)
    processes += [write(windows, links[node], samples) for node, windows in readers.items()]
    done: list[int] = []
    readout = plan.layers[-1]
    lanes = readout.membrane_lanes if readout.softmax is None else 1
    processes.append(send_results(readout.fan_out, lanes, samples, logits, done))
    run(processes)
    results = tuple(cycle - first_beats[0] for cycle in done)
    return Prediction(
        latency_cycles=results[0],
        interval_cycles=(results[-1] - results[0]) / (samples - 1) if samples > 1 else None,
        result_cycles=results,
        busy_cycles=busy,
    )


def layer_processes(
    plan: LayerPlan, samples: int, feeds: list[PathTimes], out: Link
) -> list[Process]:
    """A layer's units between its window buffers and its output stream."""
    grants = Grants(plan)
    passes = samples * plan.passes
    end = fire_at_once if plan.is_single_phase else fire
    processes = [sum_windows(plan, feeds, samples, grants)]
    if plan.softmax is not None:
        membranes = Link()
        processes.append(draw_spikes(plan.softmax, plan.membrane_lanes, samples, membranes, out))
        out = membranes
    return [*processes, end(plan, passes, grants, out)]
