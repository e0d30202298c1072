"""``hwgen build``: synthesis, place and route of a generated core."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hwgen.commands.options import COUNT, PATH, json_option, option
from hwgen.commands.output import print_json, print_table, progress
from hwgen.commands.terminal import note

if TYPE_CHECKING:
    from hwgen.synthesis import BuildReport


@click.command("build", short_help="Synthesise, place and route for a board.")
@click.argument("folder", type=PATH)
@option("--board", str, "Board: a name or a .yaml file; by default the one of `generate`.")
@option("--clock-mhz", click.FloatRange(min=1), "Clock of the core in MHz.")
@option("--seed", int, "First seed of place and route.", 1)
@option(
    "--tries",
    COUNT,
    "Number of seeds to try until one meets the clock; if none does, keep the fastest.",
    1,
)
@json_option("the report")
def command(folder: Path, as_json: bool, **options: Any) -> None:
    """Synthesise, place and route the core in FOLDER, in a shell for its board.

    The bitstream, the report and the logs of the tools are written to FOLDER/synth.
    """
    from hwgen import synthesis

    with progress(f"building {folder}") as show_progress:
        report = synthesis.build(folder, progress=show_progress, **options)
    if as_json:
        print_json(report.to_json())
        return
    print_report(report)
    note(f"bitstream: {folder / report.bitstream}")


def print_report(report: BuildReport) -> None:
    """Print utilisation, maximum clock and slowest path as tables."""
    rows = [
        (resource, usage.used, usage.available, f"{usage.percent:.1f} %")
        for resource, usage in report.utilisation.items()
    ]
    remedy = "NOT met: choose a slower clock with --clock-mhz, or try more seeds with --tries"
    verdict = "met" if report.meets_timing else remedy
    print_table(
        f"{report.core} on {report.board} ({report.part})",
        ("resource", "used", "available", ""),
        rows,
        footer=f"Fmax {report.fmax_mhz} MHz with seed {report.seed}; "
        f"clock {report.clock_mhz:g} MHz is {verdict}",
    )
    resources = sorted({resource for used in report.units.values() for resource in used})
    print_table(
        "after synthesis, by unit",
        ("unit", *resources),
        ((unit, *(used.get(name, 0) for name in resources)) for unit, used in report.units.items()),
    )
    if path := report.critical_path:
        print_table(
            "slowest path",
            ("from", "to", "ns", "logic", "routing", "levels"),
            [(path.source, path.sink, path.delay_ns, path.logic_ns, path.routing_ns, path.levels)],
        )
