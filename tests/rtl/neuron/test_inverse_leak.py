# amaranth: UnusedElaboratable=no
"""The membrane unit for inverse leaks k < 2 against golden: accumulate, add the bias, fire."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.golden.two_phase import fire
from hwgen.network import Input, Readout
from hwgen.plan.units.latencies import INVERSE_LEAK as PIPELINE
from hwgen.plan.units.signed_digits import signed_digits
from tests.support.rtl.inverse_leak import LATENCY, LEAKS, drive_of, largest, neuron_of, run
from tests.support.rtl.layers import (
    fit,
    make_layer,
    mixed_weights,
    once_currents,
    random_currents,
)
from tests.support.rtl.streams import STALLS

CASES = [
    # fan-out, side, lanes, membrane lanes, T1, T2, input train, neuron, f, banks
    (1, 1, 1, 1, 3, 4, "3/2", "3/2", 2, "overlap"),
    (2, 1, 2, 1, 1, 1, "5/4", "5/4", 0, "alternate"),
    (5, 1, 4, 1, 4, 5, "13/8", "205/128", 3, "overlap"),
    (3, 2, 2, 2, 5, 3, "205/128", "205/128", 0, "alternate"),
    (7, 2, 4, 2, 3, 4, "radix", "13/8", 1, "overlap"),
    (4, 3, 4, 4, 2, 6, "rate", "511/256", 0, "overlap"),
    (3, 1, 2, 1, 4, 3, "ttfs", "5/4", 2, "overlap"),
    (5, 1, 4, 1, 3, 3, "511/256", "radix", 2, "overlap"),
    (3, 2, 2, 2, 4, 4, "257/256", "rate", 3, "alternate"),
    (4, 1, 4, 2, 3, 5, "13/8", "ttfs", 2, "overlap"),
]


@pytest.mark.parametrize("stall", STALLS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(str, case)).replace("/", ":"))
def test_spikes_equal_golden(case: tuple, stall: tuple[float, float]) -> None:
    """With stalls on both sides and a reset in between, in both schedules."""
    fan_out, side, lanes, membrane_lanes, t1, t2, source_kind, kind, frac_bits, pipeline = case
    rng = np.random.default_rng(fan_out * side)
    weights = mixed_weights(rng, fan_out)
    code = source_kind if source_kind not in LEAKS else "radix"
    source = Input(shape=(2, side, side), timesteps=t1, code=code)
    draw = once_currents if code == "ttfs" else random_currents
    currents = draw(rng, make_layer(weights, Readout()), t1, 8, side, side)
    drive = drive_of(currents, source_kind, frac_bits)
    threshold, bias = fit(rng, drive, largest(kind, t2))
    layer = make_layer(weights, neuron_of(kind, threshold, t2, frac_bits), bias=bias)
    spiking = fire(drive + bias, layer.neuron).mean()
    assert 0.1 / (t2 if kind == "ttfs" else 1) < spiking < 0.9
    schedule = "row" if stall[0] else "time"
    run(
        layer, source, currents, source_kind, stall=stall, reset_at=(41,),
        lanes=lanes, membrane_lanes=membrane_lanes, pipeline=pipeline, schedule=schedule,
    )  # fmt: skip


@pytest.mark.parametrize("source_kind", ["3/2", "205/128", "257/256"])
@pytest.mark.parametrize("frac_bits", [0, 5])
def test_logits_equal_golden(source_kind: str, frac_bits: int) -> None:
    rng = np.random.default_rng(frac_bits)
    weights = rng.integers(-100, 101, (7, 3, 1, 1))
    layer = make_layer(weights, Readout(frac_bits=frac_bits), bias=rng.integers(-900, 900, 7))
    source = Input(shape=(3, 1, 1), timesteps=4)
    currents = random_currents(rng, layer, 4, 8, 1, 1)
    run(layer, source, currents, source_kind, stall=(0.4, 0.4), lanes=4, membrane_lanes=2)


@pytest.mark.parametrize(
    ("kind", "steps", "theta"),
    [("3/2", 1, 3), ("3/2", 4, 1), ("3/2", 8, 5), ("13/8", 5, 3), ("257/256", 3, 2),
     ("511/256", 6, 3), ("5/4", 8, 2), ("205/128", 7, 9)],
)  # fmt: skip
def test_both_ends_of_the_range(kind: str, steps: int, theta: int) -> None:
    """From far below 0 to far beyond V̂, and each value near 0, D and V̂."""
    neuron = neuron_of(kind, [theta, 1], steps)
    edges = [0, *neuron.level.tolist(), *neuron.clamp.tolist()]
    top = max(edges)
    values = sorted(
        {edge + n for edge in edges for n in range(-3, 4)}
        | {sign * (top << shift) + n for sign in (-1, 1) for shift in range(4) for n in (-1, 0, 1)}
    )
    reach = max(abs(value) for value in values)
    layer = make_layer([[[[reach]], [[-reach]]]] * 2, neuron)
    source = Input(shape=(2, 1, 1), timesteps=1)
    currents = np.array(values).reshape(1, -1, 1, 1, 1) * [1, 1]
    run(layer, source, currents, "radix", lanes=2)


@pytest.mark.parametrize("kind", ["3/2", "13/8", "257/256", "511/256"])
@pytest.mark.parametrize("steps", [1, 3, 8])
def test_drives_at_one_end_of_the_range(kind: str, steps: int) -> None:
    """Membranes without spare bits: V from 0 to 2·θ, near D, and at saturation."""
    neuron = neuron_of(kind, [3], steps)
    values = np.arange(7).reshape(1, -1, 1, 1, 1)
    source = Input(shape=(1, 1, 1), timesteps=1)
    level, top = int(neuron.level[0]), int(neuron.clamp[0])
    # Half a level above V̂, a membrane freezes after a few steps.
    more = {min(5 * level // 2, top), top + level // 2}
    for bias in {0, max(0, level - 3), max(0, top - 6), top} | more:
        run(make_layer([[6]], neuron, bias=bias), source, values, "radix")


@pytest.mark.parametrize("source_kind", ["13/8", "257/256"])
def test_accumulation_at_its_extremes(source_kind: str) -> None:
    """All inputs spike in every step, or only those with negative weights."""
    for frac_bits in (0, 4):
        weights = [[[[7]], [[-9]]], [[[100]], [[-1]]]]
        layer = make_layer(weights, neuron_of(source_kind, [40, 300], 5, frac_bits), bias=[-3, 9])
        low, high = np.array([-9, -1]), np.array([7, 100])
        currents = np.stack([low, high, low + high, 0 * low])[None, :, None, None, :]
        currents = np.repeat(currents, 6, axis=0)
        currents[3, 2] = low
        source = Input(shape=(2, 1, 1), timesteps=6)
        run(layer, source, currents, source_kind, lanes=2)


@pytest.mark.parametrize("kind", ["3/2", "rate", "ttfs", "radix"])
def test_lanes_without_a_channel_stay_silent(kind: str) -> None:
    for bias in (0, 1, 7):
        layer = make_layer([[0]] * 3, neuron_of(kind, [1] * 3, 6), bias=bias)
        currents = np.zeros((2, 3, 1, 1, 3), dtype=np.int64)
        source = Input(shape=(1, 1, 1), timesteps=2)
        run(layer, source, currents, "5/4", lanes=2, membrane_lanes=2)


@pytest.mark.parametrize(("depth", "apart"), [(1, 7), (2, 4), (3, 3), (4, 2), (7, 1), (9, 1)])
def test_one_word_per_cycle(depth: int, apart: int) -> None:
    """In both phases; with fewer than seven words, each word repeats after seven cycles."""
    layer = make_layer([[1]] * depth, neuron_of("3/2", [1] * depth, 2))
    currents = np.zeros((3, 1, 1, 1, depth), dtype=np.int64)
    source = Input(shape=(1, 1, 1), timesteps=3)
    _, sent, got = run(layer, source, currents, "3/2", lanes=1)
    assert sent.cycles == [apart * n for n in range(3 * depth)]
    # The first word fires once its last accumulation step is written.
    start = sent.cycles[-1] + LATENCY + max(1, PIPELINE + 1 - depth)
    assert got.cycles == [start + PIPELINE + apart * n for n in range(2 * depth)]


def test_signed_digits() -> None:
    """205 = 256 − 64 + 16 − 4 + 1; every number of a leak with the minimum number of digits."""
    assert signed_digits(205) == [(0, 1), (2, -1), (4, 1), (6, -1), (8, 1)]
    for number in range(1, 513):
        digits = signed_digits(number)
        exponents = [exponent for exponent, _ in digits]
        assert sum(sign << exponent for exponent, sign in digits) == number
        assert all(higher - lower > 1 for lower, higher in zip(exponents, exponents[1:]))
        assert len(digits) <= 5
