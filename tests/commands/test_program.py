"""The `hwgen` program: help, exit codes, suggestions."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from hwgen import artefact
from hwgen.cli import COMMANDS, run
from tests.support.command_line import Captured, fails

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


def test_an_interrupted_command_reports_it(
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


def test_a_missing_module_of_our_own_keeps_its_traceback(
    monkeypatch: pytest.MonkeyPatch, net: Path, data: Path
) -> None:
    def broken(*_: object) -> None:
        raise ModuleNotFoundError("No module named 'hwgenn'", name="hwgenn.network")

    monkeypatch.setattr(artefact, "load", broken)
    with pytest.raises(ModuleNotFoundError, match="hwgenn"):
        run(["evaluate", str(net), "--data", str(data)])


# --- options ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["generat"], "did you mean 'generate'?"),
        (["zzz"], "unknown command 'zzz'; available: convert, methods, evaluate"),
        (["generate", "net", "-o", "b", "--pipeline", "overlapp"], "did you mean 'overlap'?"),
        (["generate", "net", "-o", "b", "--pipelin", "overlap"], "Did you mean"),
        (["generate", "net", "-o", "b", "--lanes", "many"], "neither a number nor LAYER=number"),
        (["generate", "net", "-o", "b", "--lanes", "conv=0"], "must be at least 1, not 0"),
        (["generate", "net"], "Missing option '-o' / '--output'"),
        (["simulate", "b", "--data", "x", "--simulator", "veriltor"], "did you mean 'verilator'?"),
        (
            ["simulate", "b", "--data", "x", "--idle", "often"],
            "available: none, random, adversarial",
        ),
        (["simulate", "b", "--data", "x", "--samples", "0"], "'--samples'"),
        (["build", "b", "--clock-mhz", "fast"], "'--clock-mhz'"),
    ],
)
def test_a_wrong_option_is_reported(capsys: Captured, arguments: list[str], message: str) -> None:
    assert message in fails(capsys, 2, *arguments)


def test_an_unknown_layer_is_reported(capsys: Captured, net: Path, tmp_path: Path) -> None:
    build = tmp_path / "build"
    message = fails(capsys, 2, "generate", net, "-o", build, "--lanes", "cnv=2")
    assert "unknown layer 'cnv'; did you mean 'conv'?" in message
    assert not build.exists()


def test_repeated_lanes_are_rejected(capsys: Captured, net: Path, tmp_path: Path) -> None:
    message = fails(
        capsys, 2, "generate", net, "-o", tmp_path / "b", "--lanes", "2", "--lanes", "1"
    )
    assert "--lanes is given twice for the whole network: 2 and 1" in message


def test_lanes_of_the_network_and_of_a_layer(capsys: Captured, net: Path, tmp_path: Path) -> None:
    options = ["--lanes", "2", "--lanes", "fc=3", "--json"]
    assert run(["generate", str(net), "-o", str(tmp_path / "build"), *options]) == 0
    stages = json.loads(capsys.readouterr().out)["plan"]["stages"]
    assert [(stage["node"], stage["lanes"]) for stage in stages] == [("conv", 2), ("fc", 3)]


def test_more_lanes_than_channels_are_rejected(capsys: Captured, net: Path, tmp_path: Path) -> None:
    build = tmp_path / "build"
    message = fails(capsys, 2, "generate", net, "-o", build, "--lanes", "conv=3")
    assert "conv: lanes 3 is more than its 2" in message
    assert not build.exists()


def test_an_unknown_board_leaves_no_folder(capsys: Captured, net: Path, tmp_path: Path) -> None:
    build = tmp_path / "build"
    message = fails(capsys, 2, "generate", net, "-o", build, "--board", "ulx3s85f")
    assert "did you mean 'ulx3s-85f'?" in message
    assert not build.exists()
