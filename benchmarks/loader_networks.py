"""Fuzz targets: a network's folder, and files that go with it."""

from __future__ import annotations

import shutil
from pathlib import Path

from benchmarks.loader_formats import (
    parse_arrays,
    parse_json,
    parse_yaml_file,
    write_json_value,
    write_listed_arrays,
    write_signed,
    write_yaml_value,
)
from benchmarks.loader_fuzz import Loader
from hwgen import artefact, boards
from hwgen.artefact.evaluation_file import EvaluationFile
from hwgen.conversion.provenance import Provenance
from hwgen.plan import folding_file

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "tests" / "artefact" / "folders" / "format_1"  # holds every kind of node


def _network(folder: Path) -> None:
    shutil.copytree(EXAMPLE, folder, dirs_exist_ok=True)


def _converted(folder: Path) -> None:
    """A network with the provenance of a conversion."""
    document = parse_yaml_file(EXAMPLE / artefact.NETWORK_FILE)
    document["provenance"] = {
        "method": "spikeconverter", "options": {"timesteps": 4, "neuron": "ilif"}, "scale": 0.01,
        "mean": [0.5], "std": [0.25], "calibration_images": 20, "hwgen": "0.1", "notes": ["note"],
        "fidelity": {"images": 20, "held_out": False, "agreement": 97.5, "signal_to_error": 30.1,
                     "layers": {"conv": 31.0}},
        "trials": [{"name": "a", "agreement": 90.0, "signal_to_error": 20.0}],
        "float_accuracy": 98.5, "warnings": ["text"],
    }  # fmt: skip
    _network(folder)
    write_signed(folder / artefact.NETWORK_FILE, document)


def _evaluation(folder: Path) -> None:
    EvaluationFile(
        network_hash="0" * 64, data="digits", images=100, accuracy=97.5, float_accuracy=None,
        float_images=None, spikes_per_neuron=1.25, synaptic_operations=1e5, macs=12_345,
    ).write(folder)  # fmt: skip


def _folding(folder: Path) -> None:
    options = folding_file.LayerFolding
    layers = {
        "conv": options(lanes=4, scanners=2, orders=[[0, 2, 1, 3]]),
        "a\nb": options(weight_memory=["lut", "block"]),
    }
    folding = folding_file.Folding(format="hwgen-folding", version=2, layers=layers)
    text = folding_file.to_yaml(folding, name="net", notes={"": "note", "conv": "as planned"})
    (folder / "folding.yaml").write_text(text, "utf-8")


def _board(folder: Path) -> None:
    shutil.copy(ROOT / "boards" / "icebreaker.yaml", folder / "board.yaml")


NETWORKS = (
    Loader(
        name="network.yaml", file=artefact.NETWORK_FILE, make=_network, read=artefact.load,
        meaning=artefact.content_hash, parse=parse_yaml_file, write=write_signed,
    ),
    Loader(
        name="weights.npz", file=artefact.ARRAYS_FILE, make=_network, read=artefact.load,
        meaning=artefact.content_hash, parse=parse_arrays, write=write_listed_arrays,
    ),
    Loader(
        name="provenance", file=artefact.NETWORK_FILE, make=_converted,
        read=lambda folder: Provenance.read(artefact.load(folder).provenance),
        parse=lambda path: parse_yaml_file(path)["provenance"],
        write=lambda path, value: write_signed(
            path, {**parse_yaml_file(path), "provenance": value}
        ),
    ),
    Loader(
        name="evaluation.json", file=EvaluationFile.FILE, make=_evaluation,
        read=EvaluationFile.read, parse=parse_json, write=write_json_value,
    ),
    Loader(
        name="folding.yaml", file="folding.yaml", make=_folding,
        read=lambda folder: folding_file.read(folder / "folding.yaml"),
        parse=parse_yaml_file, write=write_yaml_value,
    ),
    Loader(
        name="board file", file="board.yaml", make=_board,
        read=lambda folder: boards.load(folder / "board.yaml"),
        parse=parse_yaml_file, write=write_yaml_value,
    ),
)  # fmt: skip
