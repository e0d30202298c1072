"""Largest currents in a timestep, which thresholds of single-phase neurons may be taken from."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from hwgen.conversion.calibration import float_run as calibrate
from hwgen.conversion.calibration.input_decoding import Decoding
from hwgen.conversion.float_graph import Population
from hwgen.golden.incremental import IncrementalRun

IMAGES = 32  # the largest current hardly grows with more


def largest_current(
    node: Population, sent: IncrementalRun, decodings: Mapping[str, Decoding]
) -> torch.Tensor:
    """Largest current of each neuron in a timestep, float32 (images, channels, height, width).

    It is in real units: a spike in every timestep is the activation that its train represents.
    """
    timesteps = sent.train_types[node.sources[0]].steps
    planes = {name: _planes(sent, name) for name in node.sources}
    largest: torch.Tensor | None = None
    for step in range(timesteps):
        values = {
            name: train[step] * calibrate.per_channel(timesteps * decodings[name].scale).float()
            + calibrate.per_channel(decodings[name].offset).float()
            for name, train in planes.items()
        }
        sums = calibrate.preactivation(node, values)
        largest = sums if largest is None else torch.maximum(largest, sums)
    assert largest is not None
    return largest


def _planes(sent: IncrementalRun, name: str) -> torch.Tensor:
    """Spikes of each timestep, or the value of a constant current, float32 (T, images, …)."""
    steps = sent.train_types[name].constant_steps
    if not steps:
        return calibrate.as_tensor(sent.train(name))
    constant = calibrate.as_tensor(sent.values(name))
    return constant.expand(steps, *constant.shape)
