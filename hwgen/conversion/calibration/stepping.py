"""Single-phase layers timestep by timestep, on a few calibration images: what thresholds by the
largest current are taken from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch

from hwgen.conversion.calibration import float_run as calibrate
from hwgen.conversion.calibration.input_decoding import Decoding
from hwgen.conversion.float_graph import FloatFlatten, FloatMaxPool, Population
from hwgen.conversion.op_graph import INPUT
from hwgen.golden.codes import encode_train, input_train
from hwgen.network import Conv2d, HardResetNeuron, Input, Layer, Projection, SoftResetNeuron

IMAGES = 32  # the largest current hardly grows with more


class Stepper:
    """Trains of every node, float32 of 0 and 1 (T, images, channels, height, width)."""

    def __init__(self, images: np.ndarray, source: Input) -> None:
        self._held = source.code == "direct"
        if self._held:  # no spikes: the pixel, in every step
            pixels = torch.from_numpy(images[:IMAGES].astype(np.float32))
            self.trains = {INPUT: pixels.expand(source.timesteps, *pixels.shape)}
            return
        few = np.ascontiguousarray(np.moveaxis(images[:IMAGES], -3, -1))
        train = np.moveaxis(input_train(few, source), -1, -3)
        self.trains = {INPUT: torch.from_numpy(train.astype(np.float32))}

    def largest_current(self, node: Population, decodings: Mapping[str, Decoding]) -> torch.Tensor:
        """The largest current of each neuron in a timestep, in real units, as a map for each
        image; a spike in every step is the activation that the train stands for then."""
        largest: torch.Tensor | None = None
        timesteps = len(self.trains[node.sources[0]])
        for step in range(timesteps):
            values = {
                name: self.trains[name][step]
                * calibrate.per_channel(timesteps * decodings[name].scale).float()
                + calibrate.per_channel(decodings[name].offset).float()
                for name in node.sources
            }
            sums = calibrate.preactivation(node, values)
            largest = sums if largest is None else torch.maximum(largest, sums)
        assert largest is not None
        return largest

    def fire(self, layer: Layer) -> None:
        """The train of a layer whose sources have theirs."""
        neuron = layer.neuron
        assert isinstance(neuron, SoftResetNeuron | HardResetNeuron)
        threshold = calibrate.per_channel(neuron.threshold)
        initial = 0 * neuron.threshold if neuron.initial is None else neuron.initial
        membrane: torch.Tensor = calibrate.per_channel(initial)
        bias = calibrate.per_channel(layer.bias)
        train = []
        for step in range(neuron.timesteps):
            for projection in layer.projections:
                plane = self.trains[projection.source][step]
                membrane = membrane + calibrate.project(self._padded(projection, step), plane)
            membrane = membrane + bias
            if neuron.floor is not None:
                membrane = torch.maximum(membrane, calibrate.per_channel(neuron.floor))
            spikes = membrane >= threshold
            train.append(spikes.float())
            if isinstance(neuron, HardResetNeuron):
                membrane = membrane * ~spikes
            else:
                membrane = membrane - spikes * threshold
        self.trains[layer.name] = torch.stack(train)

    def _padded(self, projection: Projection, step: int) -> Projection:
        """With the spikes of its pad value in ``step``."""
        if not isinstance(projection, Conv2d) or projection.pad_value is None:
            return projection
        if self._held and projection.source == INPUT:
            return projection
        train = encode_train(projection.pad_value, "rate", len(self.trains[projection.source]))
        return replace(projection, pad_value=train[step].astype(projection.pad_value.dtype))

    def rearrange(self, node: FloatMaxPool | FloatFlatten) -> None:
        train = self.trains[node.source]
        if isinstance(node, FloatFlatten):
            self.trains[node.name] = torch.stack([calibrate.flatten(plane) for plane in train])
            return
        # The gate by spike count. A count, the place of its neuron and its spike in one number: the
        # larger count wins, of equal ones the first.
        height, width = train.shape[-2:]
        places = torch.arange(height * width, 0, -1, dtype=torch.float64).reshape(height, width)
        gated = 2 * (train.double().cumsum(0) * (height * width + 1) + places) + train
        best = torch.stack([calibrate.max_pool(node, plane) for plane in gated])
        self.trains[node.name] = (best % 2).float()

    def forget(self, name: str) -> None:
        self.trains.pop(name, None)
