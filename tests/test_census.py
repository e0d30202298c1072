"""The random networks that go through RTL hold every neuron, code, pool and decoder often enough.

A neuron that no seed draws any more would never be compared with golden, and no test would fail.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import starmap

from hwgen.network import (
    Identity,
    InverseLeakyNeuron,
    Layer,
    MaxPool2d,
    Network,
    Readout,
    SoftResetNeuron,
    TimeToFirstSpikeNeuron,
)
from tests.rtl import (
    test_decoders,
    test_feedback_networks,
    test_inverse_leak_networks,
    test_networks,
)
from tests.simulation import test_cosim, test_cosim_decoders, test_cosim_inputs
from tests.support.joined import adds_unlike_trains

LEAST = 10
EXPECTED = {
    "input radix", "input rate", "input poisson", "input ttfs", "input direct", "input events",
    "inverse leaky, k = 2", "inverse leaky, k < 2", "soft reset, two phases",
    "soft reset, single phase", "hard reset", "time to first spike",
    "max-pool of radix", "max-pool of rate, ones first", "max-pool by spike count",
    "max-pool of ttfs",
    "sum of trains of several lengths",
    "membrane", "softmax", "spike_count", "first_spike",
}  # fmt: skip


def networks() -> Iterator[Network]:
    """Those that the tests named above compare with golden, word by word."""
    yield from map(test_networks.network_of, [*test_networks.SEEDS, *test_networks.FIRST_SPIKES])
    yield from map(test_inverse_leak_networks.network_of, test_inverse_leak_networks.SEEDS)
    yield from map(test_feedback_networks.network_of, test_feedback_networks.SEEDS)
    yield from starmap(test_decoders.network_of, test_decoders.BOTH)
    yield from map(test_cosim.network_of, test_cosim.SEEDS)
    yield from starmap(test_cosim_decoders.network_of, test_cosim_decoders.CASES)
    yield from starmap(test_cosim_inputs.network_of, test_cosim_inputs.CASES)


def neuron_of(layer: Layer) -> str:
    match layer.neuron:
        case InverseLeakyNeuron(leak=leak):
            return f"inverse leaky, k {'=' if leak.doubles else '<'} 2"
        case SoftResetNeuron(two_phase=True):
            return "soft reset, two phases"
        case SoftResetNeuron():
            return "soft reset, single phase"
        case TimeToFirstSpikeNeuron():
            return "time to first spike"
        case _:
            return "hard reset"


def decoder_of(network: Network) -> str:
    readout = network.readout
    if not isinstance(readout.neuron, Readout):
        return "softmax"
    [source] = (node for node in network.nodes if node.name == readout.sources[0])
    if not isinstance(readout.projections[0], Identity) or not isinstance(source, Layer):
        return "membrane"
    first = isinstance(source.neuron, TimeToFirstSpikeNeuron)
    return "first_spike" if first else "spike_count"


def parts_of(network: Network) -> set[str]:
    train_types = network.train_types
    parts = {f"input {network.input.code}", decoder_of(network)}
    if adds_unlike_trains(network):
        parts.add("sum of trains of several lengths")
    for node in network.nodes:
        if isinstance(node, MaxPool2d):
            given = train_types[node.source]
            code = "rate, ones first" if given.code == "rate" else given.code
            parts.add(f"max-pool of {code}" if given.in_order else "max-pool by spike count")
        elif isinstance(node, Layer) and node is not network.readout:
            parts.add(neuron_of(node))
    return parts


def test_ten_random_networks_or_more_hold_each() -> None:
    found = Counter(part for network in networks() for part in parts_of(network))
    assert set(found) == EXPECTED
    assert not {part: count for part, count in found.items() if count < LEAST}
