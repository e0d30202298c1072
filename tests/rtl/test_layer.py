"""The layer processing unit: spikes in, spikes out, against golden's run of the layer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hwgen import golden
from hwgen.network import (
    Conv2d,
    Identity,
    Input,
    InverseLeakyNeuron,
    Layer,
    Linear,
    ReadOut,
    SoftResetNeuron,
    code_max,
)
from hwgen.plan.folding import make_plan
from hwgen.plan.weights import pack_weights
from hwgen.rtl.layer import LayerUnit
from tests.rtl.bench import Bench
from tests.rtl.cores import words_of
from tests.rtl.layers import fit, network_of, plan_one
from tests.rtl.streams import STALLS
from tests.rtl.words import split


def random_layer(
    rng: np.random.Generator, source: Input, projections: Any, kind: str, steps: int
) -> Layer:
    """A layer on ``projections``, one or several, whose thresholds suit what random images drive
    it with."""
    if not isinstance(projections, tuple):
        projections = (projections,)
    channels = projections[0].output_shape(source.shape)[0]
    bias = np.zeros(channels, dtype=np.int64)
    if kind == "readout":
        bias += rng.integers(-50, 50, channels)
        return Layer(name="n", projections=projections, bias=bias, neuron=ReadOut())
    single = kind == "single"
    one = np.ones(channels, dtype=np.int64)
    probe = SoftResetNeuron(threshold=one, timesteps=source.timesteps)
    layer = Layer(name="n", projections=projections, bias=bias, neuron=probe)
    images = rng.integers(0, 256, (20, *source.shape)).astype(np.uint8)
    drive = golden.run(network_of(layer, source), images, trains=True).membranes["n"]
    drive = np.moveaxis(drive, 1, -1) // (source.timesteps if single else 1)
    threshold, bias = fit(rng, drive, 2 if single else code_max(kind, steps))
    make = InverseLeakyNeuron if kind == "radix" else SoftResetNeuron
    extra: dict[str, Any] = {"two_phase": False} if single else {}
    neuron = make(threshold=threshold, timesteps=steps, **extra)
    return Layer(name="n", projections=projections, bias=bias, neuron=neuron)


def weights(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.integers(-30, 31, shape).astype(np.int32)


def run(
    layer: Layer,
    source: Input,
    *,
    samples: int = 3,
    stall: tuple[float, float] = (0.0, 0.0),
    reset_at: tuple[int, ...] = (),
    **options: Any,
):
    network = network_of(layer, source)
    plan, given = plan_one(layer, source, **options)
    arriving = make_plan(network, **options).encoder.output
    images = np.random.default_rng(3).integers(0, 256, (samples, *source.shape)).astype(np.uint8)
    gold = golden.run(network, images, trains=True)
    packed = [
        pack_weights(projection, feed, plan, arriving)
        for projection, feed in zip(layer.projections, plan.feeds, strict=True)
    ]
    dut = LayerUnit(plan, layer, given, weights=packed)
    bench = Bench(dut, seed=samples)
    busy = bench.watch(dut.busy)
    for index in range(len(plan.feeds)):
        words = words_of(gold.trains["input"], arriving)
        bench.send(getattr(dut, f"inputs_{index}"), words, stall=stall[0])
    if plan.kind == "readout":
        logits = gold.logits.tolist()
        lanes = plan.membrane_lanes
        words = [row[n : n + lanes] for row in logits for n in range(0, len(row), lanes)]

        def read(word: int) -> list[int]:
            values = split(word, plan.membrane_width, lanes)
            return values[: len(words[len(got.cycles) % len(words)])]
    else:
        assert 0.05 < gold.trains["n"].mean() < 0.95
        words, read = words_of(gold.trains["n"], plan.output), int
    got = bench.expect(dut.words, words, stall=stall[1], read=read, name="words")
    bench.run(reset_at=reset_at)
    return plan, gold, got, busy


CASES: dict[str, tuple[tuple, str, str, dict[str, Any]]] = {
    # shape of the input, its code, the neuron, the convolution
    "conv": (
        (2, 4, 5), "radix", "radix", {"shape": (5, 2, 3, 3), "padding": (1, 1, 1, 1)},
    ),
    "pad values": (
        (2, 4, 4), "radix", "rate",
        {"shape": (3, 2, 3, 2), "padding": (2, 0, 1, 1), "pad_value": (5, 2)},
    ),
    "pad values in the rate code": (
        (2, 3, 4), "rate", "single",
        {"shape": (4, 2, 2, 3), "padding": (1, 2, 0, 1), "pad_value": (3, 1)},
    ),
    "stride beyond the kernel": (
        (1, 7, 8), "rate", "radix", {"shape": (4, 1, 1, 2), "stride": (2, 3)},
    ),
    "depthwise": ((4, 3, 3), "rate", "single", {"shape": (4, 1, 2, 2), "groups": 4}),
    "groups": (
        (4, 3, 3), "radix", "rate", {"shape": (6, 2, 2, 2), "groups": 2, "stride": (1, 2)},
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("lanes", "scanners", "pipeline", "schedule", "stall"),
    [
        (1, 1, "alternate", "time", (0.0, 0.0)),
        (4, 2, "overlap", "time", (0.4, 0.4)),
        (2, 3, "alternate", "row", (0.4, 0.4)),
        (4, 2, "overlap", "row", (0.4, 0.4)),
    ],
)
@pytest.mark.parametrize("name", CASES)
def test_convolutions(
    name: str, lanes: int, scanners: int, pipeline: str, schedule: str, stall: tuple[float, float]
) -> None:
    shape, code, kind, options = CASES[name]
    rng = np.random.default_rng(len(name))
    source = Input(shape=shape, timesteps=3, code=code)
    projection = Conv2d(
        source="input",
        weights=weights(rng, *options["shape"]),
        stride=options.get("stride", (1, 1)),
        padding=options.get("padding", (0, 0, 0, 0)),
        groups=options.get("groups", 1),
        pad_value=np.array(options["pad_value"], np.int32) if "pad_value" in options else None,
    )
    layer = random_layer(rng, source, projection, kind, 3 if kind == "single" else 4)
    run(
        layer, source, samples=2, stall=stall, reset_at=(103,) if any(stall) else (),
        scanners=scanners, lanes=lanes, pipeline=pipeline, schedule=schedule,
    )  # fmt: skip


JOINS: dict[str, tuple[tuple, int, tuple[str, ...], Any]] = {
    # shape of the input, lanes, the kinds of its feeds, its projections
    "convolution and identity": (
        (4, 4, 3), 4, ("events", "masked"),
        lambda rng: (
            conv(rng, 4, 4, 3, 3, padding=(1, 1, 1, 1)), identity(rng, 4),
        ),
    ),
    "identity first, more channels than lanes": (
        (4, 3, 4), 2, ("events", "events"),
        lambda rng: (identity(rng, 4), conv(rng, 4, 4, 2, 3, padding=(1, 1, 0, 1))),
    ),
    "convolution and strided 1×1": (
        (3, 5, 5), 4, ("events", "events"),
        lambda rng: (
            conv(rng, 6, 3, 3, 3, stride=(2, 2), padding=(1, 1, 1, 1)),
            conv(rng, 6, 3, 1, 1, stride=(2, 2)),
        ),
    ),
    "strided, padded on one side": (
        (2, 4, 6), 2, ("events", "events"),
        lambda rng: (
            conv(rng, 2, 2, 1, 1, stride=(2, 2)),
            conv(rng, 2, 2, 3, 3, stride=(2, 2), padding=(0, 0, 1, 1)),
        ),
    ),
    "convolution, depthwise and identity": (
        (4, 4, 3), 4, ("events", "masked", "masked"),
        lambda rng: (
            conv(rng, 4, 4, 1, 1),
            conv(rng, 4, 1, 3, 3, padding=(1, 1, 1, 1), groups=4),
            identity(rng, 4),
        ),
    ),
}  # fmt: skip


def conv(rng: np.random.Generator, *shape: int, **options: Any) -> Conv2d:
    return Conv2d(source="input", weights=weights(rng, *shape), **options)


def identity(rng: np.random.Generator, channels: int) -> Identity:
    return Identity(source="input", weights=weights(rng, channels))


@pytest.mark.parametrize("pipeline", ["alternate", "overlap"])
@pytest.mark.parametrize("schedule", ["time", "row"])
@pytest.mark.parametrize("name", JOINS)
def test_all_projections_of_a_layer_add_up(name: str, schedule: str, pipeline: str) -> None:
    shape, lanes, kinds, make = JOINS[name]
    rng = np.random.default_rng(len(name))
    code, kind = ("radix", "radix") if pipeline == "overlap" else ("rate", "single")
    source = Input(shape=shape, timesteps=3, code=code)
    layer = random_layer(rng, source, make(rng), kind, 3)
    plan, *_ = run(
        layer, source, samples=2, stall=(0.4, 0.4), reset_at=(103,), lanes=lanes,
        scanners=2, pipeline=pipeline, schedule=schedule,
    )  # fmt: skip
    assert tuple(feed.kind for feed in plan.feeds) == kinds


def test_equal_taps_share_their_weights() -> None:
    """A global average: one row of weights a channel, whatever the map."""
    rng = np.random.default_rng(4)
    source = Input(shape=(4, 3, 3), timesteps=3)
    taps = np.broadcast_to(weights(rng, 3, 4, 1, 1), (3, 4, 3, 3)).copy()
    layer = random_layer(rng, source, Conv2d(source="input", weights=taps), "radix", 3)
    for schedule in ("time", "row"):
        plan, *_ = run(
            layer, source, samples=4, stall=(0.4, 0.4), lanes=2, scanners=2, schedule=schedule
        )
        (feed,) = plan.feeds
        assert feed.shared_taps
        assert feed.weight_depth == 2 * 2  # two folds, two channels a scanner


@pytest.mark.parametrize("stall", STALLS[::3])
@pytest.mark.parametrize(("inputs", "outputs"), [(1, 1), (1, 7), (23, 1), (40, 11)])
@pytest.mark.parametrize("kind", ["radix", "rate", "readout"])
def test_linear_layers(kind: str, inputs: int, outputs: int, stall: tuple[float, float]) -> None:
    rng = np.random.default_rng(inputs)
    source = Input(shape=(inputs, 1, 1), timesteps=4)
    matrix = weights(rng, outputs, inputs)
    matrix[:, 0] = 17  # so that a single weight drives the neuron up
    layer = random_layer(rng, source, Linear(source="input", weights=matrix), kind, 5)
    run(
        layer, source, samples=6, stall=stall, reset_at=(29,),
        lanes=4, scanners=3, input_width=16 if inputs < 40 else 128,
    )  # fmt: skip


@pytest.mark.parametrize(("lanes", "kind"), [(2, "events"), (3, "masked")])
def test_identity(lanes: int, kind: str) -> None:
    """Masked where each group of lanes is whole words of the source."""
    rng = np.random.default_rng(0)
    source = Input(shape=(3, 2, 3), timesteps=4)
    identity = Identity(source="input", weights=np.array([7, 30, 5], dtype=np.int32))
    plan, *_ = run(
        random_layer(rng, source, identity, "radix", 3), source, lanes=lanes, stall=(0.4, 0.4)
    )
    assert plan.feeds[0].kind == kind


def test_a_spike_costs_a_cycle_and_a_silent_chunk_none() -> None:
    """Busy cycles of a linear layer: a window's spikes, and 1 for a silent last chunk."""
    rng = np.random.default_rng(1)
    source = Input(shape=(96, 1, 1), timesteps=4)
    layer = random_layer(
        rng, source, Linear(source="input", weights=weights(rng, 10, 96)), "radix", 4
    )
    plan, gold, got, busy = run(layer, source, samples=4, lanes=5, input_width=256)
    assert plan.fold == 2
    spikes = gold.trains["input"].reshape(4 * 4, 96)
    assert sum(busy) == 2 * int(spikes.sum() + (spikes[:, 64:].sum(axis=1) == 0).sum())
    # The scanner never waits from its first chunk to its last, over all samples.
    on = np.flatnonzero(busy)
    assert on[-1] - on[0] + 1 == sum(busy)
    # Up to 15 events wait; 10 cycles from a word to its event, 4 to the currents, 8 words of
    # spikes, 4 cycles apart.
    assert got.cycles[-1] - on[-1] < 65
