"""``hwgen report``: all figures of a build folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hwgen.commands.output import note, print_json, print_table


@click.command("report", short_help="All figures of a build folder, as JSON and HTML.")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def command(folder: Path, as_json: bool) -> None:
    """Write report.json and report.html into FOLDER from what is there.

    Takes the manifest, the last `hwgen simulate` and the last `hwgen build`.
    """
    from hwgen.report import gather, write

    figures = gather(folder)
    paths = write(folder, figures)
    if as_json:
        print_json(figures)
    else:
        print_summary(figures)
    for path in paths:
        note(f"written: {path}")


def print_summary(figures: dict[str, Any]) -> None:
    """The figures that one looks for first."""
    rates, simulation = figures["performance"], figures["simulation"]
    synthesis = figures["synthesis"]
    exact = None
    if simulation:
        samples = f"{simulation['samples']:,} samples, {simulation['simulator']}"
        exact = f"yes ({samples})" if simulation["bit_exact"] else f"NO ({samples})"
    rows: list[tuple[str, object]] = [
        ("bit-exact in simulation", exact),
        ("latency, cycles", rates["latency_cycles"]),
        ("interval, cycles", rates["interval_cycles"]),
        ("cycles from", rates["cycles_from"]),
        ("Fmax, MHz", synthesis and synthesis["fmax_mhz"]),
        ("clock, MHz", rates["clock_mhz"]),
        *(
            (resource, f"{count['used']:,} of {count['available']:,}")
            for resource, count in (synthesis["utilisation"] if synthesis else {}).items()
        ),
        ("latency, µs", rates["latency_us"]),
        ("results per second", rates["results_per_second"]),
        ("results per second per 1,000 LUT4", rates["results_per_second_per_klut"]),
    ]
    print_table(figures["network"]["name"], ("", ""), rows)
