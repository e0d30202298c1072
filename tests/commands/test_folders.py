"""Commands reject invalid folders and data; `evaluate` and `generate` print their results."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from hwgen import artefact
from hwgen.artefact.build_folder import read_manifest
from hwgen.artefact.claim import claimed
from hwgen.cli import run
from tests.support.command_line import Captured, fails, small_network

MACS = 2 * 9 * 4 + 3 * 18
"""Of the small network: 18 neurons with 4 inputs each, and 3 with 18."""

# --- folders and data ---------------------------------------------------------------------------


def test_a_truncated_artefact_is_rejected(capsys: Captured, net: Path, data: Path) -> None:
    weights = net / "weights.npz"
    weights.write_bytes(weights.read_bytes()[:-200])
    assert "weights.npz" in fails(capsys, 2, "evaluate", net, "--data", data)


def test_an_edited_artefact_is_rejected(
    capsys: Captured, net: Path, data: Path, tmp_path: Path
) -> None:
    document = net / "network.yaml"
    document.write_text(document.read_text().replace("timesteps: 3", "timesteps: 4"))
    assert "network.yaml" in fails(capsys, 2, "evaluate", net, "--data", data)
    assert "network.yaml" in fails(capsys, 2, "generate", net, "-o", tmp_path / "build")
    assert not (tmp_path / "build").exists()


def test_images_of_another_size_are_rejected(capsys: Captured, net: Path, tmp_path: Path) -> None:
    path = tmp_path / "wrong.npz"
    np.savez(path, images=np.zeros((2, 5, 4), np.uint8))
    message = fails(capsys, 2, "evaluate", net, "--data", path)
    assert "must have shape (N, 1, 4, 4), not (2, 1, 5, 4)" in message


def test_images_of_another_type_are_rejected(capsys: Captured, net: Path, tmp_path: Path) -> None:
    path = tmp_path / "wrong.npz"
    np.savez(path, images=np.full((2, 4, 4), -1, np.float32))
    assert "float32" in fails(capsys, 2, "evaluate", net, "--data", path)


def test_pickled_data_is_rejected(capsys: Captured, net: Path, tmp_path: Path) -> None:
    path = tmp_path / "pickled.npz"
    np.savez(path, images=np.array([{"a": 1}], dtype=object))
    assert "pickled.npz" in fails(capsys, 2, "evaluate", net, "--data", path)


@pytest.mark.parametrize("command", ["simulate", "build", "report"])
def test_a_folder_without_a_build_is_rejected(
    capsys: Captured, net: Path, data: Path, command: str
) -> None:
    options = ["--data", data, "--samples", "2"] if command == "simulate" else []
    before = sorted(net.rglob("*"))
    assert "no manifest.json" in fails(capsys, 2, command, net, *options)
    assert sorted(net.rglob("*")) == before


def test_more_samples_than_images_are_rejected(
    capsys: Captured, net: Path, data: Path, tmp_path: Path
) -> None:
    build = tmp_path / "build"
    assert run(["generate", str(net), "-o", str(build)]) == 0
    capsys.readouterr()
    message = fails(capsys, 2, "simulate", build, "--data", data, "--samples", "7")
    assert "samples must be an integer from 1 to 6, not 7" in message


def test_a_missing_simulator_is_reported(
    monkeypatch: pytest.MonkeyPatch, capsys: Captured, net: Path, data: Path, tmp_path: Path
) -> None:
    build = tmp_path / "build"
    assert run(["generate", str(net), "-o", str(build)]) == 0
    capsys.readouterr()
    monkeypatch.setenv("PATH", str(tmp_path))
    arguments = ("simulate", build, "--data", data, "--samples", "2", "--simulator", "icarus")
    assert "Icarus Verilog" in fails(capsys, 3, *arguments)


def test_a_folder_with_other_files_is_not_overwritten(
    capsys: Captured, net: Path, tmp_path: Path
) -> None:
    build = tmp_path / "precious"
    build.mkdir()
    (build / "thesis.tex").write_text("years of work")
    fails(capsys, 2, "generate", net, "-o", build)
    assert (build / "thesis.tex").read_text() == "years of work"


def test_an_earlier_build_is_replaced_but_not_what_others_put_there(
    capsys: Captured, net: Path, tmp_path: Path
) -> None:
    build = tmp_path / "build"
    assert run(["generate", str(net), "-o", str(build)]) == 0
    (build / "synth").mkdir()
    (build / "synth/bitstream.bit").write_text("hours of work")
    (build / "notes.txt").write_text("mine")
    capsys.readouterr()
    assert "with --force" in fails(capsys, 2, "generate", net, "-o", build)
    assert (build / "synth/bitstream.bit").read_text() == "hours of work"
    assert run(["generate", str(net), "-o", str(build), "--force"]) == 0
    assert (build / "notes.txt").read_text() == "mine"
    assert not (build / "synth").exists()
    assert sorted(os.listdir(tmp_path)) == ["build", "net"]


@pytest.mark.parametrize("command", ["convert", "generate"])
def test_the_output_is_checked_before_the_work(
    monkeypatch: pytest.MonkeyPatch, capsys: Captured, net: Path, tmp_path: Path, command: str
) -> None:
    """A parent that is a file, and a folder that another process writes."""
    (tmp_path / "file").write_text("")
    work = "hwgen.datasets.load" if command == "convert" else "hwgen.generation.generator.generate"
    monkeypatch.setattr(work, lambda *_, **__: pytest.fail("work began"))
    options = ["model.py:f", "--data", "x.npz"] if command == "convert" else [net]
    assert "File exists" in fails(capsys, 3, command, *options, "-o", tmp_path / "file/out")

    def write_it_too(_: object = None) -> str:
        return fails(capsys, 3, command, *options, "-o", tmp_path / "out")

    with claimed(tmp_path / "out"), ThreadPoolExecutor(1) as other:
        assert f"in use by process {os.getpid()} (" in other.submit(write_it_too).result()
    assert sorted(os.listdir(tmp_path)) == ["file", "net"]


def test_an_evaluation_that_cannot_be_kept_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: Captured, net: Path, data: Path
) -> None:
    def fail(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("os.truncate", fail)
    assert run(["evaluate", str(net), "--data", str(data)]) == 0
    assert "not kept for `hwgen report`: " in capsys.readouterr().err
    assert sorted(os.listdir(net)) == ["network.yaml", "weights.npz"]


# --- printed results ----------------------------------------------------------------------------


def test_evaluate_prints_only_json_on_standard_output(
    capsys: Captured, net: Path, data: Path
) -> None:
    from hwgen import golden

    assert run(["evaluate", str(net), "--data", str(data), "--json"]) == 0
    printed = capsys.readouterr()
    figures = json.loads(printed.out)
    images = np.load(data)["images"][:, None]
    result = golden.run(small_network(), images)
    assert figures["accuracy"] == pytest.approx(100 * np.mean(result.classes == np.arange(6) % 3))
    # The network has 18 spiking neurons, all in one layer.
    assert figures["spikes_per_neuron"] == pytest.approx(result.spikes["conv"].mean() / 18)
    assert [layer["layer"] for layer in figures["layers"]] == ["conv", "fc"]
    assert "evaluating" in printed.err


def test_evaluate_takes_the_first_samples(capsys: Captured, net: Path, data: Path) -> None:
    assert run(["evaluate", str(net), "--data", str(data), "--json", "--samples", "4"]) == 0
    assert json.loads(capsys.readouterr().out)["images"] == 4


def test_an_evaluation_goes_with_its_network(
    capsys: Captured, net: Path, data: Path, tmp_path: Path
) -> None:
    """`generate` takes the figures of `evaluate` along; a build folder is evaluated as well."""
    build, kept = tmp_path / "build", "evaluation.json"
    assert run(["evaluate", str(net), "--data", str(data)]) == 0
    assert run(["generate", str(net), "-o", str(build)]) == 0
    figures = json.loads((build / kept).read_text())
    assert (figures["images"], figures["data"], figures["macs"]) == (6, "data.npz", MACS)
    assert run(["evaluate", str(build), "--data", str(data), "--samples", "4"]) == 0
    assert json.loads((build / kept).read_text())["images"] == 4
    (net / kept).write_text((net / kept).read_text().replace(figures["network_hash"], "0" * 64))
    assert run(["generate", str(net), "-o", str(build)]) == 0
    assert not (build / kept).exists()


@pytest.mark.parametrize("name", ["module", "a.b/c", "10 ways"])
def test_any_name_becomes_verilog(capsys: Captured, tmp_path: Path, name: str) -> None:
    net, build = tmp_path / "net", tmp_path / "build"
    artefact.save(small_network(name=name, layer="always"), net)
    assert run(["generate", str(net), "-o", str(build), "--json"]) == 0
    manifest = read_manifest(build)
    verilog = "".join((build / source).read_text() for source in manifest.sources)
    assert f"module {manifest.top}(" in verilog
    assert manifest.top not in ("module", "a.b/c", "10 ways")
