"""Recorded figures of a design: network, trains, cycles and cells."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import hwgen
from hwgen import artefact, golden
from hwgen.plan.timing.predict import predict
from hwgen.synthesis.tools import run
from tests.recorded.designs import SAMPLES, Design, make_images, make_model
from tests.support.conversion import PLAIN, convert


def figures_of(design: Design) -> dict[str, Any]:
    """Every recorded figure of ``design``, as plain values."""
    images = make_images(design, 24)
    network = convert(
        make_model(design), images, scale=1 / 256, name="recorded", pixel_bits=design.pixel_bits,
        **PLAIN | design.conversion,
    )  # fmt: skip
    built = hwgen.generate(network, **design.hardware)
    result = golden.run(network, images[:SAMPLES], trains=True)
    prediction = predict(built.plan, result.trains)
    return {
        # The provenance is descriptive text, which may change without changing a spike.
        "network": artefact.content_hash(replace(network, provenance={})),
        "trains": {node: _digest(train) for node, train in result.trains.items()},
        "membranes": {node: _digest(values) for node, values in result.membranes.items()},
        "logits": result.logits.tolist(),
        "result_cycles": list(prediction.result_cycles),
        "busy_cycles": prediction.busy_cycles,
        "cells": cells_of(built.files(), built.plan.name),
    }


def _digest(array: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16]


def cells_of(files: dict[str, str], top: str) -> dict[str, int]:
    """Cells of the flattened core by type and width, before anything is mapped.

    Nothing in it depends on names: the same hardware has the same cells, bit for bit.
    """
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            (Path(folder) / name).write_text(text, encoding="utf-8")
        script = [
            *(f"read_verilog -sv {name}" for name in files if name.endswith(".v")),
            f"hierarchy -top {top}",
            "proc",
            "flatten",
            "opt_clean",
            "write_json cells.json",
        ]
        log = Path(folder) / "yosys.log"
        run("yosys", ["-q", "-p", "; ".join(script)], folder=Path(folder), log=log)
        module = json.loads((Path(folder) / "cells.json").read_text())["modules"][top]
    cells: Counter[str] = Counter()
    for cell in module["cells"].values():
        widths = (f"{name}{len(bits)}" for name, bits in sorted(cell["connections"].items()))
        cells[f"{cell['type']} {' '.join(widths)}"] += 1
    return dict(sorted(cells.items()))
