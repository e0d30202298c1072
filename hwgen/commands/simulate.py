"""``hwgen simulate``: the Verilog against the golden model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from hwgen.commands.options import Suggest
from hwgen.commands.output import note, print_json, print_table, progress
from hwgen.errors import MismatchError

PATTERNS = ["none", "random", "adversarial"]


@click.command("simulate", short_help="Compare the Verilog with the golden model.")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--data", required=True, type=click.Path(path_type=Path), help=".npz or idx folder.")
@click.option(
    "--samples",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    help="Images that are sent, one right behind the other.",
)
@click.option(
    "--simulator",
    type=Suggest(["verilator", "icarus"]),
    default="verilator",
    show_default=True,
)
@click.option(
    "--idle",
    type=Suggest(PATTERNS),
    default="none",
    show_default=True,
    help="When the source of the pixels idles.",
)
@click.option(
    "--backpressure",
    type=Suggest(PATTERNS),
    default="none",
    show_default=True,
    help="When the sink of the results is not ready.",
)
@click.option("--seed", default=0, show_default=True, help="Of those patterns.")
@click.option("--waves", is_flag=True, help="Record every signal.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def command(folder: Path, data: Path, samples: int, as_json: bool, **options: Any) -> None:
    """Simulate the build folder FOLDER on images and compare it with the golden model.

    Every word of every stream between layers, the logits and the classes must be the same; the
    first difference is named, and the exit code is 1.
    """
    from hwgen import artefact, datasets
    from hwgen.simulation import simulate

    frames: dict[str, Any] = {}
    if datasets.holds_events(data):
        source = artefact.load(folder / "network").input
        frames = {"timesteps": source.timesteps, "shape": source.shape, "samples": samples}
    dataset = datasets.load(data, split="test" if data.is_dir() else None, **frames)
    try:
        with progress(f"simulating {samples:,} samples of {folder}") as told:
            report = simulate(
                folder,
                dataset.images,
                labels=dataset.labels,
                samples=samples,
                progress=told,
                **options,
            )
        figures = report.to_json()
    except MismatchError:
        figures = json.loads((folder / "simulation.json").read_text(encoding="utf-8"))
        _print(figures, as_json=as_json)
        raise
    _print(figures, as_json=as_json)


def _print(figures: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(figures)
        return
    print_table(
        f"{figures['network']}: {figures['samples']:,} samples under {figures['simulator']}",
        ("cycles", "measured", "predicted", "off by"),
        [
            (
                name,
                measured := figures[f"{name}_cycles"],
                predicted := figures[f"predicted_{name}_cycles"],
                f"{100 * (predicted / measured - 1):+.2f} %" if measured and predicted else None,
            )
            for name in ("latency", "interval")
        ],
    )
    units = {unit: kinds for unit, kinds in figures["counters"].items() if unit}
    if units:
        kinds = list(dict.fromkeys(kind for counts in units.values() for kind in counts))
        print_table(
            "cycles and spikes of each unit, all samples together",
            ("unit", *kinds),
            [(unit, *(counts.get(kind) for kind in kinds)) for unit, counts in units.items()],
        )
    if figures["bit_exact"]:
        words = sum(stream["words"] for stream in figures["streams"])
        note(
            f"bit-exact: {words:,} words of {len(figures['streams'])} streams, and all logits, in "
            f"{figures['cycles']:,} cycles ({figures['wall_seconds']:.0f} s)"
        )
