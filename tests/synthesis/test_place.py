"""Reports of a nextpnr that hwgen does not know are refused in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hwgen import boards
from hwgen.errors import ToolError
from hwgen.synthesis import place

LUTS = {"TRELLIS_COMB": {"used": 12, "available": 24288}}
PATH: dict[str, Any] = {"from": "clk", "to": "clk", "path": []}


def placed(report: dict[str, Any], folder: Path, monkeypatch: pytest.MonkeyPatch):
    def run(tool: str, options: list[str], *, folder: Path, log: Path, watch: object) -> None:
        if tool.startswith("nextpnr"):
            (folder / options[options.index("--report") + 1]).write_text(json.dumps(report))

    monkeypatch.setattr(place, "run", run)
    work = folder / "synth"
    work.mkdir()
    board = boards.load("ulx3s-25f")
    return place.place_and_route(
        board, netlist="netlist.json", clock_mhz=25.0, seed=1, folder=folder, work=work
    )[0]


def test_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = {"fmax": {"clk": {"achieved": 101.5}}, "utilization": LUTS, "critical_paths": []}
    found = placed(report, tmp_path, monkeypatch)
    assert found.fmax_mhz == 101.5
    assert {r.value: usage.used for r, usage in found.utilisation.items()} == {"lut4": 12}


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ({"utilization": {}}, "utilization has no TRELLIS_COMB"),
        ({"utilization": {"TRELLIS_COMB": 12}}, "utilization.TRELLIS_COMB"),
        ({"critical_paths": [PATH]}, "critical_paths.0.path"),
        ({"fmax": None}, "fmax"),
    ],
)
def test_other_reports(
    changed: dict[str, Any], wanted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = {"fmax": {}, "utilization": LUTS, "critical_paths": []} | changed
    with pytest.raises(ToolError, match=f"{wanted}.*use another nextpnr"):
        placed(report, tmp_path, monkeypatch)
