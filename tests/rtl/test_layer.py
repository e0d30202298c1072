"""The layer processing unit: output spikes equal those of golden."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

from hwgen.network import Conv2d, Identity, Input, Linear
from tests.support.cases import case_id
from tests.support.rtl.layer_bench import random_layer, run, weights
from tests.support.rtl.streams import STALLS


class Convolution(NamedTuple):
    source: tuple[int, int, int]
    """Shape of the input."""
    code: str
    neuron: str
    weights: tuple[int, int, int, int]
    """Shape of the weights."""
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    groups: int = 1
    pad_value: tuple[int, ...] | None = None


CONVOLUTIONS = {
    "conv": Convolution(
        source=(2, 4, 5), code="radix", neuron="radix", weights=(5, 2, 3, 3), padding=(1, 1, 1, 1)
    ),
    "pad values": Convolution(
        source=(2, 4, 4), code="radix", neuron="rate", weights=(3, 2, 3, 2),
        padding=(2, 0, 1, 1), pad_value=(5, 2),
    ),
    "pad values in the rate code": Convolution(
        source=(2, 3, 4), code="rate", neuron="single", weights=(4, 2, 2, 3),
        padding=(1, 2, 0, 1), pad_value=(3, 1),
    ),
    "stride beyond the kernel": Convolution(
        source=(1, 7, 8), code="rate", neuron="radix", weights=(4, 1, 1, 2), stride=(2, 3)
    ),
    "depthwise": Convolution(
        source=(4, 3, 3), code="rate", neuron="single", weights=(4, 1, 2, 2), groups=4
    ),
    "groups": Convolution(
        source=(4, 3, 3), code="radix", neuron="rate", weights=(6, 2, 2, 2), groups=2,
        stride=(1, 2),
    ),
}  # fmt: skip


class Unit(NamedTuple):
    lanes: int
    scanners: int
    pipeline: str
    schedule: str
    stall: tuple[float, float] = (0.4, 0.4)


UNITS = [
    Unit(lanes=1, scanners=1, pipeline="alternate", schedule="time", stall=(0.0, 0.0)),
    Unit(lanes=4, scanners=2, pipeline="overlap", schedule="time"),
    Unit(lanes=2, scanners=3, pipeline="alternate", schedule="row"),
    Unit(lanes=4, scanners=2, pipeline="overlap", schedule="row"),
    # As many as a kernel's row of two channels has inputs.
    Unit(lanes=3, scanners=6, pipeline="overlap", schedule="row"),
]


@pytest.mark.parametrize("unit", UNITS, ids=case_id)
@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolutions(name: str, unit: Unit) -> None:
    case = CONVOLUTIONS[name]
    rng = np.random.default_rng(len(name))
    source = Input(shape=case.source, timesteps=3, code=case.code)
    projection = Conv2d(
        source="input",
        weights=weights(rng, *case.weights),
        stride=case.stride,
        padding=case.padding,
        groups=case.groups,
        pad_value=None if case.pad_value is None else np.array(case.pad_value, np.int32),
    )
    steps = 3 if case.neuron == "single" else 4
    layer = random_layer(rng, source, projection, case.neuron, steps)
    run(
        layer, source, samples=2, stall=unit.stall, reset_at=(103,) if any(unit.stall) else (),
        scanners=unit.scanners, lanes=unit.lanes, pipeline=unit.pipeline, schedule=unit.schedule,
    )  # fmt: skip


@pytest.mark.parametrize("stall", STALLS[::3])
@pytest.mark.parametrize(("inputs", "outputs"), [(1, 1), (1, 7), (23, 1), (40, 11)])
@pytest.mark.parametrize("kind", ["radix", "rate", "readout"])
def test_linear_layers(kind: str, inputs: int, outputs: int, stall: tuple[float, float]) -> None:
    rng = np.random.default_rng(inputs)
    source = Input(shape=(inputs, 1, 1), timesteps=4)
    matrix = weights(rng, outputs, inputs)
    matrix[:, 0] = 17  # a single weight makes the neuron fire
    layer = random_layer(rng, source, Linear(source="input", weights=matrix), kind, 5)
    run(
        layer, source, samples=6, stall=stall, reset_at=(29,),
        lanes=4, scanners=3, input_width=16 if inputs < 40 else 128,
    )  # fmt: skip


@pytest.mark.parametrize(("lanes", "kind"), [(2, "spikes"), (3, "masked")])
def test_identity(lanes: int, kind: str) -> None:
    """Masked if each group of lanes consists of whole words of the source."""
    rng = np.random.default_rng(0)
    source = Input(shape=(3, 2, 3), timesteps=4)
    identity = Identity(source="input", weights=np.array([7, 30, 5], dtype=np.int32))
    plan, *_ = run(
        random_layer(rng, source, identity, "radix", 3), source, lanes=lanes, stall=(0.4, 0.4)
    )
    assert plan.paths[0].kind == kind


def test_a_spike_takes_one_cycle_and_a_silent_chunk_none() -> None:
    """Busy cycles of a linear layer: one per spike, and one for a silent last chunk."""
    rng = np.random.default_rng(1)
    source = Input(shape=(96, 1, 1), timesteps=4)
    layer = random_layer(
        rng, source, Linear(source="input", weights=weights(rng, 10, 96)), "radix", 4
    )
    plan, gold, got, busy = run(layer, source, samples=4, lanes=5, input_width=256)
    assert plan.rounds == 2
    spikes = gold.trains["input"].reshape(4 * 4, 96)
    assert sum(busy) == 2 * int(spikes.sum() + (spikes[:, 64:].sum(axis=1) == 0).sum())
    # The scanner never waits from its first chunk to its last, over all samples.
    on = np.flatnonzero(busy)
    assert on[-1] - on[0] + 1 == sum(busy)
    # Up to 15 spikes wait; 10 cycles from a word to its spike index, 4 to the currents, 8 words of
    # spikes, 4 cycles apart.
    assert got.cycles[-1] - on[-1] < 65
