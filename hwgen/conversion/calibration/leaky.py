"""Layers of a leak k < 2 timestep by timestep on the calibration images: exact, as they have no
closed form (:mod:`hwgen.network.neuron`).

Their fractions are chosen so fine that rounding costs little. A step of accumulation rounds down by
half a unit on average (less 2^−m of it), which the leaks after it enlarge: that much goes into the
bias. What is left, ± half of that, is at most 1/16 of a threshold, or about one step of a weight in
the read-out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch

from hwgen.conversion.calibration import float_run as calibrate
from hwgen.conversion.float_graph import FloatFlatten, FloatMaxPool
from hwgen.conversion.op_graph import INPUT
from hwgen.conversion.quantisation.integers import MAX_FRAC_BITS, MIN_THRESHOLD
from hwgen.network import DOUBLE, Conv2d, InverseLeak, InverseLeakyNeuron, Layer, Projection

THRESHOLD_LEVELS = 8
"""A threshold, in units of its fraction, is at least so many times the largest level that comes
in."""


class LeakySteps:
    """The trains of every node as binary numbers, int32 (images, channels, height, width)."""

    def __init__(self, codes: torch.Tensor, timesteps: int) -> None:
        self.words = {INPUT: codes.to(torch.int32)}
        self._trains: dict[str, tuple[InverseLeak, int]] = {INPUT: (DOUBLE, timesteps)}

    def leak(self, source: str) -> InverseLeak:
        return self._trains[source][0]

    def fire(self, layer: Layer) -> torch.Tensor:
        """The train of a layer whose sources have theirs; kept, too."""
        neuron = layer.neuron
        assert isinstance(neuron, InverseLeakyNeuron)
        level = _tensor(firing_level(neuron))
        # Above the clamp a membrane fires in every step, in any case.
        left = (self._accumulate(layer, neuron) + _tensor(layer.bias)).clamp(min=0)
        left = left.minimum(_tensor(largest_membrane(neuron)))
        words = torch.zeros_like(left, dtype=torch.int32)
        for _ in range(neuron.timesteps):
            spikes = left >= level
            words = 2 * words + spikes
            left = _grow(left - spikes * level, neuron.leak)
        self.words[layer.name] = words
        self._trains[layer.name] = neuron.leak, neuron.timesteps
        return words

    def lost(self, source: str) -> float:
        """What rounding takes off a membrane that reads ``source``, on average, in its units."""
        leak, timesteps = self._trains[source]
        enlarged = sum(leak.k**step for step in range(timesteps - 1))
        return 0.5 * (1 - 0.5**leak.m) * enlarged

    def rearrange(self, node: FloatMaxPool | FloatFlatten) -> None:
        words = self.words[node.source]
        if isinstance(node, FloatFlatten):
            self.words[node.name] = calibrate.flatten(words)
        else:  # the order of the numbers is that of the trains
            self.words[node.name] = calibrate.max_pool(node, words.float()).to(torch.int32)
        self._trains[node.name] = self._trains[node.source]

    def forget(self, name: str) -> None:
        del self.words[name]

    def _accumulate(self, layer: Layer, neuron: InverseLeakyNeuron) -> torch.Tensor:
        leak, timesteps = self._trains[layer.sources[0]]
        if leak.doubles:
            values: Mapping[str, torch.Tensor] = self.words
            return _current(layer, values) << neuron.threshold_frac_bits
        total = torch.zeros((), dtype=torch.int64)
        for place in reversed(range(timesteps)):
            spikes = {name: self.words[name] >> place & 1 for name in layer.sources}
            current = _current(layer, spikes, place)
            total = _grow(total, leak) + (current << neuron.threshold_frac_bits)
        return total


def firing_level(neuron: InverseLeakyNeuron) -> np.ndarray:
    """D of each channel."""
    level = neuron.threshold.astype(np.int64)
    for _ in range(neuron.timesteps - 1):
        level = level + (level * neuron.leak.n >> neuron.leak.m)
    return level


def largest_membrane(neuron: InverseLeakyNeuron) -> np.ndarray:
    """V̂ of each channel."""
    level = firing_level(neuron)
    return np.asarray(level - (-level << neuron.leak.m) // neuron.leak.n)


def least_threshold(largest_level: float) -> float:
    """Of a layer that reads trains worth up to ``largest_level``."""
    return max(MIN_THRESHOLD, THRESHOLD_LEVELS * largest_level)


def readout_bits(largest_level: float) -> int:
    """Fractional bits of a read-out of such trains."""
    return min(MAX_FRAC_BITS, math.ceil(math.log2(largest_level)) if largest_level > 1 else 0)


def _current(
    layer: Layer, values: Mapping[str, torch.Tensor], place: int | None = None
) -> torch.Tensor:
    """int64; with ``place`` of single bits, of pad values too."""
    total = torch.zeros((), dtype=torch.float64)
    for projection in layer.projections:
        given = values[projection.source].float()
        total = total + calibrate.project(_bit(projection, place), given)
    return total.to(torch.int64)


def _bit(projection: Projection, place: int | None) -> Projection:
    if place is None or not isinstance(projection, Conv2d) or projection.pad_value is None:
        return projection
    pads = projection.pad_value >> place & 1
    return Conv2d(**{**vars(projection), "pad_value": pads})


def _grow(membrane: torch.Tensor, leak: InverseLeak) -> torch.Tensor:
    return membrane + (membrane * leak.n >> leak.m)


def _tensor(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(values.astype(np.int64)).reshape(-1, 1, 1)
