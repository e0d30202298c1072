"""Command line shared by the benchmarks: options, data folder, console, JSON file."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
from pathlib import Path
from typing import Any

from rich.console import Console


def make_parser(
    description: str | None, *, quick: str = "", cache: bool = False, samples: int | None = None
) -> argparse.ArgumentParser:
    """Parser with ``--json``, and with ``--quick``, ``--cache`` and ``--samples`` on request.

    Parameters
    ----------
    description : the benchmark's docstring; its first line is shown
    quick : what ``--quick`` reduces; no such option if empty
    cache : whether the benchmark trains networks and keeps their weights
    samples : default number of test samples; no such option if None
    """
    parser = argparse.ArgumentParser(description=(description or "").partition("\n")[0])
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE")
    if quick:
        parser.add_argument("--quick", action="store_true", help=quick)
    if cache:
        parser.add_argument(
            "--cache", type=Path, metavar="FOLDER",
            help="folder of trained weights (default: $HWGEN_CACHE, then ~/.cache/hwgen)",
        )  # fmt: skip
    if samples is not None:
        parser.add_argument(
            "--samples", type=int, default=samples, help=f"test samples (default: {samples:,})"
        )
    return parser


def data_folder(*names: str) -> Path:
    """The folder that HWGEN_DATA names; exits if it lacks one of the files ``names``."""
    folder = Path(os.environ.get("HWGEN_DATA", ""))
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        sys.exit(f"set HWGEN_DATA to the folder with {' and '.join(missing)}")
    return folder


def write_json(path: Path | None, figures: Any) -> None:
    """Write ``figures`` to ``path``, creating its folder; do nothing if ``path`` is None."""
    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def make_console(*, width: int = 140) -> Console:
    """Console as wide as the terminal, or ``width`` columns if the output goes elsewhere."""
    return Console(width=None if sys.stdout.isatty() else width)


def require_matplotlib(parser: argparse.ArgumentParser, wanted: object) -> None:
    """Exit with the remedy if a plot is ``wanted`` and matplotlib is not installed."""
    if wanted and importlib.util.find_spec("matplotlib") is None:
        parser.error("--plot needs matplotlib: pip install -e '.[bench]'")
