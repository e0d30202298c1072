"""Work of the units of a layer, counted by hand and against the exact cycle model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hwgen import golden
from hwgen.network import Input, InverseLeakyNeuron, Layer, Linear, Network, Readout
from hwgen.plan.assembly import make_plan
from hwgen.plan.cost.work import Work, Workload, deal
from hwgen.plan.folding_file import requested_scanners
from hwgen.plan.search.planned_design import evaluate_plan
from hwgen.plan.timing.predict import predict
from hwgen.plan.units.options import PlanOptions
from tests.support import tiny, two_layers
from tests.support.random_networks import KINDS, random_images, random_network

WINDOWS = two_layers.STEPS * two_layers.SIZE**2  # 128 in all timesteps


def work(layer: str, set_channels: dict[str, int], **options: Any) -> Work:
    plan = make_plan(two_layers.network(), PlanOptions(**options))
    measured = next(stage for stage in plan.layers if stage.node == layer)
    streams = [plan.stream(source) for source in measured.sources]
    return Workload(two_layers.trains(**set_channels)).measure(measured, streams)


def test_a_window_takes_one_cycle_per_spike() -> None:
    # Five of eight channels spike in each of 128 windows; 8 lanes in one membrane word.
    done = work("busy", {"quiet": 5}, membrane_lanes=8)
    assert done == Work(
        scan=5 * WINDOWS, read=WINDOWS, membrane=2 * WINDOWS, words=WINDOWS,
        spikes=5 * WINDOWS, scanners=1,
    )  # fmt: skip
    assert (done.cycles, done.limited_by) == (5 * WINDOWS, "scan")


def test_each_round_repeats_the_spikes_and_silence_takes_one_cycle() -> None:
    assert work("busy", {"quiet": 5}, lanes=2, membrane_lanes=2).scan == 4 * 5 * WINDOWS
    assert work("busy", {}, lanes=2, membrane_lanes=2).scan == 4 * WINDOWS
    assert work("busy", {}, lanes=2, membrane_lanes=2).read == 4 * WINDOWS


def test_a_window_takes_at_least_one_cycle_per_membrane_word() -> None:
    # Two words of four channels for each of 128 windows, and again to fire them.
    done = work("busy", {"quiet": 1}, membrane_lanes=4)
    assert (done.scan, done.membrane) == (2 * WINDOWS, 2 * 2 * WINDOWS)
    # "quiet" sends words of one channel each.
    narrow = work("busy", {}, membrane_lanes={"quiet": 1})
    assert narrow.words == 8 * WINDOWS
    assert narrow.limited_by == "words"


def test_the_slowest_scanner_sets_the_time() -> None:
    # Channels 0 … 4 spike: taking turns, scanner 0 has 0, 2, 4, scanner 1 has 1 and 3.
    done = work("busy", {"quiet": 5}, scanners=2, membrane_lanes=8)
    assert (done.scan, done.spikes, done.scanners) == (3 * WINDOWS, 5 * WINDOWS, 2)


def test_with_one_bank_firing_adds_to_summing() -> None:
    one = work("busy", {"quiet": 5}, membrane_lanes=8, pipeline="alternate")
    assert one.scan == (5 + 1) * WINDOWS


def test_a_shorter_train_is_scanned_in_the_last_timesteps() -> None:
    """Eight pixels send 1, then 0; their copies send 1 in the second timestep."""
    source = Input(shape=(8, 1, 1), timesteps=2, pixel_bits=2)
    every = np.ones((1, 8), dtype=np.int32)
    copies = tiny.layer(
        "copies", "input", np.eye(8), np.zeros(8),
        InverseLeakyNeuron(threshold=np.ones(8, dtype=np.int64), timesteps=1),
    )  # fmt: skip
    both = (Linear(source="input", weights=every), Linear(source="copies", weights=every))
    out = Layer(name="out", projections=both, bias=np.zeros(1, np.int64), neuron=Readout())
    network = Network(name="n", input=source, nodes=(copies, out))
    trains = golden.run(network, np.full((1, 8, 1, 1), 2, np.uint8), trains=True).trains
    plan = make_plan(network, PlanOptions())
    last = plan.layers[-1]
    done = Workload(trains).measure(last, [plan.stream(source) for source in last.sources])
    assert (done.scan, done.read, done.spikes) == (8 + 8, 2, 8)


def test_bits_are_assigned_busiest_first() -> None:
    # 9 → first, 7 → second, 6 → second (13), 5 → first (14), 1 → second, −1 pads the first.
    assert deal(np.array([9, 7, 6, 5, 1]), 2) == (0, 3, -1, 1, 2, 4)
    assert deal(np.array([0, 0, 4]), 3) == (2, 0, 1)


def test_balanced_scanners_have_equally_many_spikes() -> None:
    network = two_layers.network()
    plan = make_plan(network, PlanOptions(scanners=2, membrane_lanes=8))
    trains = two_layers.trains()
    trains["quiet"][:, :, 0] = trains["quiet"][:, :, 2] = (
        1  # both belong to scanner 0 in the default order
    )
    workload, busy = Workload(trains), plan.layers[1]
    streams = [plan.stream("quiet")]
    assert workload.measure(busy, streams).scan == 2 * WINDOWS
    balanced = workload.balance(busy, streams)
    assert sorted(balanced.window.order) == list(range(8))
    assert workload.measure(balanced, streams).scan == WINDOWS
    # The order is an option of the plan.
    again = make_plan(
        network, PlanOptions(scanners=2, membrane_lanes=8, orders={"busy": [balanced.window.order]})
    )
    assert again.layers[1].window == balanced.window


@pytest.mark.parametrize("seed", range(8))
def test_interval_is_a_close_lower_bound(seed: int) -> None:
    """Against the exact model over three rounds of samples."""
    network = random_network(
        seed, neuron=KINDS[seed % len(KINDS)], residual=seed % 2 == 0, max_size=7
    )
    options: dict[str, Any] = {"lanes": 1 + seed % 4, "scanners": 1 + seed % 3}
    plan = make_plan(
        network,
        PlanOptions(pipeline="overlap" if seed % 3 else "alternate", input_width=64, **options),
    )
    trains = golden.run(network, random_images(seed, network, 3), trains=True).trains
    planned = evaluate_plan(plan, trains, requested_scanners(network, options["scanners"]))
    rounds = [2, *[0, 1, 2] * 3]
    exact = predict(plan, {node: train[rounds] for node, train in trains.items()})
    assert exact.interval_cycles is not None
    assert 0.995 * planned.interval <= exact.interval_cycles <= 1.6 * planned.interval
    for layer, cycles in predict(plan, trains).busy_cycles.items():
        assert cycles <= planned.works[layer].scan + 1e-6
