"""``hwgen build``: synthesis, place and route of a generated core."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hwgen.commands.output import note, print_json, print_table, progress

if TYPE_CHECKING:
    from hwgen.synthesis import BuildReport


@click.command("build", short_help="Synthesise, place and route for a board.")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--board", help="Board to build for: a name or a .yaml file; by default the one of `generate`."
)
@click.option(
    "--clock-mhz", "clock_mhz", type=click.FloatRange(min=1), help="Clock of the core in MHz."
)
@click.option("--seed", default=1, show_default=True, help="First seed of place and route.")
@click.option(
    "--tries",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Number of seeds to try until one meets the clock; if none does, keep the fastest.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def command(
    folder: Path, board: str | None, clock_mhz: float | None, seed: int, tries: int, as_json: bool
) -> None:
    """Synthesise, place and route the core in FOLDER, in a shell for its board.

    The bitstream, the report and the logs of the tools are written to FOLDER/synth.
    """
    from hwgen import synthesis

    with progress(f"building {folder}") as show_progress:
        report = synthesis.build(
            folder, board=board, clock_mhz=clock_mhz, seed=seed, tries=tries, progress=show_progress
        )
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
