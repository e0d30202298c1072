"""Leaks in the network: legal ones, the rules they keep, signals that carry them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hwgen.errors import NetworkError
from hwgen.network import DOUBLE, NO_LEAK, Identity, InverseLeak, InverseLeakyNeuron, Readout
from tests.support.broken import (
    CONV,
    FLAT,
    LAST,
    LAYER,
    NEURON,
    POOL,
    ints,
    net,
    neuron,
    weights,
)

LEAK = InverseLeak(n=5, m=3)
LEAKY = replace(NEURON, leak=LEAK)


def test_k():
    assert LEAK.k == 1.625
    assert str(LEAK) == "5/2^3"
    assert not LEAK.doubles
    assert InverseLeak(n=1, m=0) == DOUBLE
    assert (DOUBLE.k, DOUBLE.doubles) == (2.0, True)
    assert InverseLeakyNeuron(threshold=ints(1), timesteps=1).leak == DOUBLE
    assert [leak.numerator for leak in (LEAK, DOUBLE, NO_LEAK)] == [13, 2, 1]


@pytest.mark.parametrize("leak", [LEAK, DOUBLE, InverseLeak(n=1, m=8)])
def test_growth_makes_up_for_the_level_from_the_balance_on(leak):
    level = ints(1, 7, 100).astype(object)
    balance = leak.balance(level)
    assert (leak.grow(balance) - level >= balance).all()
    assert (leak.grow(balance - 1) - level < balance - 1).all()


def test_signals_carry_the_leak_of_their_sender():
    train_types = neuron(LEAKY).train_types
    for name in ("conv", "pool", "flat", "out"):
        assert train_types[name].leak == LEAK
        assert train_types[name].fractional
        assert train_types[name].in_order
        assert train_types[name].q_max == 15
    assert not train_types["input"].fractional
    assert not net().train_types["conv"].fractional


@pytest.mark.parametrize(
    ("leak", "message"),
    [
        (InverseLeak(n=0, m=3), r"conv: leak must be n/2\^m with m from 0 to 8 .* not 0/2\^3"),
        (InverseLeak(n=9, m=3), r"not 9/2\^3"),
        (InverseLeak(n=1, m=9), r"not 1/2\^9"),
        (InverseLeak(n=1, m=-1), r"not 1/2\^-1"),
        (InverseLeak(n=1.0, m=1), r"not 1\.0/2\^1"),
        (InverseLeak(n=2, m=0), r"not 2/2\^0"),
        (
            InverseLeak(n=4, m=3),
            r"conv: leak must be in lowest terms, so halve both parts of 4/2\^3",
        ),
        (InverseLeak(n=8, m=3), r"lowest terms"),
    ],
)
def test_other_leaks_are_refused(leak, message):
    with pytest.raises(NetworkError, match=message):
        neuron(NEURON, leak=leak).verify()


def test_sources_of_a_layer_have_one_leak():
    """The layers that a sum reads differ in k."""
    other = replace(LAYER, name="b", neuron=LEAKY)
    both = tuple(Identity(source=name, weights=weights(3)) for name in ("conv", "b"))
    add = replace(LAYER, name="add", projections=both)
    broken = net(LAYER, other, add, replace(POOL, source="add"), FLAT, LAST)
    with pytest.raises(NetworkError, match=r"add: .* one leak, not k = \[1\.625, 2\.0\]"):
        broken.verify()
    alike = net(replace(LAYER, neuron=LEAKY), other, add, replace(POOL, source="add"), FLAT, LAST)
    assert not alike.train_types["add"].fractional  # its own neuron doubles


@pytest.mark.parametrize(
    ("of", "bits", "message"),
    [
        (NEURON, 1, "out: a readout has frac_bits only where its sources leak by less than 2"),
        (LEAKY, 17, "out: frac_bits must be an integer from 0 to 16, not 17"),
        (LEAKY, 0.5, "out: frac_bits must be an integer from 0 to 16, not 0.5"),
    ],
)
def test_fractional_bits_of_a_read_out(of, bits, message):
    last = replace(LAST, neuron=Readout(frac_bits=bits))
    with pytest.raises(NetworkError, match=message):
        net(replace(LAYER, neuron=of), POOL, FLAT, last).verify()
    legal = replace(LAST, neuron=Readout(frac_bits=9))
    net(replace(LAYER, neuron=LEAKY), POOL, FLAT, legal).verify()


def test_pad_values_of_leaky_sources_are_binary_numbers():
    conv = replace(CONV, source="conv", weights=weights(3, 3, 2, 2), padding=(1, 0, 1, 0))
    inner = replace(LAYER, name="b", projections=(replace(conv, pad_value=ints(15, 0, 9)),))
    nodes = (replace(LAYER, neuron=LEAKY), inner, replace(POOL, source="b"), FLAT, LAST)
    net(*nodes).verify()
    wrong = replace(inner, projections=(replace(conv, pad_value=ints(16, 0, 9)),))
    with pytest.raises(NetworkError, match="pad_value must hold 3 values from 0 to 15"):
        net(nodes[0], wrong, *nodes[2:]).verify()
