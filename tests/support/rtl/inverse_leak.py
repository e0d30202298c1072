"""Testbench that compares the membrane unit for inverse leaks k < 2 with golden."""

from __future__ import annotations

from typing import Any

import numpy as np

from hwgen.golden.two_phase import accumulate, close, fire
from hwgen.network import (
    DOUBLE,
    Code,
    Identity,
    Input,
    InverseLeak,
    InverseLeakyNeuron,
    Layer,
    Network,
    Readout,
    SoftResetNeuron,
    TimeToFirstSpikeNeuron,
    TrainType,
)
from hwgen.plan.assembly import make_plan
from hwgen.plan.units.layer import LayerPlan
from hwgen.plan.units.layer_constants import neuron_constants
from hwgen.plan.units.options import PlanOptions
from hwgen.rtl.neuron.units import make_membrane_unit
from tests.support.rtl.bench import Bench
from tests.support.rtl.currents import Driven
from tests.support.rtl.layers import network_of, plan_one
from tests.support.rtl.words import groups_of, pixel_words, spike_words

LATENCY = 4
"""Cycles from a grant to the currents of the testbench."""
LEAKS = {
    "3/2": InverseLeak(n=1, m=1),
    "13/8": InverseLeak(n=5, m=3),
    "5/4": InverseLeak(n=1, m=2),
    "205/128": InverseLeak(n=77, m=7),
    "511/256": InverseLeak(n=255, m=8),
    "257/256": InverseLeak(n=1, m=8),
    "radix": DOUBLE,
}


def plan_after(
    layer: Layer, source: Input, source_kind: str, **options: Any
) -> tuple[LayerPlan, TrainType]:
    """Plan of ``layer`` and type of its input; ``source_kind`` is a code or a name in LEAKS."""
    leak = LEAKS.get(source_kind, DOUBLE)
    if leak.doubles:
        return plan_one(layer, source, **options)
    # "input" is a layer here, which fires with that leak.
    channels = source.shape[0]
    ones = np.ones(channels, dtype=np.int64)
    previous = Layer(
        name=source.name,
        projections=(Identity(source="pixels", weights=ones.astype(np.int32)),),
        bias=0 * ones,
        neuron=InverseLeakyNeuron(threshold=ones, timesteps=source.timesteps, leak=leak),
    )
    pixels = Input(shape=source.shape, timesteps=1, name="pixels")
    nodes = network_of(layer, source).nodes
    network = Network(name="n", input=pixels, nodes=(previous, *nodes))
    stage = make_plan(network, PlanOptions(**options)).stages[1]
    assert isinstance(stage, LayerPlan)
    return stage, network.train_types[source.name]


def neuron_of(kind: str, threshold: Any, steps: int, frac_bits: int = 0):
    """Neuron of ``kind``: "rate", "ttfs", "readout", or a name in LEAKS."""
    if kind == "readout":
        return Readout(frac_bits=frac_bits)
    thresholds = np.array(threshold, dtype=np.int64)
    options = {"threshold": thresholds, "timesteps": steps, "threshold_frac_bits": frac_bits}
    if kind in LEAKS:
        return InverseLeakyNeuron(leak=LEAKS[kind], **options)
    return {"rate": SoftResetNeuron, "ttfs": TimeToFirstSpikeNeuron}[kind](**options)


def largest(kind: str, steps: int) -> int:
    """Value of a train of ones, rounded down."""
    if kind not in LEAKS:
        return Code(kind).q_max(steps)
    return int(sum(LEAKS[kind].k ** step for step in range(steps)))


def drive_of(currents: np.ndarray, source_kind: str, frac_bits: int) -> np.ndarray:
    """Membranes after Phase I, in units of 2^−frac_bits."""
    if LEAKS.get(source_kind, DOUBLE).doubles:
        return accumulate(list(currents), source_kind) << frac_bits
    return accumulate(list(currents), "radix", LEAKS[source_kind], frac_bits)


def run(
    layer: Layer,
    source: Input,
    currents: np.ndarray,
    source_kind: str,
    *,
    stall: tuple[float, float] = (0.0, 0.0),
    reset_at: tuple[int, ...] = (),
    **options: Any,
):
    """Compare the unit with golden for ``currents`` (T1, samples, height, width, channels)."""
    plan, source_type = plan_after(layer, source, source_kind, **options)
    assert plan.fractional
    if plan.passes > 1:  # each row is a pass of its own
        steps, _, _, width, fan_out = currents.shape
        currents = currents.reshape(steps, -1, 1, width, fan_out)
    dut = Driven(
        make_membrane_unit(plan=plan, constants=neuron_constants(layer, source_type)),
        plan,
        latency=LATENCY,
    )
    bench = Bench(dut, seed=plan.membrane_depth)
    readout = isinstance(layer.neuron, Readout)
    bits = layer.neuron.frac_bits
    closed = close(drive_of(currents, source_kind, bits), layer, fractional=True)
    if readout:
        groups = groups_of(plan.fan_out, plan.membrane_lanes)
        words = pixel_words(closed, groups, plan.membrane_width)
        # Ignore unused lanes.
        masks = pixel_words(0 * closed[:1] - 1, groups, plan.membrane_width)

        def read(word: int) -> int:
            return word & masks[len(got.cycles) % len(masks)]
    else:
        words, read = spike_words(fire(closed, layer.neuron), plan.membrane_lanes), int
    groups = groups_of(plan.fan_out, plan.lanes)
    current_words = pixel_words(np.moveaxis(currents, 1, 0), groups, plan.current_width)
    sent = bench.send(dut.currents, current_words, stall=stall[0])
    got = bench.expect(dut.words, words, stall=stall[1], read=read, name="words")
    bench.run(reset_at=reset_at)
    return plan, sent, got
