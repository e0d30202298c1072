"""``hwgen methods``: lists the conversion methods and the legal combinations of options."""

from __future__ import annotations

import click

from hwgen.commands.output import print_json, print_table


@click.command("methods", short_help="List the conversion methods.")
@click.option(
    "--combinations", is_flag=True, help="List neurons, input codes and decoders that go together."
)
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def command(combinations: bool, as_json: bool) -> None:
    """List the methods of `hwgen convert`: papers, neurons with their codes, and needs.

    The first neuron of a method is its default; --neuron selects another.
    """
    from hwgen.conversion.methods.registry import METHODS

    if combinations:
        _print_combinations(as_json)
        return
    if as_json:
        print_json(
            {
                name: {
                    "paper": method.paper,
                    "neurons": {neuron.value: neuron.code for neuron in method.neurons},
                    "needs": method.needs,
                    "defaults": dict(method.defaults),
                    "equations": method.equations.strip(),
                }
                for name, method in METHODS.items()
            }
        )
        return
    print_table(
        "conversion methods",
        ("method", "neurons (code)", "needs", "paper"),
        [
            (
                name,
                ", ".join(f"{neuron} ({neuron.code})" for neuron in method.neurons),
                method.needs,
                method.paper,
            )
            for name, method in METHODS.items()
        ],
    )


def _print_combinations(as_json: bool) -> None:
    from hwgen.conversion.choices import DecoderKind
    from hwgen.conversion.combinations import LEGAL, legal_combinations

    if as_json:
        keys = ("neuron", "input_code", "decoder")
        print_json([dict(zip(keys, legal)) for legal in legal_combinations()])
        return
    print_table(
        "legal combinations",
        ("neuron", "input code", "decoder"),
        [tuple(map(", ".join, (row.neurons, row.inputs, row.decoders))) for row in LEGAL],
    )
    print_table("decoders", ("decoder", "logits"), [(kind, kind.logits) for kind in DecoderKind])
