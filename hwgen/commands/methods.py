"""``hwgen methods``: the ways from a float network to a spiking one."""

from __future__ import annotations

import click

from hwgen.commands.output import print_json, print_table


@click.command("methods", short_help="List the conversion methods.")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def command(as_json: bool) -> None:
    """List the methods of `hwgen convert`: their papers, neurons and codes, and what they need.

    The first neuron is the one that a method takes unless --neuron asks for another.
    """
    from hwgen.convert import METHODS, NEURONS

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
