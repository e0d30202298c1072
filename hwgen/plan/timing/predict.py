"""The cycle model: latency and interval of a plan for recorded spike trains, without simulation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwgen.plan.cost.activity import busy_cycles, window_costs
from hwgen.plan.timing.encoder import encode_address_events, encode_pixels
from hwgen.plan.timing.membrane import Grants, fire, fire_at_once
from hwgen.plan.timing.output import draw_spikes, send_results
from hwgen.plan.timing.pool import race
from hwgen.plan.timing.process import Link, Process, run
from hwgen.plan.timing.synapses import PathTimes, sum_windows
from hwgen.plan.timing.window import Window, write
from hwgen.plan.units.hardware_plan import HardwarePlan
from hwgen.plan.units.layer import LayerPlan
from hwgen.plan.units.pool import PoolPlan


@dataclass(frozen=True, kw_only=True)
class PredictedCycles:
    """Cycles of ``images`` that arrive back to back, with results that are always accepted.

    Parameters
    ----------
    latency_cycles : int
        From the first image's first beat to its class.
    interval_cycles : float or None
        Mean distance of results; None for one image.
    busy_cycles : {layer: float}
        Cycles per image in which a layer's scanners, the slowest in each window, have a chunk.
    """

    images: int
    latency_cycles: int
    interval_cycles: float | None
    busy_cycles: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Prediction(PredictedCycles):
    """Predicted cycles, with the cycle of each result, counted from the first beat."""

    result_cycles: tuple[int, ...]

    @property
    def summary(self) -> PredictedCycles:
        return PredictedCycles(
            images=self.images,
            latency_cycles=self.latency_cycles,
            interval_cycles=self.interval_cycles,
            busy_cycles=self.busy_cycles,
        )


def predict(plan: HardwarePlan, trains: Mapping[str, NDArray[np.uint8]]) -> Prediction:
    """Predict the cycles of samples whose trains, by node, have shape (samples, T, C, H, W)."""
    source = plan.encoder.output.node
    samples = len(trains[source])
    links = {stream.node: Link() for stream in plan.streams}
    readers: dict[str, list[Window]] = {node: [] for node in links}
    first_beats: list[int] = []
    encoder = plan.encoder
    processes: list[Process] = [
        encode_address_events(encoder, trains[source], links[source], first_beats)
        if encoder.reads_address_events
        else encode_pixels(encoder, samples, links[source], first_beats)
    ]
    logits = Link()
    busy = {}
    for stage in plan.stages:
        out = links.get(stage.node, logits)
        paths = stage.paths
        windows = [Window(path.window) for path in paths]
        for path, window in zip(paths, windows, strict=True):
            readers[path.source].append(window)
        if isinstance(stage, PoolPlan):
            processes.append(race(stage, samples, windows[0], out))
            continue
        costs = [
            [window_costs(sample, plan.stream(path.source), path) for sample in trains[path.source]]
            for path in paths
        ]
        busy[stage.node] = (
            sum(busy_cycles(list(of_paths), stage) for of_paths in zip(*costs, strict=True))
            / samples
        )
        times = [PathTimes(*each) for each in zip(paths, windows, costs, strict=True)]
        processes += layer_processes(stage, samples, times, out)
    processes += [write(windows, links[node], samples) for node, windows in readers.items()]
    done: list[int] = []
    readout = plan.layers[-1]
    lanes = readout.membrane_lanes if readout.softmax is None else 1
    processes.append(send_results(readout.fan_out, lanes, samples, logits, done))
    run(processes)
    results = tuple(cycle - first_beats[0] for cycle in done)
    return Prediction(
        images=samples,
        latency_cycles=results[0],
        interval_cycles=(results[-1] - results[0]) / (samples - 1) if samples > 1 else None,
        result_cycles=results,
        busy_cycles=busy,
    )


def layer_processes(
    plan: LayerPlan, samples: int, paths: list[PathTimes], out: Link
) -> list[Process]:
    """The processes of a layer between its window buffers and its output stream."""
    grants = Grants(plan)
    passes = samples * plan.passes
    end = fire_at_once if plan.is_single_phase else fire
    processes = [sum_windows(plan, paths, samples, grants)]
    if plan.softmax is not None:
        membranes = Link()
        processes.append(draw_spikes(plan.softmax, plan.membrane_lanes, samples, membranes, out))
        out = membranes
    return [*processes, end(plan, passes, grants, out)]
