"""``hwgen simulate``: compares the Verilog with the golden model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hwgen.commands.options import COUNT, DATA, PATH, json_option, option
from hwgen.commands.output import print_json, print_table, progress
from hwgen.commands.terminal import note
from hwgen.errors import MismatchError
from hwgen.simulation.options import Simulator, StallPattern

if TYPE_CHECKING:
    from hwgen.simulation.report import SimulationReport


@click.command("simulate", short_help="Compare the Verilog with the golden model.")
@click.argument("folder", type=PATH)
@option("--data", PATH, DATA, required=True)
@option("--samples", COUNT, "Number of images to send, back to back.", 10)
@option("--simulator", Simulator, "Simulator to use.", Simulator.VERILATOR)
@option("--idle", StallPattern, "Pauses of the input's source.", StallPattern.NONE)
@option("--backpressure", StallPattern, "Pauses of the results' sink.", StallPattern.NONE)
@option("--seed", int, "Seed of the pauses.", 0)
@option("--waves", bool, "Record every signal.", is_flag=True)
@json_option("the report")
def command(folder: Path, data: Path, samples: int, as_json: bool, **options: Any) -> None:
    """Simulate the build folder FOLDER on images and compare it with the golden model.

    Every word of every stream between layers, every logit and every class must be equal. The
    command names the first difference and then exits with code 1.
    """
    from hwgen import datasets
    from hwgen.artefact.claim import in_use
    from hwgen.build import Build
    from hwgen.simulation.report import SimulationReport
    from hwgen.simulation.runner import simulate

    network = Build.open(folder).network
    dataset = datasets.load(
        data,
        split="test",
        timesteps=network.input.timesteps,
        shape=network.input.shape,
        samples=samples,
    )
    try:
        with (
            in_use(folder),
            progress(f"simulating {samples:,} samples of {folder}") as show_progress,
        ):
            report = simulate(
                folder,
                dataset.images,
                labels=dataset.labels,
                samples=samples,
                progress=show_progress,
                **options,
            )
    except MismatchError:
        if written := SimulationReport.read(folder):
            _print(written, as_json=as_json)
        raise
    _print(report, as_json=as_json)


def _print(report: SimulationReport, *, as_json: bool) -> None:
    if as_json:
        print_json(report.to_json())
        return
    print_table(
        f"{report.network}: {report.samples:,} samples with {report.simulator}",
        ("cycles", "measured", "predicted", "error"),
        [
            (
                cycles.name,
                cycles.measured,
                cycles.predicted,
                None if cycles.error_percent is None else f"{cycles.error_percent:+.2f} %",
            )
            for cycles in (report.latency, report.interval)
        ],
    )
    if report.nodes:
        kinds = list(dict.fromkeys(counter.kind for counter in report.counters if counter.node))
        print_table(
            "cycles and spikes of each unit, all samples together",
            ("unit", *kinds),
            [(node, *(report.counter(kind, node=node) for kind in kinds)) for node in report.nodes],
        )
    if report.bit_exact:
        words = sum(stream.words for stream in report.streams)
        note(
            f"bit-exact: {words:,} words of {len(report.streams)} streams, and all logits, in "
            f"{report.cycles:,} cycles ({report.wall_seconds:.0f} s)"
        )
