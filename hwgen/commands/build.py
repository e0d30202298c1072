"""``hwgen build``: a generated core becomes a bitstream."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hwgen.commands.output import note, print_json, print_table, progress

if TYPE_CHECKING:
    from hwgen.synthesis import BuildReport


@click.command("build", short_help="Place and route for a board.")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--board", help="Another board than it was generated for, or a .yaml file.")
@click.option(
    "--clock-mhz", "clock_mhz", type=click.FloatRange(min=1), help="Clock of the core in MHz."
)
@click.option("--seed", default=1, show_default=True, help="Of place and route.")
@click.option(
    "--tries",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Seeds to try until one meets the clock; else the fastest is taken.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def command(
    folder: Path,
    board: str | None,
    clock_mhz: float | None,
    seed: int,
    tries: int,
    as_json: bool,
) -> None:
    """Synthesise, place and route the core in FOLDER, in a shell for its board.

    Everything lands in FOLDER/synth: the bitstream, the report and the tools' logs.
    """
    from hwgen import synthesis as synth

    with progress(f"building {folder}") as told:
        report = synth.build(
            folder, board=board, clock_mhz=clock_mhz, seed=seed, tries=tries, progress=told
        )
    if as_json:
        print_json(report.to_json())
        return
    print_report(report)
    note(f"bitstream: {folder / report.bitstream}")


def print_report(report: BuildReport) -> None:
    """Utilisation, Fmax and the slowest path."""
    rows = [
        (resource, used, available, f"{100 * used / available:.1f} %")
        for resource, (used, available) in report.utilisation.items()
    ]
    remedy = "NOT met: take a slower clock with --clock-mhz, or more seeds with --tries"
    verdict = "met" if report.meets_timing else remedy
    print_table(
        f"{report.core} on {report.board} ({report.part})",
        ("resource", "used", "of", ""),
        rows,
        footer=f"Fmax {report.fmax_mhz} MHz with seed {report.seed}; "
        f"clock {report.clock_mhz:g} MHz is {verdict}",
    )
    resources = [name for name in report.utilisation if name != "spram"] + ["ff"]
    resources = list(dict.fromkeys(resources))
    print_table(
        "after synthesis, by unit",
        ("unit", *resources),
        ((unit, *(used.get(name, 0) for name in resources)) for unit, used in report.units.items()),
    )
    if path := report.critical_path:
        print_table(
            "slowest path",
            ("from", "to", "ns", "logic", "routing", "levels"),
            [
                (
                    path.source,
                    path.sink,
                    path.delay_ns,
                    path.logic_ns,
                    path.routing_ns,
                    path.levels,
                )
            ],
        )
