# amaranth: UnusedElaboratable=no
"""The single-phase membrane unit against golden's integrate-and-fire."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest

from hwgen.golden.single_phase import integrate
from hwgen.network import Input, Layer
from hwgen.plan.units.layer_constants import neuron_constants
from hwgen.rtl.neuron.single_phase import SinglePhaseUnit
from tests.support.cases import case_id
from tests.support.rtl.bench import Bench
from tests.support.rtl.currents import Driven
from tests.support.rtl.layers import (
    current_range,
    fit,
    make_layer,
    mixed_weights,
    plan_one,
    random_currents,
    single_phase_neuron,
)
from tests.support.rtl.streams import STALLS
from tests.support.rtl.words import groups_of, pixel_words, spike_words


def run(
    layer: Layer,
    currents: np.ndarray,
    *,
    channels: int,
    stall: tuple[float, float] = (0.0, 0.0),
    reset_at: tuple[int, ...] = (),
    **options: Any,
):
    """Compare the unit with golden for ``currents`` (T, samples, height, width, channels)."""
    steps, _, height, width, fan_out = currents.shape
    source = Input(shape=(channels, height, width), timesteps=steps, code="rate")
    plan, train_type = plan_one(layer, source, **options)
    if plan.passes > 1:  # each row is a pass of its own
        currents = currents.reshape(steps, -1, 1, width, fan_out)
    dut = Driven(SinglePhaseUnit(plan=plan, constants=neuron_constants(layer, train_type)), plan)
    bench = Bench(dut, seed=plan.membrane_depth)
    train, _ = integrate(list(currents), layer)
    groups = groups_of(fan_out, plan.lanes)
    current_words = pixel_words(np.moveaxis(currents, 1, 0), groups, plan.current_width)
    sent = bench.send(dut.currents, current_words, stall=stall[0])
    got = bench.expect(
        dut.words, spike_words(train, plan.membrane_lanes), stall=stall[1], name="spikes"
    )
    bench.run(reset_at=reset_at)
    return plan, train, sent, got


class Case(NamedTuple):
    fan_out: int
    side: int
    lanes: int
    membrane_lanes: int
    steps: int
    started: bool
    """Whether membranes start above 0."""


CASES = [
    Case(fan_out=1, side=1, lanes=1, membrane_lanes=1, steps=5, started=True),
    Case(fan_out=3, side=1, lanes=2, membrane_lanes=1, steps=1, started=False),
    Case(fan_out=5, side=1, lanes=4, membrane_lanes=2, steps=6, started=True),
    Case(fan_out=4, side=2, lanes=4, membrane_lanes=4, steps=3, started=False),
    Case(fan_out=7, side=2, lanes=3, membrane_lanes=3, steps=8, started=True),
    Case(fan_out=6, side=3, lanes=4, membrane_lanes=2, steps=4, started=True),
]


@pytest.mark.parametrize("schedule", ["time", "row"])
@pytest.mark.parametrize("stall", STALLS)
@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_spikes_equal_golden(case: Case, stall: tuple[float, float], schedule: str) -> None:
    fan_out, side, steps = case.fan_out, case.side, case.steps
    rng = np.random.default_rng(fan_out)
    weights = mixed_weights(rng, fan_out)
    any_neuron = single_phase_neuron([1] * fan_out, steps)
    currents = random_currents(rng, make_layer(weights, any_neuron), steps, 8, side, side)
    threshold, bias = fit(rng, currents, 2)
    initial = rng.integers(0, threshold) if case.started else None
    layer = make_layer(weights, single_phase_neuron(threshold, steps, initial), bias=bias)
    _, train, _, _ = run(
        layer, currents, channels=2, stall=stall, reset_at=(37,),
        lanes=case.lanes, membrane_lanes=case.membrane_lanes, schedule=schedule,
    )  # fmt: skip
    assert 0.1 < train.mean() < 0.9


@pytest.mark.parametrize("stall", STALLS[::2])
@pytest.mark.parametrize("hard", [False, True])
@pytest.mark.parametrize("alike", [False, True])
@pytest.mark.parametrize("floored", [False, True])
@pytest.mark.parametrize(("fan_out", "side", "lanes", "steps"), [(5, 2, 4, 6), (3, 1, 3, 9)])
def test_resets_and_floors(
    fan_out: int,
    side: int,
    lanes: int,
    steps: int,
    floored: bool,
    alike: bool,
    hard: bool,
    stall: tuple[float, float],
) -> None:
    """Constants shared by all channels, and constants per channel."""
    rng = np.random.default_rng(fan_out)
    weights = mixed_weights(rng, fan_out)
    any_neuron = single_phase_neuron([1] * fan_out, steps)
    currents = random_currents(rng, make_layer(weights, any_neuron), steps, 8, side, side)
    threshold, bias = fit(rng, currents, 2)
    low = -rng.integers(0, 4, 1 if alike else fan_out) * np.ones(fan_out, np.int64)
    neuron = single_phase_neuron(
        threshold, steps, floor=low if floored else None, reset=(low + 1) // 2 if hard else None
    )
    layer = make_layer(weights, neuron, bias=bias)
    _, train, _, _ = run(
        layer, currents, channels=2, stall=stall, reset_at=(29,),
        lanes=lanes, membrane_lanes=lanes, schedule="time",
    )  # fmt: skip
    assert 0.05 < train.mean() < 0.95


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5, 6])
def test_memories_of_few_words(depth: int) -> None:
    """A word that repeats before it is written back must wait."""
    rng = np.random.default_rng(depth)
    weights = mixed_weights(rng, depth)
    any_neuron = single_phase_neuron([1] * depth, 4)
    currents = random_currents(rng, make_layer(weights, any_neuron), 4, 9, 1, 1)
    threshold, bias = fit(rng, currents, 2)
    layer = make_layer(weights, single_phase_neuron(threshold, 4), bias=bias)
    plan, train, sent, got = run(layer, currents, channels=2, lanes=depth, membrane_lanes=1)
    assert plan.membrane_depth == depth
    assert 0.1 < train.mean() < 0.95
    apart = 5 if depth < 5 else 1
    # Currents come 4 cycles after their grant, spikes 6 later. Windows wait for each other's words
    # where these wait.
    window = max(apart * depth, depth + 4) if apart > 1 else depth
    assert got.cycles == [10 + window * n + apart * k for n in range(36) for k in range(depth)]


@pytest.mark.parametrize("steps", [1, 2, 8, 16])
def test_membranes_at_their_extremes(steps: int) -> None:
    """Soft reset subtracts only θ = 1 per step: V rises or falls by every current and must fit."""
    weights = np.array([[127], [-127], [1], [-128]])
    bias = np.array([900, -900, 0, 1])
    layer = make_layer(
        weights, single_phase_neuron([1, 1, 1, 128], steps, [0, 0, 0, 127]), bias=bias
    )
    low, high = current_range(layer)
    currents = np.stack([np.broadcast_to(c, (steps, 1, 1, 4)) for c in (low, high, low)], axis=1)
    run(layer, currents, channels=1, lanes=3, membrane_lanes=3)


def test_by_hand() -> None:
    """θ = 4, V₀ = 2, B = 1, I = 3, 0, 0, 5: V = 6 → 2, 3, 4 → 0, 6 → 2; spikes 1, 0, 1, 1."""
    layer = make_layer([[5]], single_phase_neuron([4], 4, [2]), bias=1)
    currents = np.array([3, 0, 0, 5]).reshape(4, 1, 1, 1, 1)
    _, train, _, _ = run(layer, currents, channels=1)
    assert train.ravel().tolist() == [1, 0, 1, 1]


def test_one_word_per_cycle() -> None:
    """A window of six words is granted when earlier words have their slots: every six cycles."""
    layer = make_layer([[1]] * 12, single_phase_neuron([1] * 12, 3))
    currents = np.ones((3, 2, 1, 1, 12), dtype=np.int64)
    _, _, sent, got = run(layer, currents, channels=1, lanes=6, membrane_lanes=1)
    assert sent.cycles == [6 * n for n in range(2 * 6)]
    assert got.cycles == [10 + n for n in range(12 * 6)]


def test_one_window_per_cycle() -> None:
    """Windows of one word each; the FIFO has slots for all words in flight."""
    layer = make_layer([[1]] * 24, single_phase_neuron([1] * 24, 3))
    currents = np.ones((3, 2, 1, 1, 24), dtype=np.int64)
    _, _, sent, got = run(layer, currents, channels=1, lanes=4, membrane_lanes=4)
    assert sent.cycles == list(range(3 * 2 * 6))
    assert got.cycles == [10 + n for n in range(3 * 2 * 6)]


@pytest.mark.parametrize("consumer", [0.5, 0.9])
@pytest.mark.parametrize(("fan_out", "lanes"), [(4, 4), (12, 12), (11, 4), (40, 40)])
def test_no_window_comes_before_the_words_of_the_last_one_are_taken(
    fan_out: int, lanes: int, consumer: float
) -> None:
    """At any output rate, and with more words per window than the FIFO has slots."""
    rng = np.random.default_rng(fan_out)
    weights = mixed_weights(rng, fan_out)
    currents = random_currents(
        rng, make_layer(weights, single_phase_neuron([1] * fan_out, 4)), 4, 3, 1, 5
    )
    threshold, bias = fit(rng, currents, 2)
    layer = make_layer(weights, single_phase_neuron(threshold, 4), bias=bias)
    _, train, _, _ = run(
        layer, currents, channels=2, stall=(0.0, consumer), lanes=lanes, membrane_lanes=1
    )
    assert 0.1 < train.mean() < 0.95
