"""Testbench that compares a layer processing unit with golden."""

from __future__ import annotations

from typing import Any

import numpy as np

from hwgen import golden
from hwgen.network import (
    Code,
    Input,
    InverseLeakyNeuron,
    Layer,
    Readout,
    SoftResetNeuron,
)
from hwgen.plan.assembly import make_plan
from hwgen.plan.units.layer_constants import layer_constants
from hwgen.plan.units.options import PlanOptions
from hwgen.rtl.layer import LayerUnit
from tests.support.rtl.bench import Bench
from tests.support.rtl.cores import words_of
from tests.support.rtl.layers import fit, network_of
from tests.support.rtl.words import split


def random_layer(
    rng: np.random.Generator, source: Input, projections: Any, kind: str, steps: int
) -> Layer:
    """Layer with one or several ``projections``, its thresholds fitted to random images."""
    if not isinstance(projections, tuple):
        projections = (projections,)
    channels = projections[0].output_shape(source.shape)[0]
    bias = np.zeros(channels, dtype=np.int64)
    if kind == "readout":
        bias += rng.integers(-50, 50, channels)
        return Layer(name="n", projections=projections, bias=bias, neuron=Readout())
    single = kind == "single"
    one = np.ones(channels, dtype=np.int64)
    probe = SoftResetNeuron(threshold=one, timesteps=source.timesteps)
    layer = Layer(name="n", projections=projections, bias=bias, neuron=probe)
    images = rng.integers(0, 256, (20, *source.shape)).astype(np.uint8)
    drive = golden.run(network_of(layer, source), images, trains=True).membranes["n"]
    drive = np.moveaxis(drive, 1, -1) // (source.timesteps if single else 1)
    threshold, bias = fit(rng, drive, 2 if single else Code(kind).q_max(steps))
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
    whole = make_plan(network, PlanOptions(**options))
    plan, arriving = whole.layers[0], whole.encoder.output
    images = np.random.default_rng(3).integers(0, 256, (samples, *source.shape)).astype(np.uint8)
    gold = golden.run(network, images, trains=True)
    constants = layer_constants(network, whole)["n"]
    dut = LayerUnit(plan=plan, constants=constants)
    bench = Bench(dut, seed=samples)
    busy = bench.watch(dut.busy)
    for index in range(len(plan.paths)):
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
