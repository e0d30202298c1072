"""``hwgen simulate``: compares the Verilog with the golden model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hwgen.commands.options import Suggest
from hwgen.commands.output import note, print_json, print_table, progress
from hwgen.errors import MismatchError
from hwgen.simulation.options import Simulator, StallPattern

if TYPE_CHECKING:
    from hwgen.simulation import SimulationReport


@click.command("simulate", short_help="Compare the Verilog with the golden model.")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--data",
    required=True,
    type=click.Path(path_type=Path),
    help="Images and labels: an .npz file or a folder of idx files.",
)
@click.option(
    "--samples",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    help="Number of images to send, back to back.",
)
@click.option(
    "--simulator",
    type=Suggest([simulator.value for simulator in Simulator]),
    default=Simulator.VERILATOR.value,
    show_default=True,
    help="Simulator to use.",
)
@click.option(
    "--idle",
    type=Suggest([pattern.value for pattern in StallPattern]),
    default=StallPattern.NONE.value,
    show_default=True,
    help="Pauses of the input's source.",
)
@click.option(
    "--backpressure",
    type=Suggest([pattern.value for pattern in StallPattern]),
    default=StallPattern.NONE.value,
    show_default=True,
    help="Pauses of the results' sink.",
)
@click.option("--seed", default=0, show_default=True, help="Seed of the pauses.")
@click.option("--waves", is_flag=True, help="Record every signal.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def command(folder: Path, data: Path, samples: int, as_json: bool, **options: Any) -> None:
    """Simulate the build folder FOLDER on images and compare it with the golden model.

    Every word of every stream between layers, every logit and every class must be equal. The
    command names the first difference and then exits with code 1.
    """
    from hwgen import artefact, datasets
    from hwgen.simulation import SimulationReport, simulate

    frames: dict[str, Any] = {}
    if datasets.holds_events(data):
        source = artefact.load(folder / "network").input
        frames = {"timesteps": source.timesteps, "shape": source.shape, "samples": samples}
    dataset = datasets.load(data, split="test" if data.is_dir() else None, **frames)
    try:
        with progress(f"simulating {samples:,} samples of {folder}") as show_progress:
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
