"""Weight memories: the row selected by each spike holds the weights of its input."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hwgen.network import Conv2d, Identity, Input, InverseLeakyNeuron, Layer, Linear
from hwgen.plan.assembly import make_plan
from hwgen.plan.units.geometry import StreamPlan, WordLayout
from hwgen.plan.units.hardware_plan import HardwarePlan
from hwgen.plan.units.layer import LayerPlan
from hwgen.plan.units.options import PlanOptions
from hwgen.plan.units.synaptic_path import SynapticPathPlan
from hwgen.plan.units.weight_rows import pack_weights
from tests.support.random_networks import random_network
from tests.support.rtl.layers import network_of
from tests.support.rtl.windows import Read, owned_bits, reads_of, weight_row


def weight(projection: Any, out: int, channel: int, y: int, x: int) -> int:
    """Weight of an input channel at a kernel tap, by the definition of the projection."""
    match projection:
        case Linear():
            return int(projection.weights[out, channel])
        case Identity():
            return int(projection.weights[channel]) if out == channel else 0
    out_channels, fan = projection.weights.shape[:2]
    group = out // (out_channels // projection.groups)
    inside = channel - group * fan
    return int(projection.weights[out, inside, y, x]) if 0 <= inside < fan else 0


def input_of(path: SynapticPathPlan, read: Read, bit: int) -> tuple[int, int] | None:
    """Kernel column, and bit within the words of the pixel, for a bit of a chunk."""
    window = path.window
    width = window.word_width * window.pack
    column, inner = divmod(bit, width)
    stored = min(window.pack, window.words - read.chunk * window.pack)
    word = inner // window.word_width - (window.pack - stored)  # words are at the top
    if word < 0:
        return None
    if not window.wide:
        column = read.pixels[0] + window.padding[1]
    word += read.chunk * window.pack
    return column, word * window.word_width + inner % window.word_width


def feature_of(bit: int, row: int, stream: StreamPlan) -> int | None:
    """Feature of a flattened map for a bit of the words of its row."""
    channels, height, width = stream.shape
    if stream.layout == WordLayout.RASTER:
        pixel, channel = divmod(bit, channels)
    else:
        column, channel = divmod(bit, -(-channels // stream.width) * stream.width)
        pixel = row * width + column
    if channel >= channels or pixel >= height * width:
        return None
    return channel * height * width + pixel  # PyTorch flattens channels first


def check(
    projection: Any, path: SynapticPathPlan, plan: LayerPlan, stream: StreamPlan
) -> set[tuple]:
    """Check every row selected by the first window; returns the (output, input, y, x) seen."""
    packed = pack_weights(projection, path, plan, stream)
    window = path.window
    size = -(-window.chunk_width // window.scanners)
    assert packed.shape == (window.scanners, path.weight_depth, plan.lanes)
    seen = set()
    for read in reads_of(replace(window, timesteps=1)):
        if (read.out_row, read.out_column) != (0, 0):
            continue
        base = weight_row(path, read, size)
        for scanner in range(window.scanners):
            for n, bit in enumerate(owned_bits(window, scanner, size)):
                source = input_of(path, read, bit) if bit >= 0 else None
                channel = source and source[1]
                y, x = read.tap_row, source[0] if source else 0
                if isinstance(projection, Linear) and source:
                    channel, y, x = feature_of(source[1], read.tap_row, stream), 0, 0
                elif channel is not None and channel >= stream.shape[0]:
                    channel = None
                for lane in range(plan.lanes):
                    out = read.rounds * plan.lanes + lane
                    if path.kind == "masked":
                        # Bit n enables lane n, which has the channel of that bit.
                        if lane != n or channel is None:
                            continue
                        assert channel == out
                        row = base
                    else:
                        row = base + n
                    expected = 0
                    if channel is not None and out < plan.fan_out:
                        expected = weight(projection, out, channel, y, x)
                        seen.add((out, channel, y, x))
                    assert packed[scanner, row, lane] == expected, (read, scanner, lane)
    return seen


def check_all(layer: Layer, plan: LayerPlan, hardware: HardwarePlan) -> int:
    found = 0
    for projection, path in zip(layer.projections, plan.paths, strict=True):
        stream = hardware.stream(path.source)
        seen = check(projection, path, plan, stream)
        taps = (1, 1)
        if isinstance(projection, Conv2d):
            taps = projection.weights.shape[2:]
        channels, height, width = stream.shape
        inputs = channels * height * width if isinstance(projection, Linear) else channels
        if path.kind == "masked":
            inputs = 1
        assert len(seen) == plan.fan_out * inputs * taps[0] * taps[1]
        found += len(seen)
    return found


def plan_of(projection: Any, shape: tuple[int, int, int], **options: Any):
    ones = np.ones(projection.output_shape(shape)[0], dtype=np.int64)
    neuron = InverseLeakyNeuron(threshold=ones, timesteps=2)
    layer = Layer(name="n", projections=(projection,), bias=ones, neuron=neuron)
    plan = make_plan(network_of(layer, Input(shape=shape, timesteps=2)), PlanOptions(**options))
    return layer, plan.stages[0], plan


def random_weights(*shape: int) -> np.ndarray:
    return np.random.default_rng(len(shape)).integers(-99, 100, shape).astype(np.int32)


@pytest.mark.parametrize("lanes", [1, 4, 5])
@pytest.mark.parametrize("scanners", [1, 3])
@pytest.mark.parametrize("groups", [1, 2])
def test_convolution(groups: int, scanners: int, lanes: int) -> None:
    conv = Conv2d(source="input", weights=random_weights(6, 4 // groups, 2, 3), groups=groups)
    layer, stage, plan = plan_of(conv, (4, 2, 3), lanes=lanes, scanners=scanners)
    assert check_all(layer, stage, plan) == 6 * 4 * 2 * 3


@pytest.mark.parametrize("lanes", [1, 3, 5])
@pytest.mark.parametrize("scanners", [1, 2])
def test_more_channels_than_fit_a_wide_window(scanners: int, lanes: int) -> None:
    """Thirty-three channels are read tap by tap."""
    conv = Conv2d(source="input", weights=random_weights(5, 33, 2, 2), padding=(1, 0, 0, 1))
    layer, stage, plan = plan_of(conv, (33, 2, 2), lanes=lanes, scanners=scanners)
    assert not stage.window.wide
    assert check_all(layer, stage, plan) == 5 * 33 * 4


@pytest.mark.parametrize(("lanes", "kind"), [(6, "masked"), (3, "spikes"), (4, "spikes")])
def test_depthwise(lanes: int, kind: str) -> None:
    """A word of the input holds six channels, so a mask needs groups of six lanes."""
    conv = Conv2d(source="input", weights=random_weights(6, 1, 3, 2), groups=6)
    layer, stage, plan = plan_of(conv, (6, 3, 3), lanes=lanes)
    assert stage.paths[0].kind == kind
    check_all(layer, stage, plan)


@pytest.mark.parametrize("scanners", [1, 3])
@pytest.mark.parametrize("lanes", [2, 5])
def test_equal_taps(lanes: int, scanners: int) -> None:
    """All taps of a channel share one weight row."""
    taps = np.broadcast_to(random_weights(5, 4, 1, 1), (5, 4, 3, 2)).copy()
    conv = Conv2d(source="input", weights=taps)
    layer, stage, plan = plan_of(conv, (4, 3, 2), lanes=lanes, scanners=scanners)
    assert stage.paths[0].tile == (3, 2)
    assert stage.paths[0].weight_depth == -(-5 // lanes) * -(-4 // scanners)
    assert check_all(layer, stage, plan) == 5 * 4 * 3 * 2


@pytest.mark.parametrize(("groups", "kind"), [(1, "spikes"), (6, "masked")])
def test_tiles_of_equal_taps(groups: int, kind: str) -> None:
    """Tiles of 2 × 3 taps on a kernel of 4 × 3: two weight rows per input, or per six lanes."""
    tiles = random_weights(6, 6 // groups, 2, 1)
    conv = Conv2d(source="input", weights=tiles.repeat(2, axis=2).repeat(3, axis=3), groups=groups)
    layer, stage, plan = plan_of(conv, (6, 4, 3), lanes=6)
    (path,) = stage.paths
    assert (path.kind, path.tile) == (kind, (2, 3))
    assert path.weight_depth == (2 if kind == "masked" else 2 * 6)
    check_all(layer, stage, plan)


@pytest.mark.parametrize("input_width", [8, 128])
@pytest.mark.parametrize("scanners", [1, 5])
def test_linear(input_width: int, scanners: int) -> None:
    linear = Linear(source="input", weights=random_weights(7, 19))
    layer, stage, plan = plan_of(
        linear, (19, 1, 1), lanes=3, scanners=scanners, input_width=input_width
    )
    assert check_all(layer, stage, plan) == 7 * 19


@pytest.mark.parametrize(("lanes", "found"), [(2, 25), (5, 5)])
def test_identity(lanes: int, found: int) -> None:
    """Masked, each channel has its own lane; otherwise every lane reads all channels."""
    identity = Identity(source="input", weights=random_weights(5))
    assert check_all(*plan_of(identity, (5, 2, 1), lanes=lanes)) == found


@pytest.mark.parametrize("schedule", ["time", "row"])
@pytest.mark.parametrize("seed", range(12))
def test_random_networks(seed: int, schedule: str) -> None:
    """Includes linear layers after convolutions and pools, whose spikes arrive channels last."""
    network = random_network(seed, max_size=5, max_channels=6, residual=seed % 2 == 0)
    plan = make_plan(
        network, PlanOptions(lanes=1 + seed % 4, scanners=1 + seed % 3, schedule=schedule)
    )
    for layer in network.layers:
        stage = next(stage for stage in plan.layers if stage.node == layer.name)
        assert check_all(layer, stage, plan) > 0
