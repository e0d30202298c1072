"""``hwgen methods``: lists the conversion methods and the legal combinations of options."""

from __future__ import annotations

import click

from hwgen.commands.options import Suggest
from hwgen.commands.output import print_json, print_table, show
from hwgen.commands.terminal import say
from hwgen.conversion.methods.registry import METHODS, Method


@click.command("methods", short_help="List the conversion methods.")
@click.argument("name", required=False, type=Suggest(list(METHODS)))
@click.option(
    "--combinations", is_flag=True, help="List neurons, input codes and decoders that go together."
)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def command(name: str | None, combinations: bool, as_json: bool) -> None:
    """List the methods of `hwgen convert`: papers, neurons with their codes, and needs.

    With the NAME of a method, show its equations and defaults. The first neuron of a method is its
    default; --neuron selects another.
    """
    chosen = METHODS if name is None else {name: METHODS[name]}
    if combinations:
        _print_combinations(as_json)
        return
    if as_json:
        print_json(
            {
                key: {
                    "paper": method.paper,
                    "neurons": {neuron.value: neuron.code for neuron in method.neurons},
                    "needs": method.needs,
                    "defaults": dict(method.defaults),
                    "equations": method.equations.strip(),
                }
                for key, method in chosen.items()
            }
        )
        return
    if name is not None:
        _print_method(name, METHODS[name])
        return
    print_table(
        "conversion methods",
        ("method", "neurons (code)", "needs", "paper"),
        [(key, _neurons(method), method.needs, method.paper) for key, method in METHODS.items()],
    )


def _neurons(method: Method) -> str:
    return ", ".join(f"{neuron} ({neuron.code})" for neuron in method.neurons)


def _print_method(name: str, method: Method) -> None:
    defaults = ", ".join(f"{option} {show(value)}" for option, value in method.defaults.items())
    say(f"{name}: {method.paper}")
    say(f"neurons {_neurons(method)}; needs {method.needs}")
    say(f"defaults {defaults or 'those of hwgen convert'}\n{method.equations}")


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
