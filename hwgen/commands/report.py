"""``hwgen report``: all figures of a build folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hwgen.commands.options import PATH, json_option
from hwgen.commands.output import print_json, print_table
from hwgen.commands.terminal import note

if TYPE_CHECKING:
    from hwgen.report import BuildFigures


@click.command("report", short_help="Write the figures of a build folder as JSON and HTML.")
@click.argument("folder", type=PATH)
@json_option("the figures")
def command(folder: Path, as_json: bool) -> None:
    """Write the figures of the build folder FOLDER into its report.json and report.html.

    The figures come from the manifest and the last `hwgen evaluate`, `hwgen simulate` and
    `hwgen build`.
    """
    from hwgen.artefact.claim import clean
    from hwgen.report import gather, write

    clean(folder)
    figures = gather(folder)
    paths = write(folder, figures)
    if as_json:
        print_json(figures.to_json())
    else:
        print_summary(figures)
    for path in paths:
        note(f"written: {path}")


def print_summary(figures: BuildFigures) -> None:
    """Print the most important figures as a table."""
    rates, simulation, synthesis = figures.performance, figures.simulation, figures.synthesis
    accuracy = exact = simulated = None
    if (evaluation := figures.evaluation) and evaluation.accuracy is not None:
        accuracy = f"{evaluation.accuracy:.2f} ({evaluation.images:,} images, {evaluation.data})"
    if simulation:
        verdict = "yes" if simulation.bit_exact else "NO"
        exact = f"{verdict} ({simulation.samples:,} samples, {simulation.simulator})"
        if simulation.accuracy is not None:
            simulated = f"{simulation.accuracy:.2f} ({simulation.samples:,} images)"
    rows: list[tuple[str, object]] = [
        ("accuracy, %", accuracy),
        ("bit-exact in simulation", exact),
        ("accuracy of the simulated images, %", simulated),
        ("latency, cycles", rates.latency_cycles),
        ("interval, cycles", rates.interval_cycles),
        ("cycles from", rates.cycles_from),
        ("Fmax, MHz", synthesis and synthesis.fmax_mhz),
        ("clock, MHz", rates.clock_mhz),
        *(
            (resource, f"{usage.used:,} of {usage.available:,}")
            for resource, usage in (synthesis.utilisation if synthesis else {}).items()
        ),
        ("latency, µs", rates.latency_us),
        ("results per second", rates.results_per_second),
        ("results per second per 1,000 LUT4", rates.results_per_second_per_klut),
    ]
    print_table(figures.network.name, ("", ""), rows)
