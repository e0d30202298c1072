"""Every conversion method on the same networks, down to hardware cycles and LUTs.

    python -m benchmarks.methods [--network mnist] [--method ecc …] [--timesteps 64 …] [--quick]
                                 [--no-hardware] [--cache FOLDER] [--json FILE] [--plot FOLDER]
                                 [--markdown FILE] [--resume FILE …]
    python -m benchmarks.methods --ablation    ECC's ingredients, added one by one
    python -m benchmarks.methods --bits        ECC's weights of 16 to 6 bits

Rows: method × {MNIST CNN, ResNet-20} × T. Columns: accuracy and loss on test images; spikes per
neuron (inputs excluded); synaptic operations (ECC, Eq. 14); energy by the formula of
method_figures.py; cycles between results with 16 lanes in every layer; LUT4 per lane of one layer's
membrane unit; the published figure.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from benchmarks import method_cases
from benchmarks.command import make_parser, require_matplotlib, write_json
from benchmarks.method_cases import Case
from benchmarks.method_figures import measure
from benchmarks.method_subjects import TITLES, load
from benchmarks.method_tables import markdown, table

LOSS_TARGETS = {
    ("mnist", "ttfs", 16): 0.12,
    ("mnist", "ecc", 128): 0.1,
    ("mnist", "threshold_relu", 128): 2.0,
}
RATIO_TARGET = 98.0  # feedback: minimum accuracy, per cent of the adjusted CNN's
QUARTER = ("ecc", "ecc calibrated, direct"), "weight_norm"
"""On ResNet-20 the first two at T lose no more than the last at 4·T."""


def chosen(arguments: argparse.Namespace) -> Iterable[Case]:
    if arguments.ablation:
        yield from method_cases.ablation_cases("resnet20", (64, 128), 200)
        return
    if arguments.bits:
        yield from method_cases.bits_cases("mnist", 128, 1000)
        yield from method_cases.bits_cases("resnet20", 128, 300)
        return
    for make in (method_cases.mnist_cases, method_cases.resnet20_cases):
        for case in make():
            if arguments.network and case.network not in arguments.network:
                continue
            if arguments.method and case.method not in arguments.method:
                continue
            if arguments.timesteps and case.timesteps not in arguments.timesteps:
                continue
            if arguments.quick and (case.timesteps > 32 or case.note or case.model):
                continue
            yield case


def run(cases: list[Case], arguments: argparse.Namespace, console: Console) -> list[dict[str, Any]]:
    """Rows of the table; the JSON file is written after each, so that a run can resume."""
    rows: list[dict[str, Any]] = []
    known = {key(row): row for path in arguments.resume for row in json.loads(path.read_text())}
    subject, hits, loaded = None, None, ("", "")
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("", total=len(cases))
        for case in cases:
            what = f"{TITLES[case.network]}: {case.series}, T = {case.timesteps}"
            progress.update(task, description=what)
            row = known.get((case.network, case.series, case.timesteps, case.samples))
            if row is None:
                if (case.network, case.model) != loaded:
                    loaded = (case.network, case.model)
                    subject = load(*loaded, arguments.cache)
                    hits = subject.float_hits()
                assert subject is not None
                row = measure(case, subject, hits, hardware=arguments.hardware)
            rows.append(row | {"paper": case.paper})
            console.print(f"{what}: {row['accuracy']:.2f} %, loss {row['loss']:+.2f}")
            write_json(arguments.json, rows)
            progress.advance(task)
    return rows


def key(row: dict[str, Any]) -> tuple[str, str, int, int]:
    return row["network"], row["series"], row["timesteps"], row["samples"]


def missed(rows: list[dict[str, Any]]) -> list[str]:
    """Targets that the rows miss."""
    found = []
    losses = {(r["network"], r["method"], r["note"], r["timesteps"]): r["loss"] for r in rows}
    for (network, method, steps), target in LOSS_TARGETS.items():
        loss = losses.get((network, method, "", steps), 0.0)
        if loss > target + 1e-9:
            found.append(f"{network}, {method}, T = {steps}: loss {loss:.2f} > {target}")
    for row in rows:
        once = (row["network"], row["method"], row["timesteps"]) == ("mnist", "ttfs", 16)
        if once and row["spikes_per_neuron"] >= 0.3:
            found.append(f"ttfs: {row['spikes_per_neuron']:.3f} spikes per neuron")
        ratio = 100 * row["accuracy"] / row["float_accuracy"]
        if row["method"] == "feedback" and ratio < RATIO_TARGET:
            found.append(f"feedback, T = {row['timesteps']}: {ratio:.2f} % of the adjusted CNN")
    deep = [row for row in rows if row["network"] == "resnet20"]
    residual = {(row["series"], row["timesteps"]): row["loss"] for row in deep}
    ours, theirs = QUARTER
    for (series, steps), loss in residual.items():
        other = residual.get((theirs, 4 * steps))
        if series in ours and other is not None and loss > other + 1e-9:
            found.append(f"{series}, T = {steps}: {loss:.2f}; {theirs}, {4 * steps}: {other:.2f}")
    return list(dict.fromkeys(found))


def main(argv: list[str] | None = None) -> None:
    parser = make_parser(__doc__, quick="short trains, usual options", cache=True)
    parser.add_argument("--plot", type=Path, metavar="FOLDER", help="plot the rows into FOLDER")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables to FILE")
    parser.add_argument("--network", nargs="+", choices=("mnist", "resnet20"))
    parser.add_argument("--method", nargs="+", help="only these")
    parser.add_argument("--timesteps", nargs="+", type=int, help="only these")
    parser.add_argument("--resume", nargs="+", type=Path, default=[], metavar="FILE",
                        help="reuse the rows of these JSON files")  # fmt: skip
    parser.add_argument("--ablation", action="store_true", help="measure ECC's ingredients instead")
    parser.add_argument("--bits", action="store_true", help="measure ECC's weight widths instead")
    parser.add_argument("--no-hardware", dest="hardware", action="store_false")
    arguments = parser.parse_args(argv)
    require_matplotlib(parser, arguments.plot)
    arguments.hardware &= not (arguments.ablation or arguments.bits)
    console = Console()
    rows = run(list(chosen(arguments)), arguments, console)
    for name in dict.fromkeys(row["network"] for row in rows):
        mine = [row for row in rows if row["network"] == name]
        energy = mine[0]["cnn_energy_uj"]
        console.print(table(mine, f"{TITLES[name]}; the CNN itself: {energy:.2f} µJ"))
    if arguments.markdown:
        arguments.markdown.write_text(markdown(rows), encoding="utf-8")
    if arguments.plot:
        from benchmarks import method_plots

        method_plots.draw(rows, arguments.plot)
    for line in missed(rows):
        console.print(f"[red]missed[/red] {line}")
    if not missed(rows):
        console.print("all targets met")


if __name__ == "__main__":
    main()
