"""Plots of the methods' loss over timesteps, synaptic operations and cycles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib import ticker

AXES = (
    ("timesteps", "timesteps"),
    ("synaptic_operations", "synaptic operations per image"),
    ("interval_cycles", "cycles per result, 16 lanes per layer"),
)

MARKERS = "os^Dv*"
LINEAR = 2.0  # points; greater losses are drawn on a logarithmic axis above


def draw(rows: list[dict[str, Any]], folder: Path) -> None:
    """Write one file per network: ``methods_mnist.svg``, ``methods_resnet20.svg``."""
    folder.mkdir(parents=True, exist_ok=True)
    for network in dict.fromkeys(row["network"] for row in rows):
        mine = [row for row in rows if row["network"] == network]
        _figure(mine, folder / f"methods_{network}.svg")


def _figure(rows: list[dict[str, Any]], path: Path) -> None:
    """Plot one colour per method and one marker per variant, in order of timesteps."""
    axes = [(key, label) for key, label in AXES if all(key in row for row in rows)]
    plt.rcParams["svg.hashsalt"] = "hwgen"  # so that the same figures give the same file
    figure, panels = plt.subplots(
        1, len(axes), figsize=(4.6 * len(axes), 4.8), sharey=True, layout="constrained",
        squeeze=False,
    )  # fmt: skip
    colours = plt.get_cmap("tab10")
    methods = list(dict.fromkeys(row["method"] for row in rows))
    for panel, (key, label) in zip(panels[0], axes, strict=True):
        seen = dict.fromkeys(methods, 0)
        for series in dict.fromkeys(row["series"] for row in rows):
            mine = sorted((row for row in rows if row["series"] == series), key=_timesteps)
            method = mine[0]["method"]
            panel.plot(
                [row[key] for row in mine], [row["loss"] for row in mine], label=series,
                color=colours(methods.index(method)), marker=MARKERS[seen[method]], markersize=4,
                linewidth=1, linestyle="-" if series == method else "--",
            )  # fmt: skip
            seen[method] += 1
        panel.axhline(0, color="black", linewidth=0.6)
        panel.set_xscale("log", base=2 if key == "timesteps" else 10)
        if key == "timesteps":
            panel.xaxis.set_major_formatter(ticker.ScalarFormatter())
        panel.set_xlabel(label)
        panel.grid(alpha=0.3)
    if max(row["loss"] for row in rows) > LINEAR:
        panels[0][0].set_yscale("symlog", linthresh=LINEAR)
        panels[0][0].yaxis.set_major_formatter(ticker.ScalarFormatter())
    panels[0][0].set_ylabel("points lost to the float network")
    figure.legend(
        *panels[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=5, fontsize=8
    )
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    plt.close(figure)


def _timesteps(row: dict[str, Any]) -> int:
    steps: int = row["timesteps"]
    return steps
