"""Independent PyTorch model of all integers of a network, from the docstrings of hwgen.network.

Values are float64 tensors (n, channels, height, width), exact for every network of the tests.
Two-phase layers use the closed form; single-phase layers and leaks below 2 are stepped. Spikes
and synaptic operations are counted with convolutions of ones.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F

from hwgen.golden.draws import poisson_train
from hwgen.network import (
    Conv2d,
    Flatten,
    Layer,
    Linear,
    MaxPool2d,
    Network,
    Projection,
    Readout,
    SoftResetNeuron,
    TrainType,
)


@dataclass
class Oracle:
    """Values, trains, membranes and counts by node."""

    values: dict[str, torch.Tensor] = field(default_factory=dict)
    trains: dict[str, list[torch.Tensor]] = field(default_factory=dict)
    membranes: dict[str, torch.Tensor] = field(default_factory=dict)
    spikes: dict[str, torch.Tensor] = field(default_factory=dict)
    operations: dict[str, torch.Tensor] = field(default_factory=dict)


def compute(network: Network, images: np.ndarray) -> Oracle:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the maps are too small for threads to pay off
    try:
        return _compute(network, images)
    finally:
        torch.set_num_threads(threads)


def _compute(network: Network, images: np.ndarray) -> Oracle:
    oracle, train_types = Oracle(), network.train_types
    source = network.input
    pixels = torch.from_numpy(images.astype(np.float64))
    full = 2.0**source.pixel_bits
    if source.code == "events":
        train = list(pixels.unbind(1))
        _send(oracle, source.name, sum(train), train)
    elif source.code == "direct":
        _send(oracle, source.name, pixels, _bits(pixels, train_types[source.name]))
    elif source.code == "radix":
        values = torch.floor(pixels * 2.0**source.timesteps / full)
        _send(oracle, source.name, values, _bits(values, train_types[source.name]))
    elif source.code == "poisson":  # test_poisson checks its draws
        drawn = poisson_train(images.transpose(0, 2, 3, 1), source).transpose(0, 1, 4, 2, 3)
        train = [torch.from_numpy(plane.astype(np.float64)) for plane in drawn]
        _send(oracle, source.name, sum(train), train)
    elif source.code == "ttfs":
        values = torch.round(pixels * source.timesteps / full + 1 / (4 * full))  # halves round up
        _send(oracle, source.name, values, _bits(values, train_types[source.name]))
    else:
        train = []
        for step in range(1, source.timesteps + 1):  # carries of the accumulator
            carries = [torch.floor((t * pixels + full / 2) / full) for t in (step - 1, step)]
            train.append(carries[1] - carries[0])
        _send(oracle, source.name, sum(train), train)
    for node in network.nodes:
        if isinstance(node, Layer):
            _layer(oracle, node, train_types)
        elif isinstance(node, MaxPool2d) and not train_types[node.source].in_order:
            train = _gate(oracle.trains[node.source], node)
            _send(oracle, node.name, sum(train), train)
        elif isinstance(node, MaxPool2d):
            padded = F.pad(oracle.values[node.source], _sides(node.padding))
            values = F.max_pool2d(padded, node.kernel, node.stride)
            _send(oracle, node.name, values, _bits(values, train_types[node.name]))
        else:
            assert isinstance(node, Flatten)
            train = [_flat(plane) for plane in oracle.trains[node.source]]
            _send(oracle, node.name, _flat(oracle.values[node.source]), train)
    return oracle


def _layer(oracle: Oracle, layer: Layer, train_types: dict[str, TrainType]) -> None:
    bias, neuron = _channels(layer.bias), layer.neuron
    oracle.operations[layer.name] = sum(
        _current(projection, plane, train_types[projection.source], step, count=True).sum((1, 2, 3))
        for projection in layer.projections
        for step, plane in enumerate(oracle.trains[projection.source])
    )
    if not neuron.two_phase:
        membrane = _channels(0 if neuron.initial is None else neuron.initial)
        train = []
        constant = train_types[layer.sources[0]].constant_steps
        for step in range(neuron.timesteps):
            current = sum(
                _current(item, oracle.values[item.source], train_types[item.source])
                if constant
                else _current(
                    item, oracle.trains[item.source][step], train_types[item.source], step
                )
                for item in layer.projections
            )
            membrane = membrane + bias + current
            if neuron.floor is not None:
                membrane = torch.maximum(membrane, _channels(neuron.floor))
            train.append((membrane >= _channels(neuron.threshold)).double())
            if isinstance(neuron, SoftResetNeuron):
                membrane = membrane - train[-1] * _channels(neuron.threshold)
                continue
            reset = _channels(0 if neuron.reset is None else neuron.reset)
            membrane = torch.where(train[-1] > 0, reset, membrane)
        oracle.membranes[layer.name] = membrane
        _send(oracle, layer.name, sum(train), train)
        return
    source_type, train_type = train_types[layer.sources[0]], train_types[layer.name]
    last = isinstance(neuron, Readout)
    scale = 2.0 ** (neuron.frac_bits if last else neuron.frac_bits)
    if source_type.fractional:
        sums = torch.zeros(())
        longest = max(len(oracle.trains[item.source]) for item in layer.projections)
        for left in range(longest, 0, -1):  # steps to go: all trains end together
            sums = _leak(sums, source_type) + scale * sum(
                _current(item, train[-left], train_types[item.source], len(train) - left)
                for item in layer.projections
                if left <= len(train := oracle.trains[item.source])
            )
    else:
        sums = scale * sum(
            _current(item, oracle.values[item.source], train_types[item.source])
            for item in layer.projections
        )
    oracle.membranes[layer.name] = sums + bias
    if last:
        return
    if train_type.fractional:
        _fire(oracle, layer, train_type)
        return
    quotient = torch.floor(oracle.membranes[layer.name] / _channels(neuron.threshold))
    values = quotient.clamp(0, train_type.q_max)
    _send(oracle, layer.name, values, _bits(values, train_type))


def _leak(membrane: torch.Tensor, train_type: TrainType) -> torch.Tensor:
    return torch.floor(membrane * (1 + train_type.leak.n / 2.0**train_type.leak.m))


def _fire(oracle: Oracle, layer: Layer, train_type: TrainType) -> None:
    """Fire with a leak below 2 without the clamp: clamped membranes fire in every step anyway."""
    level = _channels(layer.neuron.threshold)
    for _ in range(train_type.timesteps - 1):
        level = _leak(level, train_type)
    membrane = oracle.membranes[layer.name].clamp(min=0)
    train = []
    for _ in range(train_type.timesteps):
        train.append((membrane >= level).double())
        membrane = _leak(membrane - train[-1] * level, train_type)
    values = sum(plane * 2.0**bit for bit, plane in enumerate(reversed(train)))
    _send(oracle, layer.name, values, train)


def _gate(train: list[torch.Tensor], pool: MaxPool2d) -> list[torch.Tensor]:
    """Pass the spikes of the first neuron in each window with the maximum count so far."""
    gated = []
    counts = torch.zeros(())
    for plane in train:
        counts = counts + plane
        n, channels = plane.shape[:2]
        # Taps later in the window lose ties by less than a spike.
        size = pool.kernel[0] * pool.kernel[1]
        late = torch.arange(size, dtype=torch.float64)[:, None] / (2 * size)
        taps, sent = (
            F.unfold(F.pad(maps, _sides(pool.padding)), pool.kernel, stride=pool.stride).reshape(
                n * channels, size, -1
            )
            for maps in (
                counts.reshape(n * channels, 1, *plane.shape[2:]),
                plane.reshape(n * channels, 1, *plane.shape[2:]),
            )
        )
        best = (taps - late).argmax(1, keepdim=True)
        shape = pool.output_shape((channels, *plane.shape[2:]))
        gated.append(sent.gather(1, best).reshape(n, *shape))
    return gated


def _current(
    projection: Projection,
    values: torch.Tensor,
    source_type: TrainType,
    step: int | None = None,
    count: bool = False,
) -> torch.Tensor:
    """W·values, or W·spikes of one timestep; with ``count``, the number of synaptic operations."""
    weights = torch.from_numpy(projection.weights.astype(np.float64))
    if count:
        weights = torch.ones_like(weights)
    if isinstance(projection, Linear):
        return F.linear(values[:, :, 0, 0], weights)[:, :, None, None]
    if not isinstance(projection, Conv2d):
        return values * weights[:, None, None]
    outside = torch.zeros(values.shape[1], dtype=torch.float64)
    if projection.pad_value is not None:
        outside = torch.from_numpy(projection.pad_value.astype(np.float64))
        if step is not None:
            outside = _bits(outside, source_type)[step]
    outside = outside[:, None, None]
    padded = F.pad(values - outside, _sides(projection.padding)) + outside
    return F.conv2d(padded, weights, stride=projection.stride, groups=projection.groups)


def _send(oracle: Oracle, name: str, values: torch.Tensor, train: list[torch.Tensor]) -> None:
    oracle.values[name], oracle.trains[name] = values, train
    oracle.spikes[name] = sum(plane.sum((1, 2, 3)) for plane in train)


def _bits(values: torch.Tensor, train_type: TrainType) -> list[torch.Tensor]:
    steps = range(1, train_type.timesteps + 1)
    if train_type.code == "radix":
        return [torch.floor(values / 2.0 ** (train_type.timesteps - t)) % 2 for t in steps]
    if train_type.code == "ttfs":
        return [(values == train_type.timesteps + 1 - t).double() for t in steps]
    return [(values >= t).double() for t in steps]


def _flat(values: torch.Tensor) -> torch.Tensor:
    return values.flatten(1)[:, :, None, None]


def _channels(values: np.ndarray | int) -> torch.Tensor:
    return torch.from_numpy(np.atleast_1d(values).astype(np.float64))[:, None, None]


def _sides(padding: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    top, left, bottom, right = padding
    return (left, right, top, bottom)
