"""The table of methods, for a terminal and as Markdown."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from benchmarks.method_subjects import TITLES
from benchmarks.table import make_table

COLUMNS = (
    "method", "", "T", "images", "float %", "spiking %", "lost", "spikes / neuron",
    "synaptic operations", "energy µJ", "cycles", "LUT4 / lane", "paper",
)  # fmt: skip
LEFT = ("method", "", "paper")


def lines(rows: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    """Rows of :data:`COLUMNS`; the published figure appears in a method's first row only."""
    before = [{}, *rows]
    return [
        _cells(row, "" if row["method"] == last.get("method") else row["paper"])
        for last, row in zip(before, rows)
    ]


def _cells(row: dict[str, Any], paper: str) -> tuple[str, ...]:
    """Cells of a row; ≈ marks cycles that are estimated, not from the exact model."""
    cycles, lut4 = "", ""
    if "interval_cycles" in row:
        cycles = f"{'' if row['exact'] else '≈ '}{row['interval_cycles']:,.0f}"
        lut4 = f"{row['neuron_lut4']:.0f}"
    return (
        row["method"], row["note"], str(row["timesteps"]), f"{row['samples']:,}",
        f"{row['float_accuracy']:.2f}", f"{row['accuracy']:.2f}", f"{row['loss']:+.2f}",
        f"{row['spikes_per_neuron']:.3f}", f"{row['synaptic_operations']:,.0f}",
        f"{row['energy_uj']:.2f}", cycles, lut4, paper,
    )  # fmt: skip


def table(rows: list[dict[str, Any]], title: str) -> Table:
    return make_table(title, COLUMNS, lines(rows), left=LEFT)


def markdown(rows: list[dict[str, Any]]) -> str:
    """One table per network."""
    parts = []
    for name in dict.fromkeys(row["network"] for row in rows):
        text = [f"### {TITLES[name]}", "", _line(COLUMNS), "|" + "---|" * len(COLUMNS)]
        text += map(_line, lines([row for row in rows if row["network"] == name]))
        parts.append("\n".join(text) + "\n")
    return "\n".join(parts)


def _line(texts: tuple[str, ...]) -> str:
    return f"| {' | '.join(texts)} |"
