"""The counting rules of benchmarks/structure.py, on a tree of a few lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.structure import folder_sizes, main, measure, totals
from benchmarks.structure_counts import all_counts, neuron_names, sources

FILES = {
    "hwgen/network/neurons.py": """\
class _Threshold: ...
class LeakyNeuron(_Threshold): ...
class Readout: ...
TwoPhase = LeakyNeuron | Readout
Either = TwoPhase | LeakyNeuron
Mixed = LeakyNeuron | int
def levels(neuron, code):
    return isinstance(neuron, LeakyNeuron) and code == "radix"
""",
    "hwgen/plan/widths.py": """\
def width(neuron, layer, plan, v, leak, n, m):
    if isinstance(neuron, LeakyNeuron | Readout):  # one test
        pass
    if isinstance(neuron, Either) or isinstance(layer, Layer):
        pass
    if type(neuron) is network.Readout:
        pass
    match neuron:
        case LeakyNeuron(threshold=1):
            pass
        case Layer():
            pass
    match plan.kind:
        case "two-phase" | "softmax":  # two patterns
            pass
        case "unheard of":
            pass
    if plan.schedule != "row" or plan.kind in ("masked", "every") or "ecp5" == plan.family:
        pass
    if plan.name == "conv1" or plan.kind is SOME or plan.depth < 3:
        pass
    v = v + (v * leak.n >> leak.m)
    v += n * v // (1 << m)
    return v * 3 >> m, v >> leak.m, v * n >> 2
""",
    "hwgen/artefact/read.py": "def read(d):\n    return d['kind'] == 'radix'\n",
    "hwgen/report/gather.py": """\
def gather(manifest, seen, axes, document):
    manifest["plan"]["encoder"] = seen.get("word", 0)
    return axes["x"], LATENCY["y"], document[3], json.loads("{}")["z"], cell["type"]
""",
    "hwgen/rtl/leak.py": "grown = v + (v * leak.n >> leak.m)\n",
    "sim/runner.py": "def words(state):\n    return state['words']\n",
    "sim/tb.v": "module tb;\nendmodule\n",
    "sim/notes.txt": "not counted\n",
    "elsewhere/other.py": "x = isinstance(y, LeakyNeuron)\n",
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def test_neuron_names_include_unions_of_neurons_only(tree: Path) -> None:
    assert neuron_names(sources(tree)) == {"LeakyNeuron", "Readout", "TwoPhase", "Either"}


def test_places_follow_the_rules(tree: Path) -> None:
    def widths(*lines: int) -> list[str]:
        return [f"hwgen/plan/widths.py:{line}" for line in lines]

    assert list(all_counts(sources(tree)).values()) == [
        widths(2, 4, 6, 9),
        ["hwgen/network/neurons.py:8", *widths(14, 14, 18, 18, 18)],
        ["hwgen/artefact/read.py:2", *["hwgen/report/gather.py:2"] * 3, "sim/runner.py:2"],
        widths(22, 23),
    ]


def test_sizes_count_python_and_the_simulators_sources(tree: Path) -> None:
    sizes = folder_sizes(tree)
    assert sizes["sim/"] == (2, 4)
    assert sizes["hwgen/network/"] == (1, 8)
    assert set(sizes) == {
        "hwgen/artefact/", "hwgen/network/", "hwgen/plan/", "hwgen/report/", "hwgen/rtl/", "sim/",
    }  # fmt: skip
    (tree / "hwgen/rtl/long.py").write_text("pass\n" * 251)
    (tree / "hwgen/rtl/just.py").write_text("pass\n" * 250)
    figures = measure(tree)
    assert figures["long_files"] == {"hwgen/rtl/long.py": 251}
    assert figures["largest_folder"] == "hwgen/rtl/"
    summary = totals(figures)
    assert summary["lines"] == 42 + 251 + 250
    assert summary["files in the largest folder"] == 3


def test_command_compares_two_checkouts(
    tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = Path(__file__).parents[2]
    written = tmp_path / "new" / "figures.json"
    main(["--root", str(root), "--compare", str(tree), "--json", str(written)])
    found = json.loads(written.read_text(encoding="utf-8"))
    assert found["before"]["largest_folder"] == "sim/"
    assert found["now"]["lines"] > 20_000
    [line] = [text for text in capsys.readouterr().out.splitlines() if "│ files over 250" in text]
    assert [int(cell) for cell in line.split("│")[2:4]] == [0, len(found["now"]["long_files"])]
