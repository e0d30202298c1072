"""``hwgen methods``: the ways from a float network to a spiking one."""

from __future__ import annotations

import click

from hwgen.commands.output import print_json, print_table


@click.command("methods", short_help="List the conversion methods.")
@click.option(
    "--combinations", is_flag=True, help="List neurons, input codes and decoders that go together."
)
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def command(combinations: bool, as_json: bool) -> None:
    """List the methods of `hwgen convert`: their papers, neurons and codes, and what they need.

    The first neuron is the one that a method takes unless --neuron asks for another.
    """
    from hwgen.conversion import METHODS, NEURONS

    if combinations:
        _print_combinations(as_json)
        return
    if as_json:
        print_json(
            {
                name: {
                    "paper": method.paper,
                    "neurons": {neuron: NEURONS[neuron] for neuron in method.neurons},
                    "needs": method.needs,
                    "defaults": dict(method.defaults),
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
                ", ".join(f"{neuron} ({NEURONS[neuron]})" for neuron in method.neurons),
                method.needs,
                method.paper,
            )
            for name, method in METHODS.items()
        ],
    )


def _print_combinations(as_json: bool) -> None:
    from hwgen.conversion import DECODERS, combinations
    from hwgen.conversion.combinations import LEGAL

    if as_json:
        keys = ("neuron", "input_code", "decoder")
        print_json([dict(zip(keys, legal)) for legal in combinations()])
        return
    print_table(
        "legal combinations",
        ("neuron", "input code", "decoder"),
        [tuple(map(", ".join, (row.neurons, row.inputs, row.decoders))) for row in LEGAL],
    )
    print_table("decoders", ("decoder", "the logits are"), list(DECODERS.items()))
