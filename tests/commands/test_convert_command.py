"""``hwgen convert`` and ``hwgen evaluate --model``."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import numpy as np
import pytest

from hwgen import artefact
from hwgen.cli import run
from tests.support.command_line import Captured, fails

MODEL = """
import torch
from torch import nn

def tiny():
    torch.manual_seed(3)
    return nn.Sequential(nn.Flatten(), nn.Linear(25, 6), nn.ReLU(), nn.Linear(6, 3))

def unsupported():
    return nn.Sequential(nn.Flatten(), nn.Linear(25, 6), nn.Softplus(), nn.Linear(6, 3))

def not_a_number():
    model = tiny()
    with torch.no_grad():
        model[1].weight[2, 5] = float("nan")
    return model
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.py"
    path.write_text(MODEL)
    return path


@pytest.fixture
def larger(tmp_path: Path) -> Path:
    """Six labelled images of 5×5 pixels."""
    path = tmp_path / "larger.npz"
    images = np.random.default_rng(7).integers(0, 256, (6, 5, 5)).astype(np.uint8)
    np.savez(path, images=images, labels=np.arange(6) % 3)
    return path


def test_convert_and_evaluate_against_the_float_model(
    capsys: Captured, model: Path, larger: Path, tmp_path: Path
) -> None:
    import torch
    from torch import nn

    net = tmp_path / "net"
    # The float model is right about all labels but one: its accuracy is 5 of 6.
    images = np.load(larger)["images"]
    namespace: dict[str, object] = {}
    exec(MODEL, namespace)  # noqa: S102
    float_model: nn.Module = namespace["tiny"]()  # type: ignore[operator]
    raw = torch.from_numpy(images).float()
    labels = float_model((raw * 0.1 - 8) / 5).argmax(1).numpy().copy()
    # Each of the three normalisation options changes at least one class.
    for wrong in ((raw / 255 - 8) / 5, raw * 0.1 / 5, raw * 0.1 - 8):
        assert (float_model(wrong).argmax(1).numpy() != labels).any()
    labels[4] = (labels[4] + 1) % 3
    np.savez(larger, images=images, labels=labels)
    normalisation = ["--mean", "8", "--std", "5", "--scale", "1/10"]
    steps = ["--timesteps", "7", "--timesteps", "1=5", "--weight-bits", "9"]
    spec = f"{model}:tiny"
    assert (
        run(["convert", spec, "--data", str(larger), "-o", str(net), *normalisation, *steps]) == 0
    )
    capsys.readouterr()
    loaded = artefact.load(net)
    assert loaded.name == "tiny"
    assert (loaded.input.timesteps, loaded.layers[0].neuron.timesteps) == (8, 5)  # type: ignore[union-attr]
    assert run(["evaluate", str(net), "--data", str(larger), "--model", spec, "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["float_accuracy"] == pytest.approx(100 * 5 / 6)
    assert figures["float_images"] == "same"


@pytest.mark.parametrize(
    ("factory", "options", "reported"),
    [
        ("unsupported", [], "2 (Softplus): replace it"),
        ("not_a_number", [], "NaN"),
        ("tny", [], "did you mean 'tiny'?"),
        ("tiny", ["--scale", "-1"], "scale must be positive"),
        ("tiny", ["--scale", "0"], "scale must be positive"),
        ("tiny", ["--scale", "1/0"], "'1/0' is not a number"),
        ("tiny", ["--std", "0"], "std must be positive"),
        ("tiny", ["--mean", "0.1,0.2"], "mean must be one finite number, or one for each of 1"),
        ("tiny", ["--weight-bits", "1"], "weight_bits must be an integer from 2 to 16, not 1"),
        ("tiny", ["--timesteps", "17"], "timesteps must be an integer from 1 to 16, not 17"),
        ("tiny", ["--timesteps", "fc=4"], "timesteps are given for fc, but the network has"),
        ("tiny", ["--neuron", "lif"], "did you mean 'ilif'?"),
        ("tiny", ["--weights", "none.pt"], "none.pt: no such file"),
        ("tiny", ["--input-code", "posson"], "did you mean 'poisson'?"),
        ("tiny", ["--method", "rmp", "--input-code", "ttfs"], "fires as it integrates"),
    ],
)
def test_a_failed_conversion_leaves_no_folder(
    capsys: Captured,
    model: Path,
    larger: Path,
    tmp_path: Path,
    factory: str,
    options: list[str],
    reported: str,
) -> None:
    net = tmp_path / "net"
    spec = f"{model}:{factory}"
    message = fails(capsys, 2, "convert", spec, "--data", larger, "-o", net, *options)
    assert reported in message
    assert sorted(path.name for path in tmp_path.iterdir()) == ["larger.npz", "model.py"]


def test_a_program_needs_to_be_trusted(capsys: Captured, larger: Path, tmp_path: Path) -> None:
    import torch
    from torch import nn

    program, net = tmp_path / "m.pt2", tmp_path / "net"
    module = nn.Sequential(nn.Flatten(), nn.Linear(25, 3)).eval()
    torch.export.save(
        torch.export.export(module, (torch.zeros(2, 1, 5, 5),), strict=False), program
    )
    convert = ["convert", program, "--data", larger, "-o", net, "--effort", "fast"]
    assert "a .pt2 is a program" in fails(capsys, 2, *convert)
    assert not net.exists()
    assert run([*map(str, convert), "--trust-model"]) == 0
    capsys.readouterr()
    evaluate = ["evaluate", net, "--data", larger, "--model", program]
    assert "pass --trust-model" in fails(capsys, 2, *evaluate)
    assert run([*map(str, evaluate), "--trust-model"]) == 0


def test_a_poisson_network_by_feedback_and_its_classes(
    capsys: Captured, model: Path, larger: Path, tmp_path: Path
) -> None:
    from hwgen import golden
    from hwgen.network import HardResetNeuron

    net, spec = tmp_path / "net", f"{model}:tiny"
    method = ["--method", "feedback", "--timesteps", "6", "--floor", "-0.5"]
    method += ["--drive", "0.01"]
    input_options = ["--input-gain", "8", "--input-seed", "77"]
    search = ["--search-rounds", "2", "--search-images", "5", "--search-step", "0.5"]
    arguments = [
        "convert",
        spec,
        "--data",
        str(larger),
        "-o",
        str(net),
        *method,
        *input_options,
        *search,
    ]
    assert run(arguments) == 0
    assert "round 1, " in capsys.readouterr().err
    loaded = artefact.load(net)
    source = loaded.input
    assert (source.code, source.gain, source.seed, source.timesteps) == ("poisson", 8, 77, 6)
    assert isinstance(loaded.layers[0].neuron, HardResetNeuron)
    assert loaded.layers[0].neuron.floor is not None
    reported = loaded.provenance
    assert reported["feedback"]["images"] == 5
    assert reported["options"]["search_step"] == 0.5
    assert reported["options"]["drive"] == 0.01

    evaluate = ["evaluate", str(net), "--data", str(larger), "--per-class"]
    assert run([*evaluate, "--model", spec, "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    images, labels = np.load(larger)["images"][:, None], np.arange(6) % 3
    hits = golden.run(loaded, images).classes == labels
    for row in figures["classes"]:
        assert row["images"] == 2
        assert row["correct"] == hits[labels == row["label"]].sum()
        assert row["accuracy"] == 50 * row["correct"]
    float_accuracy = sum(row["float_accuracy"] for row in figures["classes"]) / 3
    assert figures["float_accuracy"] == pytest.approx(float_accuracy)
    assert run(evaluate) == 0
    assert "accuracy by class" in capsys.readouterr().out


def test_classes_are_reported_on_request_only(capsys: Captured, net: Path, data: Path) -> None:
    assert run(["evaluate", str(net), "--data", str(data), "--json"]) == 0
    assert "classes" not in json.loads(capsys.readouterr().out)


def test_options_and_defaults_of_the_command_are_those_of_the_function() -> None:
    """The sets below list the options that only one of the two has, or that differ in form."""
    from hwgen.commands.convert import command
    from hwgen.conversion import convert

    function = inspect.signature(convert).parameters
    options = {option.name: option for option in command.params}
    own = {
        "model", "weights", "trust_model", "data", "output", "samples", "as_json", "finetune",
        "finetune_rate",
    }  # fmt: skip
    python_only = {
        "images", "labels", "layer_timesteps", "finetuning", "progress", "model",
    }  # fmt: skip
    assert set(options) - own == set(function) - python_only
    for name in set(options) - own - {"timesteps", "name", "input_seed", "leak"}:
        default = options[name].to_info_dict()["default"]
        assert default == function[name].default, name


def test_decoders(capsys: Captured, model: Path, larger: Path, tmp_path: Path) -> None:
    """The artefact holds the requested decoder; an illegal combination is rejected."""
    net = tmp_path / "net"
    arguments = [
        "convert",
        f"{model}:tiny",
        "--data",
        str(larger),
        "-o",
        str(net),
        "--timesteps",
        "6",
    ]
    softmax = ["--neuron", "if2", "--decoder", "softmax", "--temperature", "2", "--json"]
    assert run([*arguments, *softmax]) == 0
    layers = json.loads(capsys.readouterr().out)["layers_of_network"]
    assert layers[-1]["neuron"] == "SoftmaxReadout"
    network = artefact.load(net)
    assert network.readout.neuron.timesteps == 6  # type: ignore[union-attr]
    reported = network.provenance["options"]
    assert (reported["decoder"], reported["temperature"]) == ("softmax", 2.0)
    message = fails(capsys, 2, *arguments, "--decoder", "softmax")
    assert "neuron 'ilif' with decoder 'softmax' is not a legal combination" in message
    assert "use decoder 'membrane'" in message


def test_combinations_are_listed(capsys: Captured) -> None:
    assert run(["methods", "--combinations"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "if, if_hard │ rate, poisson, direct, events │ membrane, spike_count, softmax" in shown
    assert run(["methods", "--combinations", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert {"neuron": "ttfs", "input_code": "ttfs", "decoder": "first_spike"} in listed
    assert all(legal["decoder"] != "softmax" for legal in listed if legal["neuron"] == "ilif")


def test_a_method_is_shown_with_its_equations(capsys: Captured) -> None:
    assert run(["methods", "rmp"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("rmp: RMP-SNN (Han, Srinivasan, Roy, CVPR 2020)\nneurons if (rate)")
    plain = "channel_scales no, bias_correction none, rounding nearest"
    assert f"defaults {plain}, thresholds current, threshold_scale 0.8, eta 0" in shown
    assert "a soft reset" in shown
    assert run(["methods", "weight_norm", "--json"]) == 0
    (listed,) = json.loads(capsys.readouterr().out).values()
    assert "W ← λ_{n−1} / λ_n·W" in listed["equations"]
    assert "did you mean 'rmp'?" in fails(capsys, 2, "methods", "rpm")


def test_a_warning_is_one_line_and_an_error_under_strict(
    capsys: Captured, model: Path, tmp_path: Path
) -> None:
    black, net = tmp_path / "black.npz", tmp_path / "net"
    np.savez(black, images=np.zeros((4, 5, 5), np.uint8))
    arguments = ["convert", f"{model}:tiny", "--data", str(black), "-o", str(net)]
    warning = "calibration images: all are black; pass training images, as the model saw them"
    message = fails(capsys, 2, *arguments, "--strict")
    assert f"hwgen: error: {warning}\n" in message
    assert sorted(path.name for path in tmp_path.iterdir()) == ["black.npz", "model.py"]
    assert run(arguments) == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines.count(f"warning: {warning}") == 1
    assert not [line for line in lines if "HwgenWarning" in line or "warnings.warn" in line]
    assert warning in artefact.load(net).provenance["warnings"]


def test_evaluate_shows_what_conversion_warned_of_and_labels_outside(
    capsys: Captured, model: Path, larger: Path, tmp_path: Path
) -> None:
    net, spec = tmp_path / "net", f"{model}:tiny"
    images = np.load(larger)["images"]
    np.savez(larger, images=images, labels=np.arange(6) % 3 + 1)
    outside = (
        "labels reach from 1 to 3, but the network has the classes 0 … 2; give data of the same "
        "classes"
    )
    assert run(["convert", spec, "--data", str(larger), "-o", str(net)]) == 0
    assert f"warning: calibration {outside}\n" in capsys.readouterr().err
    evaluate = ["evaluate", str(net), "--data", str(larger)]
    assert run([*evaluate, "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["warnings"] == [f"calibration {outside}"]
    lines = printed.err.splitlines()
    assert f"warning: {outside}" in lines
    assert f"warning of the conversion: calibration {outside}" in lines
