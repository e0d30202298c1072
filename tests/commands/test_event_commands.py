"""Commands on a network with address-event input, from the model to the Verilog."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from hwgen import artefact, boards, golden
from hwgen.artefact.build_folder import read_manifest
from hwgen.cli import run
from hwgen.datasets import load
from hwgen.plan.units.counters import CounterKind
from hwgen.simulation.report import SimulationReport
from hwgen.synthesis.shell import shell_parameters
from tests.support.command_line import Captured, fails

MODEL = """
import torch
from torch import nn

def tiny():
    torch.manual_seed(3)
    return nn.Sequential(
        nn.Conv2d(2, 3, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(12, 3)
    )
"""
STEPS = 5


@pytest.fixture
def model(tmp_path: Path) -> str:
    (tmp_path / "model.py").write_text(MODEL)
    return f"{tmp_path / 'model.py'}:tiny"


@pytest.fixture
def events(tmp_path: Path) -> Path:
    """Six samples of 6×6 pixels, the third one empty."""
    rng = np.random.default_rng(8)
    counts = np.array([60, 90, 0, 40, 120, 70])
    total = int(counts.sum())
    arrays = {name: rng.integers(0, 6, total).astype(np.uint8) for name in "xy"}
    arrays["t"] = rng.integers(0, 1000, total).astype(np.uint32)
    arrays["p"] = rng.integers(0, 2, total).astype(np.uint8)
    np.savez(
        tmp_path / "events.npz", **arrays, offsets=np.cumsum([0, *counts]), labels=np.arange(6) % 3
    )
    return tmp_path / "events.npz"


@pytest.mark.parametrize("single", [True, False])
def test_events_from_the_model_to_the_verilog(
    capsys: Captured, model: str, events: Path, tmp_path: Path, single: bool
) -> None:
    net, build = str(tmp_path / "net"), str(tmp_path / "build")
    method = ["--method", "threshold_relu"] if single else ["--neuron", "if2"]
    options = ["--data", str(events), "--timesteps", str(STEPS), *method]
    assert run(["convert", model, *options, "-o", net]) == 0
    network = artefact.load(net)
    assert (network.input.code, network.input.timesteps) == ("events", STEPS)
    frames = load(events, timesteps=STEPS, shape=(2, 6, 6)).images
    capsys.readouterr()

    assert run(["evaluate", net, "--data", str(events), "--model", model, "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["images"] == 6
    labels = np.arange(6) % 3
    assert figures["accuracy"] == pytest.approx(
        100 * (golden.run(network, frames).classes == labels).mean()
    )
    import torch

    namespace: dict[str, object] = {}
    exec(MODEL, namespace)  # noqa: S102
    floats = namespace["tiny"]()(torch.from_numpy(frames.mean(axis=1, dtype=np.float32)))  # type: ignore[operator]
    expected = 100 * float((floats.argmax(1).numpy() == labels).mean())
    assert figures["float_accuracy"] == pytest.approx(expected)

    assert run(["generate", net, "-o", build, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["plan"]["schedule"] == "time"
    manifest = read_manifest(tmp_path / "build")
    assert manifest.input.kind == "events"
    if not single:
        return
    stalls = ["--idle", "adversarial", "--backpressure", "random"]
    simulated = ["--data", str(events), "--samples", "6", "--json"]
    assert run(["simulate", build, *simulated, *stalls]) == 0
    report = SimulationReport.model_validate_json(capsys.readouterr().out)
    assert (report.bit_exact, report.samples) == (True, 6)
    assert report.counter(CounterKind.SPIKES, node="input") == int(frames.sum())
    shell = shell_parameters(manifest, boards.load("ulx3s-85f"), None, 25e6)
    assert (shell["SAMPLE_BYTES"], shell["INPUT_BYTES"]) == (0, 4), "one beat per event"


def test_other_schedules_are_rejected(
    capsys: Captured, model: str, events: Path, tmp_path: Path
) -> None:
    net = tmp_path / "net"
    options = ["--data", str(events), "--timesteps", str(STEPS), "--neuron", "if2"]
    assert run(["convert", model, *options, "-o", str(net)]) == 0
    capsys.readouterr()
    message = fails(capsys, 2, "generate", net, "--schedule", "row", "-o", tmp_path / "build")
    assert "schedule must be 'time', not 'row'" in message
