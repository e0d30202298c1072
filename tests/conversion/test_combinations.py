"""Every combination of neuron, input code and decoder works or is rejected."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import numpy as np
import pytest

from hwgen import golden
from hwgen.conversion import DecoderKind, NeuronKind, legal_combinations
from hwgen.conversion.combinations import INPUT_CODES
from hwgen.errors import ConversionError
from hwgen.network import Identity, InputCode, SoftmaxReadout
from hwgen.plan.assembly import make_plan
from hwgen.plan.timing.predict import predict
from hwgen.plan.units.options import PlanOptions
from tests.support.combined import STEPS, converted, images_for
from tests.support.rotation import rotating
from tests.support.rtl.cores import CoreBench

EVERY = list(itertools.product(NeuronKind, INPUT_CODES, DecoderKind))
LEGAL = list(legal_combinations())

# Independent tables: codes that each neuron can read, and decoders for each code.
INPUTS = {
    "ilif": {"radix", "rate", "ttfs", "poisson", "events"},
    "if2": {"radix", "rate", "ttfs", "poisson", "events"},
    "ttfs": {"radix", "rate", "ttfs", "poisson", "events"},
    "if": {"rate", "poisson", "direct", "events"},
    "if_hard": {"rate", "poisson", "direct", "events"},
}
READS = {
    "radix": {"membrane"},
    "rate": {"membrane", "spike_count", "softmax"},
    "ttfs": {"membrane", "first_spike"},
}


def is_legal(neuron: str, code: str, decoder: str) -> bool:
    return code in INPUTS[neuron] and decoder in READS[NeuronKind(neuron).code]


def test_the_legal_combinations_follow_from_the_codes() -> None:
    assert set(LEGAL) == {names for names in EVERY if is_legal(*names)}
    assert len(LEGAL) == len(set(LEGAL)) == 54
    assert len(EVERY) == 120
    assert list(INPUT_CODES) == list(InputCode)


@pytest.mark.parametrize(("neuron", "code", "decoder"), LEGAL)
def test_legal_combinations_convert_and_run(neuron: str, code: str, decoder: str) -> None:
    network = converted(neuron, code, decoder)
    assert network.input.code == code
    assert isinstance(network.readout.neuron, SoftmaxReadout) == (decoder == "softmax")
    counts = decoder in ("spike_count", "first_spike")
    assert isinstance(network.readout.projections[0], Identity) == counts
    result = golden.run(network, images_for(code), trains=True)
    if counts:
        train = result.trains["6"][..., 0, 0]
        expected = train.sum(axis=1)
        if decoder == "first_spike":
            first = np.where(train.any(axis=1), train.argmax(axis=1), STEPS)
            expected = STEPS - first
        np.testing.assert_array_equal(result.logits, expected)
    assert np.ptp(result.logits) > 0
    np.testing.assert_array_equal(golden.run(network, images_for(code)).logits, result.logits)


@pytest.mark.parametrize(
    ("neuron", "code", "decoder"), [names for names in EVERY if names not in LEGAL]
)
def test_illegal_combinations_name_a_remedy_that_works(
    neuron: str, code: str, decoder: str
) -> None:
    """Each name that the message offers makes the rest of the combination legal."""
    with pytest.raises(ConversionError, match="is not a legal combination: ") as caught:
        converted(neuron, code, decoder)
    for kind, legal in remedies(str(caught.value)):
        names = {"neuron": neuron, "input code": code, "decoder": decoder}
        assert is_legal(*{**names, kind: legal}.values()), (kind, legal)
    chosen = {"neuron": neuron, "input code": code, "decoder": decoder}
    values = {"neuron": NeuronKind, "input code": INPUT_CODES, "decoder": DecoderKind}
    expected = {
        (kind, name)
        for kind, names in values.items()
        for name in names
        if is_legal(*{**chosen, kind: name}.values())
    }
    assert set(remedies(str(caught.value))) == expected


def remedies(message: str) -> Iterator[tuple[str, str]]:
    _, _, offered = message.partition("; use ")
    for kind, names in re.findall(r"(decoder|input code|neuron) ((?:'[\w-]+'(?: or )?)+)", offered):
        for name in re.findall(r"'([\w-]+)'", names):
            yield kind, name


SAMPLED = [LEGAL[n] for n in np.random.default_rng(12).permutation(len(LEGAL))[:12]]


@pytest.mark.parametrize(("neuron", "code", "decoder"), rotating(SAMPLED))
def test_a_dozen_combinations_as_hardware(neuron: str, code: str, decoder: str) -> None:
    """Every word of every stream, and the cycle of every class."""
    network = converted(neuron, code, decoder, weight_bits=5)
    odd = SAMPLED.index((neuron, code, decoder)) % 2
    schedule = "time" if odd or code == "events" else "row"
    plan = make_plan(network, PlanOptions(schedule=schedule, counters=False))
    bench = CoreBench(plan, network, images_for(code)[:2])
    prediction = predict(plan, bench.trains)
    bench.run()
    start = bench.sample_cycles[0]
    assert [cycle - start for cycle in bench.result_cycles] == list(prediction.result_cycles)


def test_all_decoders_are_among_the_dozen() -> None:
    assert {decoder for _, _, decoder in SAMPLED} == set(DecoderKind)
