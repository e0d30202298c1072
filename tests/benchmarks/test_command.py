"""Options, files and tables that the benchmarks share."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.command import data_folder, make_parser, write_json
from benchmarks.table import make_table, text, transposed_table


def test_parser_offers_what_the_benchmark_has() -> None:
    parser = make_parser("First line.\n\nMore.", quick="less", cache=True, samples=1_000)
    assert parser.description == "First line."
    assert vars(parser.parse_args([])) == {
        "json": None, "quick": False, "cache": None, "samples": 1000,
    }  # fmt: skip
    assert vars(make_parser("x").parse_args(["--json", "f"])) == {"json": Path("f")}


def test_data_folder_names_the_missing_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HWGEN_DATA", str(tmp_path))
    (tmp_path / "a.npz").touch()
    assert data_folder("a.npz") == tmp_path
    with pytest.raises(SystemExit, match=r"set HWGEN_DATA to the folder with b.npz and c.npz"):
        data_folder("a.npz", "b.npz", "c.npz")


def test_json_goes_into_a_new_folder(tmp_path: Path) -> None:
    path = tmp_path / "new" / "figures.json"
    write_json(path, {"rows": [1, 2.5]})
    assert json.loads(path.read_text(encoding="utf-8")) == {"rows": [1, 2.5]}
    write_json(None, {"rows": []})


def test_cells() -> None:
    values = (None, True, 1234, 1234.567, {"a": 1, "b": 2}, "x")
    assert [text(value) for value in values] == ["", "True", "1,234", "1,234.57", "1 2", "x"]


def test_tables() -> None:
    console = Console(width=60, record=True, quiet=False)
    console.print(make_table("title", ("name", "count"), [("a", 1), ("bb", 1000)], left=("name",)))
    console.print(transposed_table("other", [{"x_y": 1}, {"x_y": 2, "z": 3.0}]))
    shown = console.export_text()
    assert "│ bb   │ 1,000 │" in shown
    assert "│ a    │     1 │" in shown
    assert "│ x y │ 1 │    2 │" in shown
    assert "│ z   │   │ 3.00 │" in shown
