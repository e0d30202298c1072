"""The command line: what it prints where, its exit codes, one message for each mistake."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hwgen import artefact
from hwgen.cli import COMMANDS, run
from hwgen.network import (
    Conv2d,
    Flatten,
    Input,
    InverseLeakyNeuron,
    Layer,
    Linear,
    Network,
    ReadOut,
)

Captured = pytest.CaptureFixture[str]
ROOT = Path(__file__).parents[1]


def small_network(name: str = "small", layer: str = "conv") -> Network:
    """2 channels of 3×3 from 4×4 pixels, then 3 classes; seeded weights."""
    rng = np.random.default_rng(5)

    def weights(*shape: int) -> np.ndarray:
        return rng.integers(-7, 8, shape).astype(np.int32)

    return Network(
        name=name,
        input=Input(shape=(1, 4, 4), timesteps=3),
        nodes=(
            Layer(
                name=layer,
                projections=(Conv2d(source="input", weights=weights(2, 1, 2, 2)),),
                bias=np.zeros(2, np.int64),
                neuron=InverseLeakyNeuron(threshold=np.array([5, 9], np.int64), timesteps=3),
            ),
            Flatten(name="flat", source=layer),
            Layer(
                name="fc",
                projections=(Linear(source="flat", weights=weights(3, 18)),),
                bias=np.zeros(3, np.int64),
                neuron=ReadOut(),
            ),
        ),
    )


@pytest.fixture
def net(tmp_path: Path) -> Path:
    artefact.save(small_network(), tmp_path / "net")
    return tmp_path / "net"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rng = np.random.default_rng(6)
    path = tmp_path / "data.npz"
    images = rng.integers(0, 256, (6, 4, 4)).astype(np.uint8)
    np.savez(path, images=images, labels=np.arange(6) % 3)
    return path


def fails(capsys: Captured, code: int, *arguments: str | Path) -> str:
    """Run a command that must fail; gives its one message."""
    assert run([str(argument) for argument in arguments]) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    messages = [line for line in shown.err.splitlines() if line.startswith("hwgen: error: ")]
    assert len(messages) == 1
    assert "Traceback" not in shown.err
    return shown.err


# --- the program --------------------------------------------------------------------------------


def test_help_names_every_command(capsys: Captured) -> None:
    assert run(["--help"]) == 0
    listed = capsys.readouterr().out
    assert [name for name in COMMANDS if f"\n  {name} " not in listed] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str, capsys: Captured) -> None:
    assert run([name, "--help"]) == 0
    assert f"Usage: hwgen {name}" in capsys.readouterr().out


def test_the_installed_program_gives_the_exit_code(tmp_path: Path) -> None:
    program = Path(sys.executable).parent / "hwgen"
    if not program.exists():
        pytest.skip("hwgen is not installed in this environment")
    result = subprocess.run(
        [program, "evaluate", tmp_path / "none", "--data", "x.npz"], capture_output=True, text=True
    )
    assert result.returncode == 2
    assert result.stderr.startswith("hwgen: error: ")


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch, net: Path, data: Path) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(artefact, "load", broken)
    with pytest.raises(ZeroDivisionError):
        run(["evaluate", str(net), "--data", str(data)])


def test_an_interrupted_command_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: Captured, net: Path, data: Path
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(artefact, "load", interrupted)
    assert "interrupted" in fails(capsys, 130, "evaluate", net, "--data", data)


@pytest.mark.parametrize(("package", "extra"), [("torch", "convert"), ("cocotb_tools", "sim")])
def test_a_missing_extra_is_named(
    monkeypatch: pytest.MonkeyPatch,
    capsys: Captured,
    net: Path,
    data: Path,
    package: str,
    extra: str,
) -> None:
    def missing(*_: object) -> None:
        raise ModuleNotFoundError(f"No module named '{package}'", name=f"{package}.inner")

    monkeypatch.setattr(artefact, "load", missing)
    message = fails(capsys, 3, "evaluate", net, "--data", data)
    assert f"pip install 'hwgen[{extra}]'" in message


# --- options ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["generat"], "did you mean 'generate'?"),
        (["zzz"], "have convert, evaluate"),
        (["generate", "net", "-o", "b", "--pipeline", "overlapp"], "did you mean 'overlap'?"),
        (["generate", "net", "-o", "b", "--pipelin", "overlap"], "Did you mean"),
        (["generate", "net", "-o", "b", "--lanes", "many"], "neither a number nor LAYER=number"),
        (["generate", "net", "-o", "b", "--lanes", "conv=0"], "must be at least 1, not 0"),
        (["generate", "net"], "Missing option '-o' / '--output'"),
        (["simulate", "b", "--data", "x", "--simulator", "veriltor"], "did you mean 'verilator'?"),
        (["simulate", "b", "--data", "x", "--idle", "often"], "have none, random, adversarial"),
        (["simulate", "b", "--data", "x", "--samples", "0"], "'--samples'"),
        (["build", "b", "--freq", "fast"], "'--freq'"),
    ],
)
def test_a_wrong_option_is_told(capsys: Captured, arguments: list[str], told: str) -> None:
    assert told in fails(capsys, 2, *arguments)


def test_a_layer_that_is_not_there_is_told(capsys: Captured, net: Path, tmp_path: Path) -> None:
    build = tmp_path / "build"
    message = fails(capsys, 2, "generate", net, "-o", build, "--lanes", "cnv=2")
    assert "no layer is called 'cnv'; did you mean 'conv'?" in message
    assert not build.exists()


def test_lanes_given_twice_are_refused(capsys: Captured, net: Path, tmp_path: Path) -> None:
    message = fails(
        capsys, 2, "generate", net, "-o", tmp_path / "b", "--lanes", "2", "--lanes", "1"
    )
    assert "--lanes is given twice for the whole network: 2 and 1" in message


def test_lanes_of_the_network_and_of_a_layer(capsys: Captured, net: Path, tmp_path: Path) -> None:
    options = ["--lanes", "2", "--lanes", "fc=3", "--json"]
    assert run(["generate", str(net), "-o", str(tmp_path / "build"), *options]) == 0
    stages = json.loads(capsys.readouterr().out)["plan"]["stages"]
    assert [(stage["node"], stage["lanes"]) for stage in stages] == [("conv", 2), ("fc", 3)]


def test_more_lanes_than_channels_are_refused_by_layer(
    capsys: Captured, net: Path, tmp_path: Path
) -> None:
    build = tmp_path / "build"
    message = fails(capsys, 2, "generate", net, "-o", build, "--lanes", "conv=3")
    assert "conv: lanes 3 is more than its 2" in message
    assert not build.exists()


def test_an_unknown_board_leaves_no_folder(capsys: Captured, net: Path, tmp_path: Path) -> None:
    build = tmp_path / "build"
    message = fails(capsys, 2, "generate", net, "-o", build, "--board", "ulx3s85f")
    assert "did you mean 'ulx3s-85f'?" in message
    assert not build.exists()


# --- folders and data ---------------------------------------------------------------------------


def test_a_truncated_artefact_is_refused(capsys: Captured, net: Path, data: Path) -> None:
    weights = net / "weights.npz"
    weights.write_bytes(weights.read_bytes()[:-200])
    assert "weights.npz" in fails(capsys, 2, "evaluate", net, "--data", data)


def test_an_edited_artefact_is_refused(
    capsys: Captured, net: Path, data: Path, tmp_path: Path
) -> None:
    document = net / "network.yaml"
    document.write_text(document.read_text().replace("timesteps: 3", "timesteps: 4"))
    assert "network.yaml" in fails(capsys, 2, "evaluate", net, "--data", data)
    assert "network.yaml" in fails(capsys, 2, "generate", net, "-o", tmp_path / "build")
    assert not (tmp_path / "build").exists()


def test_images_of_another_size_are_refused(capsys: Captured, net: Path, tmp_path: Path) -> None:
    path = tmp_path / "wrong.npz"
    np.savez(path, images=np.zeros((2, 5, 4), np.uint8))
    message = fails(capsys, 2, "evaluate", net, "--data", path)
    assert "must have shape (N, 1, 4, 4), not (2, 1, 5, 4)" in message


def test_images_of_another_type_are_refused(capsys: Captured, net: Path, tmp_path: Path) -> None:
    path = tmp_path / "wrong.npz"
    np.savez(path, images=np.zeros((2, 4, 4), np.float32))
    assert "float32" in fails(capsys, 2, "evaluate", net, "--data", path)


def test_pickled_data_is_refused(capsys: Captured, net: Path, tmp_path: Path) -> None:
    path = tmp_path / "pickled.npz"
    np.savez(path, images=np.array([{"a": 1}], dtype=object))
    assert "pickled.npz" in fails(capsys, 2, "evaluate", net, "--data", path)


@pytest.mark.parametrize("command", ["simulate", "build", "report"])
def test_a_folder_that_is_no_build_is_refused(
    capsys: Captured, net: Path, data: Path, command: str
) -> None:
    options = ["--data", data, "--samples", "2"] if command == "simulate" else []
    before = sorted(net.rglob("*"))
    assert "no manifest.json" in fails(capsys, 2, command, net, *options)
    assert sorted(net.rglob("*")) == before


def test_more_samples_than_images_are_refused(
    capsys: Captured, net: Path, data: Path, tmp_path: Path
) -> None:
    build = tmp_path / "build"
    assert run(["generate", str(net), "-o", str(build)]) == 0
    capsys.readouterr()
    message = fails(capsys, 2, "simulate", build, "--data", data, "--samples", "7")
    assert "7 samples are asked for, but there are 6 images" in message


def test_a_missing_simulator_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: Captured, net: Path, data: Path, tmp_path: Path
) -> None:
    build = tmp_path / "build"
    assert run(["generate", str(net), "-o", str(build)]) == 0
    capsys.readouterr()
    monkeypatch.setenv("PATH", str(tmp_path))
    arguments = ("simulate", build, "--data", data, "--samples", "2", "--simulator", "icarus")
    assert "Icarus Verilog" in fails(capsys, 3, *arguments)


def test_a_folder_of_something_else_is_not_overwritten(
    capsys: Captured, net: Path, tmp_path: Path
) -> None:
    build = tmp_path / "precious"
    build.mkdir()
    (build / "thesis.tex").write_text("years of work")
    fails(capsys, 2, "generate", net, "-o", build)
    assert (build / "thesis.tex").read_text() == "years of work"


# --- what they print ----------------------------------------------------------------------------


def test_evaluate_prints_json_alone_on_standard_output(
    capsys: Captured, net: Path, data: Path
) -> None:
    from hwgen import golden

    assert run(["evaluate", str(net), "--data", str(data), "--json"]) == 0
    shown = capsys.readouterr()
    figures = json.loads(shown.out)
    images = np.load(data)["images"][:, None]
    result = golden.run(small_network(), images)
    assert figures["accuracy"] == pytest.approx(100 * np.mean(result.classes == np.arange(6) % 3))
    # 18 neurons fire in this network, all in one layer.
    assert figures["spikes_per_neuron"] == pytest.approx(result.spikes["conv"].mean() / 18)
    assert [layer["layer"] for layer in figures["layers"]] == ["conv", "fc"]
    assert "evaluating" in shown.err


def test_evaluate_takes_the_first_samples(capsys: Captured, net: Path, data: Path) -> None:
    assert run(["evaluate", str(net), "--data", str(data), "--json", "--samples", "4"]) == 0
    assert json.loads(capsys.readouterr().out)["images"] == 4


@pytest.mark.parametrize("name", ["module", "a.b/c", "10 ways"])
def test_any_name_becomes_verilog(capsys: Captured, tmp_path: Path, name: str) -> None:
    net, build = tmp_path / "net", tmp_path / "build"
    artefact.save(small_network(name=name, layer="always"), net)
    assert run(["generate", str(net), "-o", str(build), "--json"]) == 0
    manifest = json.loads((build / "manifest.json").read_text())
    verilog = "".join((build / source).read_text() for source in manifest["sources"])
    assert f"module {manifest['top']}(" in verilog
    assert manifest["top"] not in ("module", "a.b/c", "10 ways")


# --- convert ------------------------------------------------------------------------------------

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


def test_convert_and_evaluate_beside_the_float_model(
    capsys: Captured, model: Path, larger: Path, tmp_path: Path
) -> None:
    import torch

    net = tmp_path / "net"
    # Labels that the float model gets right, but for one: 5 of 6 is its accuracy.
    images = np.load(larger)["images"]
    namespace: dict[str, object] = {}
    exec(MODEL, namespace)  # noqa: S102
    pixels = (torch.from_numpy(images).float() * 0.01 - 0.25) / 0.5
    logits = namespace["tiny"]()(pixels)  # type: ignore[operator]
    labels = logits.argmax(1).numpy().copy()
    labels[4] = (labels[4] + 1) % 3
    np.savez(larger, images=images, labels=labels)
    fed = ["--mean", "0.25", "--std", "0.5", "--scale", "1/100"]
    steps = ["--timesteps", "7", "--timesteps", "1=5", "--weight-bits", "9"]
    spec = f"{model}:tiny"
    assert run(["convert", spec, "--data", str(larger), "-o", str(net), *fed, *steps]) == 0
    capsys.readouterr()
    loaded = artefact.load(net)
    assert loaded.name == "tiny"
    assert (loaded.input.timesteps, loaded.layers[0].neuron.timesteps) == (7, 5)  # type: ignore[union-attr]
    assert run(["evaluate", str(net), "--data", str(larger), "--model", spec, "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["float_accuracy"] == pytest.approx(100 * 5 / 6)
    assert figures["float_images"] == "same"


@pytest.mark.parametrize(
    ("factory", "options", "told"),
    [
        ("unsupported", [], "2 (Softplus): replace it"),
        ("not_a_number", [], "NaN"),
        ("tny", [], "did you mean tiny?"),
        ("tiny", ["--scale", "-1"], "scale must be positive"),
        ("tiny", ["--scale", "0"], "scale must be positive"),
        ("tiny", ["--scale", "1/0"], "'1/0' is no number"),
        ("tiny", ["--std", "0"], "std must be positive"),
        ("tiny", ["--mean", "0.1,0.2"], "mean must be one finite number, or one for each of 1"),
        ("tiny", ["--weight-bits", "1"], "weight_bits must be an integer from 2 to 16, not 1"),
        ("tiny", ["--timesteps", "17"], "timesteps must be an integer from 1 to 16, not 17"),
        ("tiny", ["--timesteps", "fc=4"], "timesteps are given for fc, but the network has"),
        ("tiny", ["--neuron", "lif"], "did you mean 'ilif'?"),
        ("tiny", ["--weights", "none.pt"], "none.pt: no such file"),
    ],
)
def test_what_cannot_be_converted_leaves_no_folder(
    capsys: Captured,
    model: Path,
    larger: Path,
    tmp_path: Path,
    factory: str,
    options: list[str],
    told: str,
) -> None:
    net = tmp_path / "net"
    spec = f"{model}:{factory}"
    message = fails(capsys, 2, "convert", spec, "--data", larger, "-o", net, *options)
    assert told in message
    assert sorted(path.name for path in tmp_path.iterdir()) == ["larger.npz", "model.py"]


def test_the_choices_of_convert_are_those_of_the_package() -> None:
    from hwgen import convert as package
    from hwgen.commands import convert

    assert list(package.METHODS) == convert.METHODS
    assert list(package.NEURONS) == convert.NEURONS
    assert list(package.ERRORS) == convert.ERRORS
    assert list(package.CORRECTIONS) == convert.CORRECTIONS
