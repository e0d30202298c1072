"""Weight memories: for every spike, the row that it selects holds its neuron's weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hwgen.network import Conv2d, Identity, Input, Layer, Linear, Network, ReadOut
from hwgen.plan.folding import make_plan
from hwgen.plan.geometry import StreamPlan
from hwgen.plan.hardware import LayerPlan
from hwgen.plan.weights import pack_weights
from tests.random_networks import random_network


def weight(projection: Any, out: int, channel: int, y: int, x: int) -> int:
    """The weight from a channel at a tap of the kernel, by the definition of the projection."""
    match projection:
        case Linear():
            return int(projection.weights[out, channel])
        case Identity():
            return int(projection.weights[channel]) if out == channel else 0
    out_channels, fan = projection.weights.shape[:2]
    group = out // (out_channels // projection.groups)
    inside = channel - group * fan
    return int(projection.weights[out, inside, y, x]) if 0 <= inside < fan else 0


def channel_of(bit: int, stream: StreamPlan, flattened: bool) -> int | None:
    """Which input a bit of a pixel's, or of a flattened plane's, words stands for."""
    channels, height, width = stream.shape
    if not flattened:
        return bit if bit < channels else None
    if stream.layout == "raster":
        pixel, channel = divmod(bit, channels)
    else:
        pixel, channel = divmod(bit, -(-channels // stream.width) * stream.width)
    if channel >= channels or pixel >= height * width:
        return None
    return channel * height * width + pixel  # PyTorch flattens channels first


def check(layer: Layer, plan: LayerPlan, stream: StreamPlan) -> int:
    packed = pack_weights(layer, plan, stream)
    (projection,) = layer.projections
    flattened = isinstance(projection, Linear)
    window = plan.window
    kernel_y, kernel_x = window.kernel
    chunk_bits = window.word_width * window.pack
    slice_bits = -(-chunk_bits // window.scanners)
    chunks = -(-window.words // window.pack)
    folds = -(-plan.fan_out // plan.lanes)
    assert packed.shape == (
        window.scanners, folds * kernel_y * kernel_x * chunks * slice_bits, plan.lanes
    )  # fmt: skip
    found = 0
    for scanner in range(window.scanners):
        row = 0
        for fold in range(folds):
            for y in range(kernel_y):
                for x in range(kernel_x):
                    for chunk in range(chunks):
                        for bit in range(slice_bits):
                            place = scanner * slice_bits + bit
                            channel = None
                            if place < chunk_bits:
                                channel = channel_of(chunk * chunk_bits + place, stream, flattened)
                            for lane in range(plan.lanes):
                                out = fold * plan.lanes + lane
                                expected = 0
                                if channel is not None and out < plan.fan_out:
                                    expected = weight(projection, out, channel, y, x)
                                    found += 1
                                assert packed[scanner, row, lane] == expected
                            row += 1
    return found


def plan_of(projection: Any, shape: tuple[int, int, int], **options: Any):
    out = projection.output_shape(shape)[0]
    zeros = np.zeros(out, dtype=np.int64)
    layer = Layer(name="n", projections=(projection,), bias=zeros, neuron=ReadOut())
    network = Network(name="n", input=Input(shape=shape, timesteps=2), nodes=(layer,))
    plan = make_plan(network, **options)
    return layer, plan.stages[0], plan.encoder.output


def random_weights(*shape: int) -> np.ndarray:
    return np.random.default_rng(len(shape)).integers(-99, 100, shape).astype(np.int32)


@pytest.mark.parametrize("lanes", [1, 4, 5])
@pytest.mark.parametrize("scanners", [1, 3])
@pytest.mark.parametrize("groups", [1, 2])
def test_convolution(groups: int, scanners: int, lanes: int) -> None:
    conv = Conv2d(source="input", weights=random_weights(6, 4 // groups, 2, 3), groups=groups)
    found = check(*plan_of(conv, (4, 2, 3), lanes=lanes, scanners=scanners))
    assert found == 6 * 4 * 2 * 3


@pytest.mark.parametrize("input_width", [8, 128])
@pytest.mark.parametrize("scanners", [1, 5])
def test_linear(input_width: int, scanners: int) -> None:
    linear = Linear(source="input", weights=random_weights(7, 19))
    found = check(*plan_of(linear, (19, 1, 1), lanes=3, scanners=scanners, input_width=input_width))
    assert found == 7 * 19


def test_identity() -> None:
    identity = Identity(source="input", weights=random_weights(5))
    assert check(*plan_of(identity, (5, 1, 1), lanes=2)) == 25


@pytest.mark.parametrize("seed", range(8))
def test_random_networks(seed: int) -> None:
    """Also linear layers behind convolutions and pools, whose spikes come channels last."""
    network = random_network(seed, max_size=5, max_channels=6)
    plan = make_plan(network, lanes=1 + seed % 4, scanners=1 + seed % 3)
    streams = {stream.node: stream for stream in plan.streams}
    for node in network:
        if not isinstance(node, Layer):
            if node.name not in streams:  # a flatten has the stream of its source
                streams[node.name] = streams[node.source]
            continue
        stage = next(stage for stage in plan.layers if stage.node == node.name)
        source = node.sources[0]
        inputs = network.signals()[source].shape
        taps = int(np.prod(stage.window.kernel))
        assert check(node, stage, streams[source]) == stage.fan_out * inputs[0] * taps
