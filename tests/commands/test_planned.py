"""``generate`` with a target rate, a LUT limit, or a folding file."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from hwgen import artefact, boards
from hwgen.cli import run
from hwgen.errors import PlanError
from hwgen.generation.generator import generate
from hwgen.network import Network
from hwgen.plan.search import target as planning
from hwgen.plan.search.expectation import Expectation
from tests.support.command_line import Captured, fails, small_network


@pytest.fixture
def probed(tmp_path: Path) -> Path:
    """A saved network with calibration images."""
    network = small_network()
    probe = np.random.default_rng(1).integers(0, 256, (3, 1, 4, 4)).astype(np.uint8)
    artefact.save(type(network)(**{**vars(network), "probe": probe}), tmp_path / "probed")
    return tmp_path / "probed"


def made(capsys: Captured, *arguments: str | Path) -> dict[str, Any]:
    assert run(["generate", *map(str, arguments), "--json"]) == 0
    printed: dict[str, Any] = json.loads(capsys.readouterr().out)
    return printed


def expected(network: Network, **options: Any) -> Expectation:
    found = generate(network, **options).expected
    assert found is not None
    return found


def test_the_plan_reaches_the_target_rate(capsys: Captured, probed: Path, tmp_path: Path) -> None:
    slow, fast = (
        made(capsys, probed, "-o", tmp_path / rate, "--target-fps", rate, "--clock-mhz", "10")
        for rate in ("20000", "100000")
    )
    assert slow["predicted"]["interval_cycles"] <= 10e6 / 20000
    assert fast["predicted"]["interval_cycles"] <= 10e6 / 100000
    assert slow["expected"]["lut4"] < fast["expected"]["lut4"]
    assert fast["expected"]["results_per_s"] == pytest.approx(
        10e6 / fast["predicted"]["interval_cycles"]
    )
    # The folding file in the build folder gives the same plan; it may be edited.
    folding = tmp_path / "100000" / "folding.yaml"
    again = made(capsys, probed, "-o", tmp_path / "again", "--folding", folding)
    assert again["plan"] == fast["plan"]
    folding.write_text(folding.read_text() + "# mine\n")
    data = tmp_path / "data.npz"
    np.savez(data, images=np.zeros((1, 4, 4), np.uint8), labels=np.zeros(1, np.int64))
    assert run(["report", str(tmp_path / "100000")]) == 0


def test_the_table_names_the_bottleneck(capsys: Captured, probed: Path, tmp_path: Path) -> None:
    arguments = ["--target-fps", "20000", "--board", "ulx3s-25f"]
    assert run(["generate", str(probed), "-o", str(tmp_path / "b"), *arguments]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "/s at 100 MHz; limited by" in shown
    assert "LUT4 of 18,216," in shown  # 75 % of 24,288
    assert "flip-flops of 24,138," in shown  # 150 are the shell's
    assert "block RAMs of 56;" in shown


def test_without_a_rate_the_fastest_plan_that_fits_is_chosen(probed: Path) -> None:
    network = artefact.load(probed)
    with pytest.raises(PlanError) as rejected:
        generate(network, max_luts=50)
    minimum = re.search(r"needs ([\d,]+) LUT4 of 50", str(rejected.value))
    assert minimum is not None
    luts = int(minimum[1].replace(",", "")) + 1
    few, many = (expected(network, max_luts=limit) for limit in (luts, 6000))
    assert few.lut4 <= luts
    assert many.lut4 <= 6000
    assert many.interval_cycles < few.interval_cycles
    fastest = expected(network, target_fps="max", board="ulx3s-25f")
    assert fastest.interval_cycles <= many.interval_cycles


@pytest.mark.parametrize(
    ("arguments", "reported"),
    [
        (["--target-fps", "1000"], "target_fps needs a clock; give a board or clock_mhz"),
        (["--target-fps", "max"], "target_fps 'max' needs a limit; give a board or max_luts"),
        (["--target-fps", "fast"], "neither a number of results per second nor max"),
        (
            ["--target-fps", "0", "--board", "ulx3s-25f"],
            "target_fps must be a number above 0, or 'max', not 0",
        ),
        (
            ["--target-fps", "1000", "--board", "ulx3s-25f", "--lanes", "2"],
            "target_fps or max_luts and lanes cannot be given together",
        ),
        (
            ["--target-fps", "9e6", "--board", "ulx3s-25f"],
            "9e+06 results/s at 100 MHz are not reachable on ulx3s-25f: ",
        ),
        (["--max-luts", "50"], "no plan fits: the smallest plan needs"),
        (["--folding", "nowhere.yaml"], "folding file nowhere.yaml cannot be read"),
        (
            ["--folding", "nowhere.yaml", "--schedule", "time"],
            "folding and schedule cannot be given together",
        ),
    ],
)
def test_an_impossible_plan_is_rejected(
    capsys: Captured, probed: Path, tmp_path: Path, arguments: list[str], reported: str
) -> None:
    message = fails(capsys, 2, "generate", probed, "-o", tmp_path / "build", *arguments)
    assert reported in message
    assert not (tmp_path / "build").exists()


def test_the_planner_needs_calibration_images(net: Path) -> None:
    with pytest.raises(PlanError, match="the network has none"):
        generate(artefact.load(net), target_fps=1000, clock_mhz=100)


def test_a_larger_board_is_named(monkeypatch: pytest.MonkeyPatch, probed: Path) -> None:
    """With a small usable share of each FPGA, only the larger ones hold the network."""
    network = artefact.load(probed)
    needs = expected(network, target_fps=100000, clock_mhz=10).lut4
    monkeypatch.setattr(planning, "FILL", 1.1 * needs / 43848)
    monkeypatch.setattr(planning, "CELL_FILL", 0.01)
    with pytest.raises(PlanError) as rejected:
        generate(network, target_fps=100000, clock_mhz=10, board="ulx3s-25f")
    assert "; it fits on ulx3s-45f; or omit the counters" in str(rejected.value)
    monkeypatch.setattr(planning, "FILL", 0.001)
    with pytest.raises(PlanError, match="it fits on no board that comes with hwgen"):
        generate(network, target_fps=100000, clock_mhz=10, board="ulx3s-25f")


@pytest.mark.parametrize("way", [(), ("--target-fps", "max")])
def test_what_does_not_fit_is_written_with_force_only(
    capsys: Captured, probed: Path, tmp_path: Path, way: tuple[str, ...]
) -> None:
    """By hand and by the planner; the warning is red on a terminal, and on standard error."""
    given = tmp_path / "tiny.yaml"
    board = boards.load("icebreaker").model_dump()
    board |= {"name": "tiny", "resources": board["resources"] | {"lut4": 900, "block_ram": 2}}
    given.write_text(yaml.safe_dump(board))
    build = tmp_path / "b"
    arguments = [probed, "-o", build, "--board", given, *way]
    message = fails(capsys, 2, "generate", *arguments)
    assert re.search(r"needs [\d,]+ LUT4 of 700 \([\d,]+ too many\), .* block RAMs of 2 ", message)
    assert re.search(r"it fits on \S+; .*convert with fewer weight bits", message)
    assert not build.exists()
    assert run(["generate", *map(str, arguments), "--force"]) == 0
    assert re.search(r"^warning: .*LUT4 of 700", capsys.readouterr().err, re.MULTILINE)
    assert (build / "manifest.json").exists()
