"""A CNN for real digits: adjusted, trained, converted by feedback thresholds, simulated."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from examples import feedback
from examples.digits import accuracy, digits_data
from hwgen import generate, golden
from hwgen.conversion import adjust
from hwgen.network import HardResetNeuron, Readout
from tests.support.conversion import convert


def test_a_network_with_feedback_thresholds_equals_golden(tmp_path: Path) -> None:
    """T = 32, Poisson input, hard resets, floors: streams bit-exact, cycles as predicted."""
    (images, labels), (unseen, expected) = digits_data()
    torch.manual_seed(0)
    model, _ = adjust(feedback.original())
    model = feedback.train(model, images, labels, epochs=10)
    network = convert(
        model, images, labels=labels, method="feedback", timesteps=32,
        search_images=60, search_rounds=2, search_stop=1.0,
    )  # fmt: skip
    assert network.input.code == "poisson"
    for layer in network.layers:
        if not isinstance(layer.neuron, Readout):
            assert isinstance(layer.neuron, HardResetNeuron)
            assert layer.neuron.floor is not None
            assert not layer.bias.any()
    floats = accuracy(model, unseen, expected)
    spiking = 100 * np.mean(golden.run(network, unseen).classes == expected)
    assert floats > 85
    assert spiking > 0.9 * floats

    build = generate(network, lanes=8).write(tmp_path / "build")
    report = build.simulate(unseen[:3])
    assert report.bit_exact
    assert report.samples == 3
    assert report.latency_cycles == report.predicted_latency_cycles
    assert report.interval_cycles == report.predicted_interval_cycles
