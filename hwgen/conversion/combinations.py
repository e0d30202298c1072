"""Which neurons, input codes and output decoders go together: the one place that says it.

A two-phase neuron decodes whatever train comes in before it fires; a single-phase one fires in the
step it integrates, so its input must be a rate train, too, or a constant current (direct input).
Address events make rate trains. Decoders read the trains of the last
neurons: counts and a spiking softmax are of rate trains, first spikes of ttfs trains.

A new code or decoder is a name in a row, and a line in :data:`READS`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hwgen.errors import ConversionError

DECODERS = {
    "membrane": "the last layer's membranes, which do not fire",
    "spike_count": "the last layer fires; its spikes are counted",
    "first_spike": "the last layer fires; the first spike wins",
    "softmax": "classes spike by the softmax of their membranes in every timestep; counted",
}
"""And what each reads."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """Neurons that may have any of these input codes with any of these decoders.

    The first input code is the usual one.
    """

    neurons: tuple[str, ...]
    inputs: tuple[str, ...]
    decoders: tuple[str, ...]


LEGAL = (
    Row(
        neurons=("ilif",),
        inputs=("radix", "rate", "ttfs", "poisson", "events"),
        decoders=("membrane",),
    ),
    Row(
        neurons=("if2",),
        inputs=("rate", "radix", "ttfs", "poisson", "events"),
        decoders=("membrane", "spike_count", "softmax"),
    ),
    Row(
        neurons=("if", "if_hard"),
        inputs=("rate", "poisson", "direct", "events"),
        decoders=("membrane", "spike_count", "softmax"),
    ),
    Row(
        neurons=("ttfs",),
        inputs=("ttfs", "radix", "rate", "poisson", "events"),
        decoders=("membrane", "first_spike"),
    ),
)
READS = {
    "softmax": "a spiking softmax draws spikes in every timestep of a rate train",
    "spike_count": "only rate trains stand for how many spikes they have",
    "first_spike": "only ttfs trains stand for when they spike",
}
"""Why a decoder is not for other neurons."""
CURRENT = "direct input is a constant current, and two-phase neurons decode trains"


def combinations() -> Iterator[tuple[str, str, str]]:
    """All legal (neuron, input code, decoder)."""
    for row in LEGAL:
        for neuron in row.neurons:
            for code in row.inputs:
                for decoder in row.decoders:
                    yield neuron, code, decoder


def input_codes() -> tuple[str, ...]:
    """All input codes that some neuron may have."""
    return tuple(dict.fromkeys(code for row in LEGAL for code in row.inputs))


def usual_input(neuron: str) -> str:
    return next(row.inputs[0] for row in LEGAL if neuron in row.neurons)


def require_legal(neuron: str, code: str, decoder: str) -> None:
    """Raise :class:`ConversionError`, which names what is legal instead."""
    legal = list(combinations())
    if (neuron, code, decoder) in legal:
        return
    if not any((neuron, decoder) == (n, d) for n, _, d in legal):
        reason = READS[decoder]
        what = f"neuron {neuron!r} with decoder {decoder!r}"
    else:
        reason = CURRENT if code == "direct" else "a single-phase neuron fires as it integrates"
        what = f"neuron {neuron!r} with input code {code!r}"
    remedies = [
        f"{kind} {_list(dict.fromkeys(found))}"
        for kind, found in (
            ("decoder", [d for n, c, d in legal if (n, c) == (neuron, code)]),
            ("input code", [c for n, c, d in legal if (n, d) == (neuron, decoder)]),
            ("neuron", [n for n, c, d in legal if (c, d) == (code, decoder)]),
        )
        if found
    ]
    raise ConversionError(
        f"{what} is no legal combination: {reason}; take {', or '.join(remedies)}"
    )


def _list(names: dict[str, None]) -> str:
    return " or ".join(repr(name) for name in names)
