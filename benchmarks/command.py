"""What every benchmark's command line shares: its options, its data folder, its JSON file."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from rich.console import Console

# Before NumPy or PyTorch is imported. cocotb and Verilator start `python` by name.
os.environ.setdefault("OMP_NUM_THREADS", "2")
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"

THREADS = int(os.environ["OMP_NUM_THREADS"])


def parser(description: str | None, *, quick: str = "", cache: bool = False) -> Any:
    """Parser with ``--json``, and with ``--quick`` and ``--cache`` on request.

    Parameters
    ----------
    description : the benchmark's docstring; its first line is shown
    quick : what ``--quick`` leaves out; no such option if empty
    cache : whether the benchmark trains networks and keeps their weights
    """
    made = argparse.ArgumentParser(description=(description or "").partition("\n")[0])
    made.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE")
    if quick:
        made.add_argument("--quick", action="store_true", help=quick)
    if cache:
        made.add_argument(
            "--cache", type=Path, metavar="FOLDER",
            help="folder of trained weights (default: $HWGEN_CACHE, then ~/.cache/hwgen)",
        )  # fmt: skip
    return made


def data_folder(*names: str) -> Path:
    """The folder that HWGEN_DATA names; exits if it lacks one of the files ``names``."""
    folder = Path(os.environ.get("HWGEN_DATA", ""))
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        sys.exit(f"set HWGEN_DATA to the folder with {', '.join(missing)}")
    return folder


def write_json(path: Path | None, figures: Any) -> None:
    """Write ``figures`` to ``path``, whose folder is created; nothing happens without a path."""
    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def console(*, width: int = 140) -> Console:
    """Console as wide as the terminal; ``width`` columns if the output goes elsewhere."""
    return Console(width=None if sys.stdout.isatty() else width)
