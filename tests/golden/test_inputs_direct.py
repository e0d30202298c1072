"""Direct input and address events: hand-computed vectors, and rejected input."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest

from hwgen import golden
from hwgen.errors import DataError, NetworkError
from hwgen.network import (
    Flatten,
    HardResetNeuron,
    Input,
    InverseLeakyNeuron,
    MaxPool2d,
    Network,
    Neuron,
    Readout,
    SoftResetNeuron,
)
from tests.support.tiny import ints, layer, one_neuron


def soft(threshold: int, timesteps: int, **options: object) -> SoftResetNeuron:
    return SoftResetNeuron(
        threshold=ints(threshold), timesteps=timesteps, two_phase=False, **options
    )


def direct(neuron: Neuron, *, weight: int, bias: int) -> Network:
    return one_neuron(
        neuron, weight=weight, bias=bias, timesteps=neuron.timesteps, code="direct", pixel_bits=4
    )


class Case(NamedTuple):
    """The spikes of one neuron, worked out by hand."""

    neuron: Neuron
    weight: int
    bias: int
    pixel: int
    train: list[int]


HARD = HardResetNeuron(threshold=ints(10), timesteps=4, reset=ints(4))


@pytest.mark.parametrize(
    "case",
    [
        # 7 per step: 7, 14 → 4, 11 → 1, 8, 15 → 5
        Case(neuron=soft(10, 5), weight=3, bias=1, pixel=2, train=[0, 1, 1, 0, 1]),
        # 44 per step, from 9: each soft reset subtracts only 10
        Case(neuron=soft(10, 3, initial=ints(9)), weight=3, bias=-1, pixel=15, train=[1, 1, 1]),
        # −6 per step, not below −8
        Case(neuron=soft(10, 3, floor=ints(-8)), weight=-2, bias=0, pixel=3, train=[0, 0, 0]),
        # 9 per step: 9, 18 → 4, 13 → 4
        Case(neuron=HARD, weight=3, bias=0, pixel=3, train=[0, 1, 1, 1]),
    ],
    ids=["soft reset", "start at 9", "floor", "hard reset"],
)
def test_pixels_as_a_constant_current(case: Case) -> None:
    network = direct(case.neuron, weight=case.weight, bias=case.bias)
    pixel = case.pixel
    images = np.full((1, 1, 1, 1), pixel, np.uint8)
    result = golden.run(network, images, trains=True)
    assert result.trains["n"].ravel().tolist() == case.train
    assert golden.run(network, images).logits.tolist() == [[sum(case.train)]]
    # The pixel's bits are sent once; each set bit costs one addition.
    bits = [pixel >> n & 1 for n in (3, 2, 1, 0)]
    assert result.trains["input"].ravel().tolist() == bits
    assert result.spikes["input"].tolist() == [sum(bits)]
    assert result.synaptic_operations["n"].tolist() == [sum(bits)]
    assert result.values["input"].ravel().tolist() == [pixel]


def test_max_pool_passes_the_largest_pixel_of_each_window() -> None:
    source = Input(shape=(1, 1, 4), timesteps=2, code="direct", pixel_bits=5)
    pool = MaxPool2d(name="pool", source="input", kernel=(1, 2), stride=(1, 2))
    one = layer("n", "flat", [[1, 3]], [0], soft(1000, 2))
    nodes = (
        pool,
        Flatten(name="flat", source="pool"),
        one,
        layer("out", "n", [[1]], [0], Readout()),
    )
    network = Network(name="pooled", input=source, nodes=nodes)
    images = np.array([[[[19, 20, 7, 31]]]], np.uint8)
    result = golden.run(network, images, trains=True)
    assert result.values["pool"].ravel().tolist() == [20, 31]
    assert result.membranes["n"].ravel().tolist() == [2 * (20 + 3 * 31)]


def test_the_error_names_the_neurons_that_may_read_direct_input() -> None:
    neuron = InverseLeakyNeuron(threshold=ints(1), timesteps=3)
    source = {"weight": 1, "bias": 0, "timesteps": 3, "code": "direct", "pixel_bits": 4}
    with pytest.raises(
        NetworkError,
        match=r"tiny\.n: a InverseLeakyNeuron accumulates.*constant current; let a single-phase "
        r"SoftResetNeuron or HardResetNeuron of 3 timesteps read it",
    ):
        one_neuron(neuron, **source).verify()
    network = one_neuron(soft(1, 3), **source)
    with pytest.raises(NetworkError, match=r"tiny\.out: a Readout accumulates"):
        replace(network, nodes=(replace(network.nodes[1], projections=(
            replace(network.nodes[1].projections[0], source="input"),)),)).verify()  # fmt: skip
    with pytest.raises(NetworkError, match="a rate train of 2 steps, not direct of 3"):
        one_neuron(soft(1, 2), **source).verify()


def events_of(neuron: Neuron) -> Network:
    return one_neuron(neuron, weight=4, bias=1, timesteps=5, code="events", pixel_bits=1)


def test_events_are_a_rate_train_in_their_original_order() -> None:
    frames = np.array([0, 1, 0, 0, 1], np.uint8).reshape(1, 5, 1, 1, 1)
    # 1, 6 → 0, 1, 2, 7 → 1 with θ = 6
    result = golden.run(events_of(soft(6, 5)), frames, trains=True)
    assert result.trains["input"].ravel().tolist() == [0, 1, 0, 0, 1]
    assert result.trains["n"].ravel().tolist() == [0, 1, 0, 0, 1]
    assert result.membranes["n"].ravel().tolist() == [1]
    assert result.values["input"].ravel().tolist() == [2]
    # Two-phase reader of three timesteps: ⌊(2·4 + 1) / 3⌋ = 3.
    two = golden.run(events_of(InverseLeakyNeuron(threshold=ints(3), timesteps=3)), frames)
    assert two.logits.tolist() == [[3]]


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        (
            np.full((1, 5, 1, 1, 1), 2, np.uint8),
            "value 2, but must be 0 or 1.*np.minimum",
        ),
        (
            np.zeros((1, 1, 1, 1), np.uint8),
            r"shape \(N, 5, 1, 1, 1\).*hwgen.datasets.bin_events",
        ),
        (np.zeros((1, 4, 1, 1, 1), np.uint8), r"\(N, 5, 1, 1, 1\), not \(1, 4, 1, 1, 1\)"),
        (np.zeros((5, 1, 1, 1), np.uint8), "add the axis of samples"),
    ],
)
def test_invalid_frames_are_rejected(frames: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        golden.run(events_of(soft(6, 5)), frames)


def test_events_need_a_pixel_width_of_one_bit() -> None:
    network = one_neuron(soft(1, 2), weight=1, bias=0, timesteps=2, code="events", pixel_bits=8)
    with pytest.raises(NetworkError, match="an event is one bit, so that pixel_bits must be 1"):
        network.verify()
