"""``hwgen generate``: a network becomes Verilog."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hwgen.commands.options import ByLayer, Suggest, by_layer
from hwgen.commands.output import print_json, print_table, progress

if TYPE_CHECKING:
    from hwgen.plan.hardware import HardwarePlan


@click.command("generate", short_help="Turn a network into Verilog.")
@click.argument("network", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), help="Build folder."
)
@click.option("--board", help="Board to build for, or a .yaml file that describes one.")
@click.option(
    "--schedule",
    type=Suggest(["time"]),
    default="time",
    show_default=True,
    help="Order in which neurons are visited.",
)
@click.option(
    "--pipeline",
    type=Suggest(["overlap", "alternate"]),
    default="overlap",
    show_default=True,
    help="Two membrane banks (a result every T timesteps), or one (every 2T).",
)
@click.option(
    "--lanes", type=ByLayer(), multiple=True, help="Output channels summed together; repeatable."
)
@click.option(
    "--scanners", type=ByLayer(), multiple=True, help="Spikes taken in a cycle; repeatable."
)
@click.option(
    "--membrane-lanes", type=ByLayer(), multiple=True, help="Membranes a cycle; repeatable."
)
@click.option("--input-width", type=int, help="Bits of an input beat: 8, 16, … 512.")
@click.option("--counters/--no-counters", default=True, help="Count cycles, stalls and spikes.")
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
def command(
    network: Path,
    output: Path,
    board: str | None,
    lanes: Sequence[tuple[str, int]],
    scanners: Sequence[tuple[str, int]],
    membrane_lanes: Sequence[tuple[str, int]],
    as_json: bool,
    **options: Any,
) -> None:
    """Turn the network in the folder NETWORK into Verilog for an FPGA.

    \b
    hwgen generate net --board ulx3s-85f --lanes 32 --lanes conv1=16 -o build
    """
    from hwgen import artefact, boards
    from hwgen.generation import generate

    name = boards.load(board).name if board else None
    loaded = artefact.load(network)
    layers = [layer.name for layer in loaded.layers]
    for option, given in (
        ("lanes", lanes),
        ("scanners", scanners),
        ("membrane_lanes", membrane_lanes),
    ):
        options[option] = _per_layer(given, option=f"--{option.replace('_', '-')}", layers=layers)
    with progress(f"generating {output}"):
        design = generate(loaded, board=name, **options)
        design.write(output)
    predicted: Mapping[str, Any] | None = design.prediction
    if as_json:
        plan = design.plan.to_json()
        print_json({"folder": str(output), "board": name, "plan": plan, "predicted": predicted})
        return
    _print_plan(design.plan, output, predicted["busy_cycles"] if predicted else {})
    if predicted:
        click.echo(
            f"predicted on {predicted['images']} calibration images: latency "
            f"{predicted['latency_cycles']:,.0f} cycles, interval "
            f"{predicted['interval_cycles']:,.0f} cycles"
        )


def _per_layer(
    given: Sequence[tuple[str, int]], *, option: str, layers: Sequence[str]
) -> int | Mapping[str | None, int] | None:
    default, named = by_layer(given, option=option, layers=layers)
    if not named:
        return default
    numbers: dict[str | None, int] = {} if default is None else {None: default}
    numbers.update(named)
    return numbers


def _print_plan(plan: HardwarePlan, output: Path, busy: Mapping[str, float]) -> None:
    rows = []
    for layer in plan.layers:
        weight_rows = sum(feed.weight_depth * feed.window.scanners for feed in layer.feeds)
        weights = weight_rows * layer.lanes * layer.weight_bits
        words = layer.banks * layer.membrane_depth
        membranes = words * layer.membrane_lanes * layer.membrane_width
        rows.append(
            (
                layer.node,
                layer.kind,
                layer.fan_out,
                layer.lanes,
                layer.scanners,
                f"{weights / 1024:,.1f} kbit of {layer.weight_bits}",
                f"{membranes / 1024:,.1f} kbit of {layer.membrane_width}",
                busy.get(layer.node),
            )
        )
    print_table(
        f"{plan.name}: schedule {plan.schedule}, pipeline {plan.pipeline}, "
        f"input {plan.encoder.input_width} bits wide",
        (
            "layer",
            "neuron",
            "channels",
            "lanes",
            "scanners",
            "weights",
            "membranes",
            "busy cycles",
        ),
        rows,
        footer=f"written to {output}",
    )
