# amaranth: UnusedElaboratable=no
"""The two-phase membrane unit against golden: accumulate, add the bias, fire."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hwgen.golden.two_phase import accumulate, close, fire
from hwgen.network import (
    Code,
    Input,
    InverseLeakyNeuron,
    Layer,
    Readout,
    SoftResetNeuron,
    TimeToFirstSpikeNeuron,
)
from hwgen.plan.units.layer_constants import neuron_constants
from hwgen.rtl.neuron.units import make_membrane_unit
from tests.support.rtl.bench import Bench
from tests.support.rtl.currents import Driven
from tests.support.rtl.layers import (
    fit,
    make_layer,
    mixed_weights,
    once_currents,
    plan_one,
    random_currents,
)
from tests.support.rtl.streams import STALLS
from tests.support.rtl.words import groups_of, pixel_words, spike_words

LATENCY = 4
"""Cycles from a grant to the currents of the testbench."""


def run(
    layer: Layer,
    source: Input,
    currents: np.ndarray,
    *,
    stall: tuple[float, float] = (0.0, 0.0),
    reset_at: tuple[int, ...] = (),
    every: int = 1,
    **options: Any,
):
    """Compare the unit with golden for ``currents`` (T1, samples, height, width, channels)."""
    plan, source_type = plan_one(layer, source, **options)
    if plan.passes > 1:  # each row is a pass of its own
        steps, _, _, width, fan_out = currents.shape
        currents = currents.reshape(steps, -1, 1, width, fan_out)
    dut = Driven(
        make_membrane_unit(plan=plan, constants=neuron_constants(layer, source_type)),
        plan,
        latency=LATENCY,
        every=every,
    )
    bench = Bench(dut, seed=plan.membrane_depth)
    closed = close(accumulate(list(currents), source.code), layer)
    if isinstance(layer.neuron, Readout):
        groups = groups_of(plan.fan_out, plan.membrane_lanes)
        words = pixel_words(closed, groups, plan.membrane_width)
        # Ignore unused lanes.
        masks = pixel_words(0 * closed[:1] - 1, groups, plan.membrane_width)

        def read(word: int) -> int:
            return word & masks[len(got.cycles) % len(masks)]
    else:
        words = spike_words(fire(closed, layer.neuron), plan.membrane_lanes)

        def read(word: int) -> int:
            return word

    groups = groups_of(plan.fan_out, plan.lanes)
    current_words = pixel_words(np.moveaxis(currents, 1, 0), groups, plan.current_width)
    sent = bench.send(dut.currents, current_words, stall=stall[0])
    got = bench.expect(dut.words, words, stall=stall[1], read=read, name="words")
    bench.run(reset_at=reset_at)
    return plan, sent, got


def neuron_of(kind: str, threshold: Any, steps: int, frac_bits: int = 0):
    thresholds = np.array(threshold, dtype=np.int64)
    kinds = {"radix": InverseLeakyNeuron, "rate": SoftResetNeuron, "ttfs": TimeToFirstSpikeNeuron}
    return kinds[kind](threshold=thresholds, timesteps=steps, threshold_frac_bits=frac_bits)


CASES = [
    # fan-out, side, lanes, membrane lanes, T1, T2, source's code, kind, fractional bits, banks
    (1, 1, 1, 1, 3, 4, "radix", "radix", 0, "overlap"),
    (1, 1, 1, 1, 1, 1, "radix", "radix", 0, "alternate"),
    (2, 1, 2, 1, 4, 2, "radix", "radix", 1, "overlap"),
    (3, 1, 2, 1, 2, 5, "radix", "rate", 0, "overlap"),
    (5, 1, 4, 1, 3, 3, "rate", "radix", 2, "alternate"),
    (3, 2, 2, 2, 4, 4, "rate", "rate", 3, "overlap"),
    (5, 2, 3, 3, 5, 2, "radix", "radix", 0, "overlap"),
    (7, 2, 4, 2, 2, 6, "rate", "radix", 0, "alternate"),
    (4, 3, 4, 4, 3, 3, "radix", "rate", 4, "alternate"),
    (1, 1, 1, 1, 3, 4, "ttfs", "ttfs", 0, "overlap"),
    (3, 1, 2, 1, 1, 1, "ttfs", "ttfs", 0, "alternate"),
    (5, 1, 4, 1, 5, 6, "ttfs", "ttfs", 2, "alternate"),
    (3, 2, 2, 2, 4, 4, "rate", "ttfs", 3, "overlap"),
    (7, 2, 4, 2, 6, 2, "ttfs", "radix", 1, "overlap"),
    (4, 3, 4, 4, 4, 7, "ttfs", "ttfs", 0, "overlap"),
]


@pytest.mark.parametrize("schedule", ["time", "row"])
@pytest.mark.parametrize("stall", STALLS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(str, case)))
def test_spikes_equal_golden(case: tuple, stall: tuple[float, float], schedule: str) -> None:
    fan_out, side, lanes, membrane_lanes, t1, t2, code, kind, frac_bits, pipeline = case
    rng = np.random.default_rng(fan_out * side)
    weights = mixed_weights(rng, fan_out)
    source = Input(shape=(2, side, side), timesteps=t1, code=code)
    draw = once_currents if code == "ttfs" else random_currents
    currents = draw(rng, make_layer(weights, Readout()), t1, 8, side, side)
    drive = accumulate(list(currents), code) << frac_bits
    threshold, bias = fit(rng, drive, Code(kind).q_max(t2))
    layer = make_layer(weights, neuron_of(kind, threshold, t2, frac_bits), bias=bias)
    spiking = fire(close(drive >> frac_bits, layer), layer.neuron).mean()
    assert 0.1 / (t2 if kind == "ttfs" else 1) < spiking < 0.9
    run(
        layer, source, currents, stall=stall, reset_at=(41,),
        lanes=lanes, membrane_lanes=membrane_lanes, pipeline=pipeline, schedule=schedule,
    )  # fmt: skip


@pytest.mark.parametrize("pipeline", ["alternate", "overlap"])
@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("kind", ["radix", "rate", "readout"])
def test_memories_of_few_words(kind: str, depth: int, pipeline: str) -> None:
    """A word that repeats before it is written back must wait, in both phases."""
    rng = np.random.default_rng(depth)
    weights = mixed_weights(rng, depth)
    currents = random_currents(rng, make_layer(weights, Readout()), 3, 9, 1, 1)
    levels = 4 if kind == "readout" else Code(kind).q_max(4)
    threshold, bias = fit(rng, accumulate(list(currents), "radix"), levels)
    neuron = Readout() if kind == "readout" else neuron_of(kind, threshold, 4)
    layer = make_layer(weights, neuron, bias=bias)
    source = Input(shape=(2, 1, 1), timesteps=3)
    plan, _, _ = run(layer, source, currents, pipeline=pipeline, lanes=depth, membrane_lanes=1)
    assert plan.membrane_depth == depth


@pytest.mark.parametrize("stall", STALLS[::3])
@pytest.mark.parametrize("code", ["radix", "rate", "ttfs"])
@pytest.mark.parametrize(
    ("classes", "lanes", "membrane_lanes"), [(1, 1, 1), (7, 4, 2), (10, 10, 5)]
)
def test_logits_equal_golden(
    classes: int, lanes: int, membrane_lanes: int, code: str, stall: tuple[float, float]
) -> None:
    rng = np.random.default_rng(classes)
    weights = rng.integers(-100, 101, (classes, 3, 1, 1))
    layer = make_layer(weights, Readout(), bias=rng.integers(-900, 900, classes))
    source = Input(shape=(3, 1, 1), timesteps=4, code=code)
    draw = once_currents if code == "ttfs" else random_currents
    currents = draw(rng, layer, 4, 8, 1, 1)
    run(
        layer, source, currents, stall=stall, reset_at=(31,),
        lanes=lanes, membrane_lanes=membrane_lanes,
    )  # fmt: skip


@pytest.mark.parametrize("steps", range(1, 9))
@pytest.mark.parametrize("kind", ["radix", "rate", "ttfs"])
def test_both_ends_of_the_range(kind: str, steps: int) -> None:
    """From far below 0 to far beyond 2·D, D = θ·2^(T2−1), and every value near these."""
    theta = 3
    top = theta * (Code(kind).q_max(steps) + 1)  # the first value that is clipped
    near = range(-2 * theta, 2 * theta + 1)
    values = sorted(
        {*near, *(top + n for n in near), *(top // 2 + n for n in near)}
        | {sign * (top << shift) + n for sign in (-1, 1) for shift in range(6) for n in (-1, 0, 1)}
    )
    reach = max(abs(value) for value in values)
    layer = make_layer([[[[reach]], [[-reach]]]] * 2, neuron_of(kind, [theta, 1], steps))
    source = Input(shape=(2, 1, 1), timesteps=1)
    currents = np.array(values).reshape(1, -1, 1, 1, 1) * [1, 1]
    run(layer, source, currents, lanes=2)


@pytest.mark.parametrize("steps", range(1, 9))
@pytest.mark.parametrize("kind", ["radix", "rate", "ttfs"])
def test_drives_at_one_end_of_the_range(kind: str, steps: int) -> None:
    """Membranes without spare bits: V from 0 to 2·θ, and 2·θ below saturation."""
    theta = 3
    top = theta * (Code(kind).q_max(steps) + 1) - 1
    values = np.arange(2 * theta + 1).reshape(1, -1, 1, 1, 1)
    source = Input(shape=(1, 1, 1), timesteps=1)
    for bias in (0, max(0, top - 2 * theta)):
        layer = make_layer([[2 * theta]], neuron_of(kind, [theta], steps), bias=bias)
        run(layer, source, values)


def test_every_membrane_of_a_small_neuron() -> None:
    """θ = 5, B = 2, T2 = 3: q = clip(⌊(V + 2) / 5⌋, 0, 7) for every V from −60 to 60."""
    layer = make_layer([[[[60]], [[-60]]]], neuron_of("radix", [5], 3), bias=2)
    values = np.arange(-60, 61)
    source = Input(shape=(2, 1, 1), timesteps=1)
    run(layer, source, values.reshape(1, -1, 1, 1, 1))


@pytest.mark.parametrize("kind", ["radix", "rate", "ttfs"])
@pytest.mark.parametrize("steps", [1, 3, 8, 16])
def test_lanes_without_a_channel_stay_silent(kind: str, steps: int) -> None:
    """Includes the narrowest membranes: weight 0, θ = 1."""
    for bias in (0, 1, steps // 2, steps):
        layer = make_layer([[0]] * 3, neuron_of(kind, [1] * 3, steps), bias=bias)
        currents = np.zeros((1, 3, 1, 1, 3), dtype=np.int64)
        source = Input(shape=(1, 1, 1), timesteps=1)
        run(layer, source, currents, lanes=2, membrane_lanes=2)


@pytest.mark.parametrize(("depth", "apart", "again"), [(1, 4, 4), (3, 2, 2), (4, 1, 1), (8, 1, 1)])
def test_one_word_per_cycle(depth: int, apart: int, again: int) -> None:
    """In both phases; with fewer than four words, each word repeats after four cycles."""
    layer = make_layer([[1]] * depth, neuron_of("radix", [1] * depth, 2))
    currents = np.zeros((3, 1, 1, 1, depth), dtype=np.int64)
    source = Input(shape=(1, 1, 1), timesteps=3)
    _, sent, got = run(layer, source, currents, lanes=1)
    assert sent.cycles == [apart * n for n in range(3 * depth)]
    # The first word fires once its last accumulation step is written.
    start = sent.cycles[-1] + LATENCY + max(1, 5 - depth)
    assert got.cycles == [start + 4 + again * n for n in range(2 * depth)]


@pytest.mark.parametrize(("lanes", "membrane_lanes", "apart"), [(4, 4, 1), (4, 2, 2), (8, 2, 4)])
def test_windows_follow_each_other_as_fast_as_their_words(
    lanes: int, membrane_lanes: int, apart: int
) -> None:
    layer = make_layer([[1]] * 16, neuron_of("radix", [1] * 16, 2))
    currents = np.zeros((3, 1, 1, 1, 16), dtype=np.int64)
    source = Input(shape=(1, 1, 1), timesteps=3)
    _, sent, _ = run(layer, source, currents, lanes=lanes, membrane_lanes=membrane_lanes)
    assert sent.cycles == [apart * n for n in range(3 * 16 // lanes)]


def test_two_banks_accumulate_while_they_fire() -> None:
    """With two banks, firing uses idle cycles of accumulation; with one, the phases alternate."""
    layer = make_layer([[1]] * 6, neuron_of("radix", [1] * 6, 2))
    currents = np.zeros((2, 5, 1, 1, 6), dtype=np.int64)
    source = Input(shape=(1, 1, 1), timesteps=2)
    _, sent, got = run(layer, source, currents, lanes=1, pipeline="alternate")
    # 12 words in, 12 out: the next window is granted when the last word has fired.
    period = 12 + LATENCY + 12
    assert sent.cycles == [period * sample + n for sample in range(5) for n in range(12)]
    _, sent, got = run(layer, source, currents, lanes=1, pipeline="overlap")
    assert sent.cycles[:24] == [*range(12), *range(13, 25)]  # none is granted after a pass
    # Firing takes that cycle and all cycles after the second pass, which have no currents.
    assert got.cycles[:12] == [cycle + LATENCY + 4 for cycle in (12, *range(25, 36))]
    assert sent.cycles[24] == 36 + LATENCY


def test_firing_goes_on_between_windows() -> None:
    """Windows that leave two of three cycles free are not delayed by T steps of firing per pass."""
    layer = make_layer([[1]] * 6, neuron_of("radix", [1] * 6, 2))
    currents = np.zeros((2, 5, 1, 1, 6), dtype=np.int64)
    source = Input(shape=(1, 1, 1), timesteps=2)
    _, sent, got = run(layer, source, currents, lanes=1, every=3)
    assert sent.cycles == [3 * n for n in range(60)]
    # A pass is complete with the currents of window 11; words fire in cycles without currents.
    complete = 33 + LATENCY
    free = [n for n in range(complete, complete + 30) if n % 3 != LATENCY % 3][:12]
    last = [complete + 4 * 36 + n for n in range(1, 13)]
    between = [36 * sample + n for sample in range(4) for n in free]
    assert [cycle - 4 for cycle in got.cycles] == between + last
