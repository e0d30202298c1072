"""The rules of a network: one tiny bad network for each message, and what legal ones give."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from hwgen.errors import HwgenError, NetworkError
from hwgen.network import Identity, Layer, Readout, SoftmaxReadout
from tests.support.broken import (
    CONV,
    FLAT,
    INPUT,
    LAST,
    LAYER,
    LINEAR,
    NEURON,
    POOL,
    SOFT,
    conv,
    identity,
    ints,
    linear,
    net,
    neuron,
    pool,
    single,
    softmax,
    source,
    two_projections,
    weights,
)

BAD = {
    # names and ends
    "no network name": (net(name=""), "names that are not empty, not ''"),
    "no input name": (source(name=""), "names that are not empty, not ''"),
    "no nodes": (replace(net(), nodes=()), "net: a network needs at least one layer"),
    "name twice": (net(LAYER, LAYER), r"net\.conv: node names must be unique and not empty"),
    "name of input": (net(replace(LAYER, name="input")), r"net\.input: node names must be unique"),
    "empty name": (net(replace(LAYER, name="")), r"net\.: node names must be unique and not empty"),
    "unknown source": (
        conv(source="nowhere"),
        r"net\.conv: source 'nowhere' must be an earlier node; available: input",
    ),
    "later source": (
        net(POOL, LAYER),
        r"net\.pool: source 'conv' must be an earlier node; available: input",
    ),
    "unknown node": (
        net(SimpleNamespace(name="x", sources=("input",))),
        r"net\.x: unknown kind of node SimpleNamespace",
    ),
    "last node": (net(LAYER), r"net\.conv: the last node must be a layer with a Readout"),
    "last pool": (net(LAYER, POOL), r"net\.pool: the last node must be a layer with a Readout"),
    "early readout": (
        net(
            LAYER, POOL, FLAT, LAST,
            replace(LAST, name="o2", projections=(replace(LINEAR, source="out",
                    weights=weights(3, 3)),)),
        ),
        r"net\.out: only the last layer may be a Readout",
    ),
    "unread": (
        net(LAYER, replace(LAYER, name="b"), replace(LAYER, name="a"), POOL, FLAT, LAST),
        "net: nothing reads the output of a, b",
    ),
    # input
    "two axes": (source(shape=(4, 5)), "input: shape must be .*all positive, not"),
    "no rows": (source(shape=(2, 0, 5)), "input: shape must be .*all positive, not"),
    "float shape": (source(shape=(2, 4.0, 5)), "input: shape must be"),
    "code": (source(code="morse"), "input: code must be one of .*rate, ttfs.*, not 'morse'"),
    "no steps": (source(timesteps=0), "input: timesteps must be an integer from 1 to 16, not 0"),
    "long": (source(timesteps=17), "input: timesteps must be an integer from 1 to 16, not 17"),
    "long rate": (source(code="rate", timesteps=1025), "from 1 to 1024, not 1025, in a rate train"),
    "float steps": (source(timesteps=4.0), "input: timesteps must be an integer"),
    "no pixel bits": (source(pixel_bits=0), "pixel_bits must be an integer from 1 to 16, not 0"),
    "pixel bits": (source(pixel_bits=17), "pixel_bits must be an integer from 1 to 16, not 17"),
    # convolution
    "float weights": (
        conv(weights=np.ones((3, 2, 2, 2))),
        r"net\.conv: weights must be a signed integer array, not dtype\('float64'\)",
    ),
    "unsigned": (conv(weights=np.ones((3, 2, 2, 2), np.uint8)), "must be a signed integer array"),
    "list": (conv(weights=[[1]]), r"must be a signed integer array, not \[\[1\]\]"),
    "axes": (conv(weights=weights(3, 2)), r"weights must have 4 axes, not \(3, 2\)"),
    "empty": (conv(weights=weights(3, 2, 0, 2)), r"weights is empty, shape \(3, 2, 0, 2\)"),
    "wide": (
        conv(weights=weights(3, 2, 2, 2) << 15),
        "weights must fit 16 bits, but spans 32768 … 32768",
    ),
    "narrow": (conv(weights=weights(3, 2, 2, 2) * -32769), "must fit 16 bits, but spans -32769"),
    "channels": (
        conv(weights=weights(3, 1, 2, 2)),
        r"weights \(3, 1, 2, 2\) with groups=1 do not fit 2 input channels of 'input'",
    ),
    "groups": (conv(weights=weights(3, 1, 2, 2), groups=2), "with groups=2 do not fit 2 input"),
    "no groups": (conv(groups=0), "with groups=0 do not fit"),
    "stride": (conv(stride=(0, 1)), r"stride must be two positive integers, not \(0, 1\)"),
    "padding": (
        conv(padding=(0, 0, 2, 0)),
        r"padding \(0, 0, 2, 0\) must be at least 0 and less than the kernel \(2, 2\)",
    ),
    "negative padding": (conv(padding=(-1, 0, 0, 0)), "must be at least 0"),
    "kernel": (
        conv(weights=weights(3, 2, 5, 2)),
        "the 5×2 kernel does not fit the 4×5 map of 'input' with padding",
    ),
    "pad length": (conv(pad_value=ints(1)), "pad_value must hold 2 values from 0 to 15, not"),
    "pad range": (conv(pad_value=ints(1, 16)), "pad_value must hold 2 values from 0 to 15, not"),
    "pad sign": (conv(pad_value=ints(-1, 1)), "pad_value must hold 2 values from 0 to 15, not"),
    "pad type": (conv(pad_value=np.ones(2)), "pad_value must be a signed integer array"),
    # linear, identity
    "not flat": (
        linear(source="pool"),
        r"net\.out: a linear projection needs a flattened source, but 'pool' has shape "
        r"\(3, 1, 2\); put a Flatten between",
    ),
    "linear size": (
        linear(weights=weights(3, 5)),
        r"weights \(3, 5\) do not fit 6 inputs of 'flat'",
    ),
    "linear axes": (linear(weights=weights(3)), "weights must have 2 axes"),
    "identity size": (identity(2), "2 weights do not fit 3 channels of 'conv'"),
    # layer
    "no projections": (
        net(replace(LAYER, projections=())),
        r"net\.conv: a layer needs at least one projection",
    ),
    "two shapes": (
        two_projections(CONV, replace(CONV, stride=(2, 1))),
        r"projections give different shapes \[\(3, 2, 4\), \(3, 3, 4\)\]",
    ),
    "two codes": (
        net(
            replace(LAYER, name="a", neuron=SOFT),
            replace(LAYER, name="b"),
            Layer(
                name="conv",
                projections=tuple(Identity(source=s, weights=weights(3)) for s in "ab"),
                bias=ints(0, 0, 0),
                neuron=NEURON,
            ),
            POOL, FLAT, LAST,
        ),
        r"net\.conv: all projections must bring trains of one code, not radix, rate",
    ),
    "two lengths in a single phase": (
        net(
            replace(LAYER, name="a", neuron=SOFT),
            replace(LAYER, name="b", neuron=replace(SOFT, timesteps=5)),
            Layer(
                name="conv",
                projections=tuple(Identity(source=s, weights=weights(3)) for s in "ab"),
                bias=ints(0, 0, 0),
                neuron=replace(SOFT, timesteps=5, two_phase=False),
            ),
            POOL, FLAT, LAST,
        ),
        r"net\.conv: trains of 4 and 5 timesteps add up only in two-phase neurons, .* give all "
        r"sources of a single-phase neuron the same timesteps",
    ),
    "bias size": (
        net(replace(LAYER, bias=ints(0, 0)), POOL, FLAT, LAST),
        "2 biases do not fit 3 channels",
    ),
    "bias type": (
        net(replace(LAYER, bias=np.zeros(3)), POOL, FLAT, LAST),
        "bias must be a signed integer array",
    ),
    "bias range": (
        net(replace(LAYER, bias=ints(0, 0, 1 << 47)), POOL, FLAT, LAST),
        "bias must fit 48 bits",
    ),
    "readout map": (
        net(replace(LAYER, neuron=Readout())),
        "the readout must give one value per class, but its map is 3×4; flatten before it",
    ),
    # neurons
    "threshold": (
        neuron(threshold=ints(1, 0, 3)),
        "threshold must be at least 1, not 0; convert with more weight bits or more",
    ),
    "negative": (neuron(threshold=ints(1, -7, 3)), "threshold must be at least 1, not -7"),
    "thresholds": (neuron(threshold=ints(1)), "1 thresholds do not fit 3 channels"),
    "threshold type": (neuron(threshold=np.ones(3)), "threshold must be a signed integer array"),
    "threshold range": (neuron(threshold=ints(1, 1, 1 << 47)), "threshold must fit 48 bits"),
    "neuron steps": (neuron(timesteps=17), r"net\.conv: timesteps must be an integer from 1 to 16"),
    "fraction": (
        neuron(threshold_frac_bits=17),
        "threshold_frac_bits must be an integer from 0 to 16, not 17",
    ),
    "soft fraction": (neuron(SOFT, threshold_frac_bits=-1), "from 0 to 16, not -1"),
    "single fraction": (
        single(threshold_frac_bits=1),
        "a single-phase neuron has no threshold_frac_bits; scale its weights",
    ),
    "single on radix": (
        single(code="radix"),
        "its input must be a rate train of 4 steps, not radix of 4",
    ),
    "direct length": (
        single(code="direct", timesteps=3),
        "must be a rate train of 4 steps, not direct of 3",
    ),
    "direct in two phases": (
        source(code="direct"),
        r"net\.conv: a InverseLeakyNeuron accumulates trains .* let a single-phase "
        "SoftResetNeuron or HardResetNeuron of 4 timesteps read it",
    ),
    "direct steps": (source(code="direct", timesteps=1025), "integer from 1 to 1024, not 1025"),
    "bits of events": (source(code="events"), "an event is one bit, .* must be 1, not 8"),
    "probe of events": (
        net(
            input=replace(INPUT, code="events", pixel_bits=1),
            probe=np.zeros((1, 2, 4, 5), np.uint8),
        ),
        r"images of shape \(images, 4, 2, 4, 5\), not uint8 \(1, 2, 4, 5\)",
    ),
    "single length": (single(timesteps=3), "must be a rate train of 4 steps, not rate of 3"),
    "initial of two": (
        neuron(SOFT, initial=ints(0, 0, 0)),
        "a two-phase neuron has no initial membrane",
    ),
    "initial size": (single(initial=ints(0)), "initial must hold 3 values from 0 to threshold − 1"),
    "initial high": (single(initial=ints(0, 0, 4)), "initial must hold 3 values from 0 to"),
    "initial low": (single(initial=ints(0, 0, -1)), "initial must hold 3 values from 0 to"),
    "initial type": (single(initial=np.zeros(3)), "initial must be a signed integer array"),
    # spiking softmax
    "softmax on radix": (
        softmax(code="radix"),
        r"net\.out: a spiking softmax draws in the step it integrates, so its input must be a rate "
        r"train of 4 steps, not radix of 4",
    ),
    "softmax length": (softmax(steps=5), "a rate train of 4 steps, not rate of 5"),
    "softmax steps": (softmax(timesteps=1025), "timesteps must be an integer from 1 to 1024"),
    "shift": (softmax(shift=63), r"net\.out: shift must be an integer from 0 to 62, not 63"),
    "random bits": (softmax(random_bits=17), "random_bits must be an integer from 1 to 16, not 17"),
    "seed": (softmax(seed=0), "seed must be an integer from 1 to 4294967295, not 0"),
    "table type": (softmax(table=np.ones(3)), "table must be a signed integer array"),
    "table range": (softmax(table=ints(65536, 0)), "table must fit 17 bits, but spans 0 … 65536"),
    "long table": (softmax(table=ints(*[1] * 257)), "must have at most 256 entries, not 257"),
    "rising table": (softmax(table=ints(5, 6)), "must start above 0 and never rise or fall below"),
    "table of nothing": (softmax(table=ints(0)), "must start above 0 and never rise or fall below"),
    "negative table": (softmax(table=ints(5, -1)), "must start above 0 and never rise or fall"),
    "softmax within": (
        net(replace(LAYER, neuron=SoftmaxReadout(timesteps=4, shift=0, table=ints(1)))),
        "the readout must give one value per class, but its map is 3×4; flatten before it",
    ),
    # pool
    "pool kernel": (pool(kernel=(0, 2)), r"net\.pool: kernel and stride must be positive"),
    "pool stride": (pool(stride=(2, 0)), "kernel and stride must be positive"),
    "pool padding": (pool(padding=(2, 0, 0, 0)), "must be at least 0 and less than the kernel"),
    "pool size": (pool(kernel=(4, 2)), "the 4×2 window does not fit the 3×4 map of 'conv'"),
    # probe
    "probe type": (net(probe=np.zeros((1, 2, 4, 5))), r"net\.probe: must be unsigned integer"),
    "probe shape": (
        net(probe=np.zeros((1, 4, 5, 2), np.uint8)),
        r"images of shape \(images, 2, 4, 5\), not uint8 \(1, 4, 5, 2\)",
    ),
    "no probe": (net(probe=np.zeros((0, 2, 4, 5), np.uint8)), r"net\.probe: must be"),
    "probe range": (
        net(probe=np.full((1, 2, 4, 5), 256, np.uint16)),
        r"net\.probe: pixels must fit 8 bits, not 256",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("network", "message"), BAD.values(), ids=BAD.keys())
def test_each_rule_is_kept(network, message):
    with pytest.raises(NetworkError, match=message) as caught:
        network.verify()
    assert isinstance(caught.value, HwgenError)
    assert caught.value.exit_code == 2
