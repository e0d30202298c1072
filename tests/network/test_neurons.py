"""Facts that neurons and codes tell the other stages, against sums and steps written out."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.network import (
    DOUBLE,
    NO_LEAK,
    Code,
    HardResetNeuron,
    Input,
    InputCode,
    InverseLeak,
    InverseLeakyNeuron,
    JoinedTrains,
    Readout,
    SoftmaxReadout,
    SoftResetNeuron,
    TimeToFirstSpikeNeuron,
    TrainType,
    exponentials,
)
from tests.support.broken import net
from tests.support.tiny import ints

HALF = InverseLeak(n=1, m=1)


def test_codes_are_words_and_enums() -> None:
    assert Code.RADIX == "radix"
    assert f"{Code.TTFS}" == "ttfs"
    assert [code.max_timesteps for code in Code] == [16, 1024, 1024]
    assert [code.train_code for code in InputCode] == [
        Code.RADIX, Code.RATE, Code.TTFS, Code.RATE, Code.RATE, Code.RATE
    ]  # fmt: skip
    assert Input(shape=(1, 1, 1), timesteps=2, code="poisson").code is InputCode.POISSON
    assert TrainType(shape=(1, 1, 1), code="rate", timesteps=2).code is Code.RATE


def test_growth_is_the_same_for_ints_and_arrays() -> None:
    values = [-7, -1, 0, 1, 6, 1 << 70]
    grown = [value + (value * 5 // 8) for value in values]
    leak = InverseLeak(n=5, m=3)
    assert [leak.grow(value) for value in values] == grown
    assert leak.grow(np.array(values, dtype=object)).tolist() == grown
    assert leak.grow(np.array(values[:-1])).tolist() == grown[:-1]
    assert [NO_LEAK.grow(9), DOUBLE.grow(9), NO_LEAK.k, DOUBLE.k] == [9, 18, 1, 2]
    assert [one.rounds for one in (NO_LEAK, DOUBLE, leak)] == [False, False, True]
    assert [one.doubles for one in (NO_LEAK, DOUBLE, leak)] == [False, True, False]


@pytest.mark.parametrize("code", ["rate", "ttfs"])
def test_only_radix_trains_leak(code: str) -> None:
    assert TrainType(shape=(1, 1, 1), code=code, timesteps=2, leak=HALF).leak == NO_LEAK
    assert TrainType(shape=(1, 1, 1), code="radix", timesteps=2).leak == DOUBLE


@pytest.mark.parametrize("leak", [DOUBLE, HALF, InverseLeak(n=3, m=2)])
def test_what_the_same_current_accumulates_to(leak: InverseLeak) -> None:
    given = TrainType(shape=(2, 1, 1), code="radix", timesteps=4, leak=leak)
    membrane = [0, 0]
    for _ in range(4):
        membrane = [v + (v * leak.n >> leak.m) + i for v, i in zip(membrane, (5, -3))]
    assert (
        JoinedTrains((given,)).accumulated([np.array([5, -3], dtype=object)]).tolist() == membrane
    )


NEURONS = [
    InverseLeakyNeuron(threshold=ints(3, 10), timesteps=4),
    InverseLeakyNeuron(threshold=ints(3, 10), timesteps=4, leak=HALF),
    InverseLeakyNeuron(threshold=ints(3, 10), timesteps=1, leak=InverseLeak(n=7, m=4)),
    SoftResetNeuron(threshold=ints(3, 10), timesteps=5),
    TimeToFirstSpikeNeuron(threshold=ints(3, 10), timesteps=6),
]


@pytest.mark.parametrize("neuron", NEURONS, ids=lambda neuron: type(neuron).__name__)
@pytest.mark.parametrize("bias", [-4, 0, 9])
def test_firing_constants_fire_the_same_spikes(neuron: object, bias: int) -> None:
    """R = L(V) + c;  y = R ≥ 0;  R + restored without a spike: clamped membranes only."""
    from hwgen.golden.two_phase import fire

    constants = neuron.firing_constants(ints(bias, bias))
    for channel in range(2):
        for start in range(int(neuron.clamp[channel]) + 1):
            want = fire(np.full((1, 2), start), neuron)[:, 0, channel].tolist()
            membrane, train = start - bias, []
            for step in range(neuron.timesteps):
                added = constants.first if step == 0 else constants.later
                membrane = (membrane if step == 0 else neuron.leak.grow(membrane)) + added[channel]
                train.append(int(membrane >= 0))
                membrane += 0 if train[-1] else constants.restored[channel]
            if neuron.code is Code.TTFS:  # the spike stands where the sign turns
                train = [one - before for one, before in zip(train, [0, *train])]
            assert train == want


@pytest.mark.parametrize("floor", [None, -4])
@pytest.mark.parametrize("kind", ["soft", "hard", "hard, restart", "softmax"])
def test_step_ranges_hold_every_number_and_are_reached(kind: str, floor: int | None) -> None:
    low, high, steps = -3, 5, 4
    ends = {"threshold": ints(7), "timesteps": steps, "initial": ints(2)}
    ends["floor"] = None if floor is None else ints(floor)
    if kind == "softmax":
        neuron = SoftmaxReadout(timesteps=steps, shift=0, table=exponentials(1.0))
    elif kind == "soft":
        neuron = SoftResetNeuron(two_phase=False, **ends)
    else:
        neuron = HardResetNeuron(reset=ints(-2) if "restart" in kind else None, **ends)
    found = neuron.step_range(np.array([low], dtype=object), np.array([high], dtype=object))
    seen = set()

    def step(membrane: int, left: int) -> None:
        for added in (low, high) if left else ():
            total = membrane + added
            if kind == "softmax":
                seen.add(total)
                step(total, left - 1)
                continue
            lifted = total if floor is None else max(total, floor)
            seen.update((total, lifted, lifted - 7))
            after = lifted
            if lifted >= 7:
                after = lifted - 7 if neuron.restart is None else int(neuron.restart[0])
            step(after, left - 1)

    step(0 if kind == "softmax" else 2, steps)
    assert found[0] <= min(seen)
    assert max(seen) <= found[1]
    if kind == "softmax":
        assert found == (min(seen), max(seen))


def test_a_membrane_is_below_its_floor_before_it_is_lifted() -> None:
    """From V_min = −4 a current of −30 takes it to −34, and only then it becomes −4 again."""
    neuron = SoftResetNeuron(two_phase=False, threshold=ints(1), timesteps=8, floor=ints(-4))
    low, high = (np.array([value], dtype=object) for value in (-30, 5))
    assert -34 - 1 <= neuron.step_range(low, high)[0] <= -34


def test_facts_of_each_kind() -> None:
    softmax = SoftmaxReadout(timesteps=3, shift=0, table=exponentials(1.0))
    hard = HardResetNeuron(threshold=ints(5), timesteps=3)
    single = SoftResetNeuron(threshold=ints(5), timesteps=3, two_phase=False)
    facts = {
        neuron: (neuron.two_phase, neuron.is_decoder, neuron.closed_form, neuron.timesteps)
        for neuron in (*NEURONS, hard, single, Readout(frac_bits=3), softmax)
    }
    assert list(facts.values()) == [
        (True, False, True, 4),
        (True, False, False, 4),
        (True, False, False, 1),
        (True, False, True, 5),
        (True, False, True, 6),
        (False, False, False, 3),
        (False, False, False, 3),
        (True, True, True, 1),
        (False, True, False, 3),
    ]
    assert Readout(frac_bits=3).frac_bits == 3
    assert hard.restart.tolist() == [0]
    assert single.restart is None
    with pytest.raises(NotImplementedError, match="SoftmaxReadout has no firing phase"):
        softmax.firing_constants(ints(1))
    with pytest.raises(NotImplementedError, match="Readout does not fire as it integrates"):
        Readout().step_range(ints(1), ints(1))


def test_summary_and_short_representations() -> None:
    """All taps of the convolution are equal, so that 3·2 of its 24 weights are stored."""
    network = net()
    assert str(network.summary()).splitlines() == [
        "layer  shape  neuron              T  weights  thresholds",
        "conv   3×3×4  InverseLeakyNeuron  4        6  1 … 3",
        "out    3×1×1  Readout                     18",
    ]
    assert repr(network.summary()) == str(network.summary())
    assert repr(network) == "<Network 'net': 2×4×5 radix input, 2 layers, 3 classes>"
    assert repr(network["conv"]) == "<Layer 'conv': InverseLeakyNeuron of 3 channels, from input>"
    assert network.train_types is network.train_types
