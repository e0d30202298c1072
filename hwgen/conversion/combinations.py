"""Legal combinations of neuron, input code and decoder; :data:`LEGAL` is their only home.

A two-phase neuron decodes the whole train before it fires, so it takes any code. A single-phase
neuron fires in the timestep in which it integrates, so its input must be a rate train (address
events are one) or a constant current (direct input). Spike counts and the spiking softmax read rate
trains; first spikes are those of ttfs trains.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from hwgen.conversion.choices import DecoderKind, NeuronKind
from hwgen.errors import ConversionError


@dataclass(frozen=True, kw_only=True)
class Row:
    """Neurons that go with each of these input codes and each of these decoders.

    The first input code is the default.
    """

    neurons: tuple[NeuronKind, ...]
    inputs: tuple[str, ...]
    decoders: tuple[DecoderKind, ...]


_MEMBRANE, _SOFTMAX = DecoderKind.MEMBRANE, DecoderKind.SOFTMAX
LEGAL = (
    Row(
        neurons=(NeuronKind.ILIF,),
        inputs=("radix", "rate", "ttfs", "poisson", "events"),
        decoders=(_MEMBRANE,),
    ),
    Row(
        neurons=(NeuronKind.IF2,),
        inputs=("rate", "radix", "ttfs", "poisson", "events"),
        decoders=(_MEMBRANE, DecoderKind.SPIKE_COUNT, _SOFTMAX),
    ),
    Row(
        neurons=(NeuronKind.IF, NeuronKind.IF_HARD),
        inputs=("rate", "poisson", "direct", "events"),
        decoders=(_MEMBRANE, DecoderKind.SPIKE_COUNT, _SOFTMAX),
    ),
    Row(
        neurons=(NeuronKind.TTFS,),
        inputs=("ttfs", "radix", "rate", "poisson", "events"),
        decoders=(_MEMBRANE, DecoderKind.FIRST_SPIKE),
    ),
)
INPUT_CODES = ("radix", "rate", "ttfs", "poisson", "direct", "events")
"""Every input code of some row: the words of :class:`hwgen.network.Input`, without NumPy."""


def legal_combinations() -> Iterator[tuple[NeuronKind, str, DecoderKind]]:
    """Every legal (neuron, input code, decoder)."""
    for row in LEGAL:
        for neuron in row.neurons:
            for code in row.inputs:
                for decoder in row.decoders:
                    yield neuron, code, decoder


def default_input(neuron: NeuronKind) -> str:
    """Input code of ``neuron`` unless the user chooses another."""
    return next(row.inputs[0] for row in LEGAL if neuron in row.neurons)


def require_legal(neuron: NeuronKind, code: str, decoder: DecoderKind) -> None:
    """Raise :class:`.ConversionError`, whose message lists the legal alternatives."""
    code = str(code)  # for messages
    legal = list(legal_combinations())
    if (neuron, code, decoder) in legal:
        return
    what, reason = f"input code {code!r}", "a single-phase neuron fires as it integrates"
    if not any((neuron, decoder) == (n, d) for n, _, d in legal):
        what, reason = f"decoder {decoder!r}", decoder.reads
    elif code == "direct":
        reason = "direct input is a constant current, but a two-phase neuron decodes trains"
    remedies = [
        f"{kind} {_any_of(found)}"
        for kind, found in (
            ("decoder", [d for n, c, d in legal if (n, c) == (neuron, code)]),
            ("input code", [c for n, c, d in legal if (n, d) == (neuron, decoder)]),
            ("neuron", [n for n, c, d in legal if (c, d) == (code, decoder)]),
        )
        if found
    ]
    raise ConversionError(
        f"neuron {neuron!r} with {what} is not a legal combination: {reason}; "
        f"use {', or '.join(remedies)}"
    )


def _any_of(names: Iterable[str]) -> str:
    return " or ".join(repr(name) for name in dict.fromkeys(names))
