"""``hwgen generate``: Verilog for a network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hwgen.commands.options import (
    PATH,
    ByLayer,
    Decorator,
    Rate,
    Suggest,
    by_layer,
    json_option,
    option,
)
from hwgen.commands.output import print_json, print_table, progress
from hwgen.commands.terminal import note, say

if TYPE_CHECKING:
    from hwgen.plan.search.expectation import Expectation
    from hwgen.plan.units.hardware_plan import HardwarePlan


def per_layer(name: str, text: str) -> Decorator:
    """Repeatable option: a number for all layers, or for one."""
    return option(name, ByLayer(), f"{text}; repeatable.", multiple=True)


@click.command("generate", short_help="Generate Verilog for a network.")
@click.argument("network", type=PATH)
@option("--output", PATH, "Build folder to write.", None, "-o", required=True)
@option("--board", str, "Board, or a .yaml file that describes one.")
@option(
    "--target-fps",
    Rate(),
    "Results per second for which the planner chooses the units; max: the highest that fits.",
)
@option("--clock-mhz", float, "Clock for --target-fps.  [default: the board's]")
@option("--max-luts", int, "Maximum LUT4 that the planner may use.")
@option("--folding", PATH, "Folding file, such as build/folding.yaml.")
@option(
    "--schedule",
    Suggest(["row", "time"]),
    "Order of the neurons: row by row, or timestep by timestep.  [default: row; time for address "
    "events]",
)
@option(
    "--pipeline",
    Suggest(["overlap", "alternate"]),
    "Two membrane banks (overlap), or one and half the rate.  [default: overlap]",
)
@per_layer("--lanes", "Output channels that a layer sums at the same time")
@per_layer("--scanners", "Spikes that a layer takes per cycle")
@per_layer("--membrane-lanes", "Membranes that a layer updates per cycle")
@option("--input-width", int, "Bits of an input beat: 8, 16, … 512.")
@click.option(
    "--counters/--no-counters",
    default=True,
    help="Build performance counters of cycles, stalls and spikes.",
)
@option(
    "--force",
    bool,
    "Write a core that does not fit the board, or in place of one that is placed and routed.",
    is_flag=True,
)
@json_option("the plan")
def command(
    network: Path,
    output: Path,
    lanes: Sequence[tuple[str, int]],
    scanners: Sequence[tuple[str, int]],
    membrane_lanes: Sequence[tuple[str, int]],
    force: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Generate Verilog for the network in the folder NETWORK.

    \b
    hwgen generate net --board ulx3s-85f --target-fps 1000 -o build
    hwgen generate net --folding build/folding.yaml -o again
    hwgen generate net --board ulx3s-85f --lanes 32 --lanes conv1=16 -o build
    """
    from hwgen import artefact
    from hwgen.artefact.claim import claimed
    from hwgen.artefact.evaluation_file import EvaluationFile
    from hwgen.generation.generator import generate
    from hwgen.generation.target_folder import require_replaceable

    loaded = artefact.load(network)
    layers = [layer.name for layer in loaded.layers]
    require_replaceable(output, force=force)
    with claimed(output), progress(f"generating {output}"):
        design = generate(
            loaded,
            lanes=_per_layer(lanes, option="--lanes", layers=layers),
            scanners=_per_layer(scanners, option="--scanners", layers=layers),
            membrane_lanes=_per_layer(membrane_lanes, option="--membrane-lanes", layers=layers),
            force=force,
            **options,
        )
        design.write(output, force=force)
        kept = EvaluationFile.read(network)
        if kept and kept.network_hash == artefact.content_hash(loaded):
            kept.write(output)
    if design.misfit:
        note(f"warning: {design.misfit}")
    predicted, expected = design.prediction, design.expected
    if as_json:
        print_json(
            {
                "folder": str(output),
                "board": design.board,
                "plan": design.plan.to_json(),
                "predicted": asdict(predicted) if predicted else None,
                "expected": asdict(expected) if expected else None,
            }
        )
        return
    _print_plan(design.plan, output, expected)
    if predicted:
        interval = predicted.interval_cycles
        say(
            f"predicted on {predicted.images} calibration images: latency "
            f"{predicted.latency_cycles:,} cycles"
            + (f", interval {interval:,.0f} cycles" if interval is not None else "")
        )


def _per_layer(
    numbers: Sequence[tuple[str, int]], *, option: str, layers: Sequence[str]
) -> int | Mapping[str | None, int] | None:
    default, named = by_layer(numbers, option=option, layers=layers)
    if not named:
        return default
    by_name: dict[str | None, int] = {} if default is None else {None: default}
    by_name.update(named)
    return by_name


_EXPECTED = ("cycles", "lanes used", "LUT4", "FF", "block RAM")


def _print_plan(plan: HardwarePlan, output: Path, expected: Expectation | None) -> None:
    from hwgen.plan.units.layer import LayerPlan

    units = expected.units if expected else {}
    rows = []
    for stage in plan.stages:
        figures: tuple[object, ...] = (None,) * len(_EXPECTED)
        if unit := units.get(stage.node):
            use = None if unit.lane_use is None else f"{unit.lane_use:.0%}"
            figures = (unit.cycles, use, unit.lut4, unit.ff, unit.block_ram)
        choice: tuple[object, ...] = (None,) * 4
        if isinstance(stage, LayerPlan):
            memories = "+".join(dict.fromkeys(path.memory for path in stage.paths))
            choice = (stage.lanes, stage.scanners, stage.membrane_lanes, memories)
        rows.append((stage.node, *choice, *figures))
    print_table(
        f"{plan.name}: schedule {plan.schedule}, pipeline {plan.pipeline}, "
        f"input {plan.encoder.input_width} bits wide",
        ("layer", "lanes", "scanners", "membrane lanes", "weights in", *_EXPECTED),
        rows,
        footer="\n".join([*_totals(expected), f"written to {output}"]),
    )


def _totals(expected: Expectation | None) -> Iterator[str]:
    """Rate and resources of the whole plan."""
    if expected is None:
        return
    rate = f"a result every {expected.interval_cycles:,.0f} cycles"
    if expected.results_per_s is not None:
        rate += f", {expected.results_per_s:,.0f}/s at {expected.clock_mhz:g} MHz"
    yield f"{rate}; limited by {expected.bottleneck}"
    resources = [
        f"{used:,} {label}" + (f" of {available:,}" if available is not None else "")
        for used, available, label in (
            (expected.lut4, expected.lut4_available, "LUT4"),
            (expected.ff, expected.ff_available, "flip-flops"),
            (expected.cells, expected.cells_available, "logic cells"),
            (expected.block_ram, expected.block_ram_available, "block RAMs"),
        )
        if used is not None
    ]
    yield f"about {', '.join(resources)}; {expected.units[''].lut4:,} LUT4 between the units"
