"""Closed form, step-by-step form and PyTorch agree in every integer on 1,000 networks."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen import golden
from hwgen.network import Network
from tests.support.random_networks import KINDS, random_images, random_network
from tests.support.results import assert_counts_equal

CASES, CHUNK = 1000, 50


SINGLE = ("rate_single", "rate_hard")
CODES: dict[str, tuple[str | None, ...]] = {
    "direct": SINGLE, "events": (*SINGLE, "rate_two", None),
}  # fmt: skip
"""Neurons that may read each of the special input codes."""


def generate(case: int, code: str | None = None) -> tuple[Network, np.ndarray]:
    kinds = KINDS if code is None else CODES[code]
    network = random_network(
        case,
        neuron=kinds[case % len(kinds)],
        residual=case % 3 == 0,
        code=code,
        max_timesteps=16 if case % 5 == 0 else 6,
    )
    return network, random_images(case, network, 3)


@pytest.mark.parametrize("first", range(0, CASES, CHUNK))
def test_closed_form_equals_steps_and_pytorch(first: int) -> None:
    for case in range(first, first + CHUNK):
        check(case)


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("first", [0, CHUNK])
def test_closed_form_equals_steps_with_direct_input_and_events(first: int, code: str) -> None:
    for case in range(first, first + CHUNK):
        check(case, code)


def check(case: int, code: str | None = None) -> None:
    pytest.importorskip("torch")
    from tests.support import torch_oracle

    network, images = generate(case, code)
    closed = golden.run(network, images)
    steps = golden.run(network, images, trains=True)
    assert_counts_equal(closed, steps)
    oracle = torch_oracle.compute(network, images)
    for field in ("values", "membranes"):
        for node, expected in getattr(oracle, field).items():
            measured = getattr(steps, field)[node]
            np.testing.assert_array_equal(measured, expected, err_msg=f"{case} {field} {node}")
    for node, train in oracle.trains.items():
        expected = np.stack([plane.numpy() for plane in train], axis=1)
        np.testing.assert_array_equal(steps.trains[node], expected, err_msg=f"{case} {node}")
        np.testing.assert_array_equal(steps.spikes[node], oracle.spikes[node])
    for node, expected in oracle.operations.items():
        np.testing.assert_array_equal(steps.synaptic_operations[node], expected)


def test_random_networks_cover_every_feature() -> None:
    """The random networks differ, fire, and are not saturated."""
    seen: set[str] = set()
    silent = full = layers = 0
    for case in range(0, CASES, 9):
        network, images = generate(case)
        train_types = network.train_types
        result = golden.run(network, images, trains=True)
        for layer in network.layers:
            seen.update(_features(network, layer))
            if layer is network.readout:
                continue
            layers += 1
            values = result.values[layer.name]
            silent += values.max() == 0
            full += values.min() == train_types[layer.name].q_max
        seen.update(f"{type(node).__name__}" for node in network.nodes)
    expected = {
        "Conv2d", "Linear", "Identity", "MaxPool2d", "Flatten", "stride", "asymmetric padding",
        "groups", "pad value", "projections", "T1 != T2", "threshold 1", "16-bit weight",
        "fraction", "one channel", "InverseLeakyNeuron", "SoftResetNeuron two-phase",
        "SoftResetNeuron single-phase", "initial",
    }  # fmt: skip
    assert expected - seen == set()
    assert layers > 100
    assert silent < layers / 10
    assert full < layers / 10


def _features(network: Network, layer: object) -> set[str]:
    neuron = layer.neuron
    found = {type(projection).__name__ for projection in layer.projections}
    for projection in layer.projections:
        if np.abs(projection.weights).max() > 1 << 14:
            found.add("16-bit weight")
        if type(projection).__name__ == "Conv2d":
            top, left, bottom, right = projection.padding
            found.update(
                name
                for name, holds in {
                    "stride": projection.stride != (1, 1),
                    "asymmetric padding": top != bottom or left != right,
                    "groups": projection.groups > 1,
                    "pad value": projection.pad_value is not None,
                }.items()
                if holds
            )
    if len(layer.projections) > 1:
        found.add("projections")
    if layer is network.readout:
        return found
    source_type = network.train_types[layer.sources[0]]
    kind = type(neuron).__name__
    if kind == "SoftResetNeuron":
        kind += " two-phase" if neuron.two_phase else " single-phase"
        found |= {"initial"} if neuron.initial is not None else set()
    found.add(kind)
    found |= {"T1 != T2"} if source_type.timesteps != neuron.timesteps else set()
    found |= {"threshold 1"} if neuron.threshold.min() == 1 else set()
    found |= {"fraction"} if neuron.frac_bits else set()
    found |= {"one channel"} if layer.bias.size == 1 else set()
    return found
