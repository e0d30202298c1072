"""docs/artefact.md is enough to compute classes: a reader without hwgen agrees with golden."""

from __future__ import annotations

import ast
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from hwgen import golden
from hwgen.artefact import save
from hwgen.network import (
    HardResetNeuron,
    InputCode,
    InverseLeakyNeuron,
    MaxPool2d,
    Network,
    Readout,
    SoftmaxReadout,
    SoftResetNeuron,
    TimeToFirstSpikeNeuron,
)
from tests.support import independent_reader
from tests.support.independent_reader import classes_of, logits_of
from tests.support.joined import adds_unlike_trains
from tests.support.random_networks import KINDS, random_images, random_network

NEURONS = (
    InverseLeakyNeuron, SoftResetNeuron, HardResetNeuron, TimeToFirstSpikeNeuron, Readout,
    SoftmaxReadout,
)  # fmt: skip
PLAIN = [(seed, {"neuron": kind}) for seed, kind in product(range(6), KINDS)]
JOINED = [(seed, {"neuron": kind, "residual": True}) for seed, kind in product(range(6), KINDS)]
CODED = [
    (seed, {"neuron": kind, "code": code})
    for seed in range(4)
    for kind, code in (
        ("rate_single", "direct"), ("rate_hard", "direct"), ("rate_single", "events"),
        ("rate_two", "events"),
    )
]  # fmt: skip
DECODED = [
    (seed, {"decoder": decoder, "neuron": kind})
    for seed in range(4)
    for decoder, kind in (
        ("softmax", "rate_single"),
        ("spike_count", None),
        ("first_spike", "ttfs"),
    )
]
CASES = [*PLAIN, *JOINED, *CODED, *DECODED]


def network_of(case: tuple[int, dict[str, object]]) -> Network:
    seed, options = case
    return random_network(seed, **options)  # type: ignore[arg-type]


def test_the_reader_knows_nothing_of_hwgen() -> None:
    tree = ast.parse(Path(independent_reader.__file__).read_text(encoding="utf-8"))
    names = {
        alias.name.split(".")[0]
        for node in ast.walk(tree)
        for alias in (node.names if isinstance(node, ast.Import) else ())
    }
    names |= {
        (node.module or "").split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
    }
    assert names == {"__future__", "numpy", "pathlib", "typing", "yaml"}


def test_the_networks_hold_every_kind() -> None:
    networks = [network_of(case) for case in CASES]
    assert len(networks) >= 100
    layers = [layer for network in networks for layer in network.layers]
    assert {network.input.code for network in networks} == set(InputCode)
    assert {layer.neuron.kind for layer in layers} == {kind.kind for kind in NEURONS}
    assert {item.kind for layer in layers for item in layer.projections} == {
        "conv2d", "linear", "identity",
    }  # fmt: skip
    assert any(network.logits == 1 for network in networks)
    assert sum(map(adds_unlike_trains, networks)) > 3
    assert sum(layer.neuron.leak.rounds for layer in layers) > 10
    pools = [
        network.train_types[node.source].in_order
        for network in networks
        for node in network.nodes
        if isinstance(node, MaxPool2d)
    ]
    assert set(pools) == {True, False}
    convolutions = [item for layer in layers for item in layer.projections if item.kind == "conv2d"]
    assert any(item.groups > 1 for item in convolutions)
    assert any(item.pad_value is not None for item in convolutions)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_classes_and_logits_are_those_of_golden(case, tmp_path: Path) -> None:
    network = network_of(case)
    images = random_images(1, network, 4)
    save(network, tmp_path / "net")
    found, expected = logits_of(tmp_path / "net", images), golden.run(network, images)
    np.testing.assert_array_equal(found, expected.logits)
    np.testing.assert_array_equal(classes_of(found), expected.classes)
