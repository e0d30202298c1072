"""Losses of the methods against timesteps, synaptic operations and cycles on the same hardware."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

AXES = (
    ("timesteps", "timesteps"),
    ("synaptic_operations", "synaptic operations an image"),
    ("interval_cycles", "cycles a result, 16 lanes a layer"),
)


def draw(rows: list[dict[str, Any]], folder: Path) -> None:
    """One file a network: ``methods_mnist.svg``, ``methods_resnet20.svg``."""
    folder.mkdir(parents=True, exist_ok=True)
    for network in dict.fromkeys(row["network"] for row in rows):
        mine = [row for row in rows if row["network"] == network]
        _figure(mine, folder / f"methods_{network}.svg")


def _figure(rows: list[dict[str, Any]], path: Path) -> None:
    """Losses are drawn on an axis that is linear near 0 and logarithmic above."""
    axes = [(key, label) for key, label in AXES if all(key in row for row in rows)]
    plt.rcParams["svg.hashsalt"] = "hwgen"  # so that the same figures give the same file
    figure, panels = plt.subplots(
        1, len(axes), figsize=(4.6 * len(axes), 4.4), sharey=True, layout="constrained"
    )
    colours = plt.get_cmap("tab10").colors
    methods = list(dict.fromkeys(row["method"] for row in rows))
    for panel, (key, label) in zip(panels, axes, strict=True):
        for series in dict.fromkeys(row["series"] for row in rows):
            points = sorted((row[key], row["loss"]) for row in rows if row["series"] == series)
            method = next(row["method"] for row in rows if row["series"] == series)
            panel.plot(
                *zip(*points, strict=True), label=series, color=colours[methods.index(method)],
                marker="o", markersize=3, linewidth=1,
                linestyle="-" if series == method else "--",
            )  # fmt: skip
        panel.set_xscale("log")
        panel.set_xlabel(label)
        panel.grid(alpha=0.3)
    panels[0].set_yscale("symlog", linthresh=0.5)
    panels[0].set_ylabel("points lost to the float network")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=5,
                  fontsize=8)  # fmt: skip
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
