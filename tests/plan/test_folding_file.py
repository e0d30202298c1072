"""Folding files: reading, writing, editing, and rejected files."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from hwgen.errors import PlanError
from hwgen.plan import folding_file
from hwgen.plan.assembly import make_plan
from hwgen.plan.units.options import PlanOptions
from tests.support import two_layers

ORDER = [0, 2, 4, 6, 1, 3, 5, 7]


def written(folder: Path, text: str) -> Path:
    path = folder / "folding.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_plan_survives_a_folding_file(tmp_path: Path) -> None:
    network = two_layers.network()
    plan = make_plan(
        network,
        PlanOptions(
            schedule="time",
            pipeline="alternate",
            input_width=64,
            lanes={"quiet": 2, None: 4},
            scanners={"busy": 2},
            membrane_lanes={"busy": 1},
            weight_memory={"busy": "lut", "fc": "block"},
            orders={"busy": [ORDER]},
        ),
    )
    requested = folding_file.requested_scanners(network, {"busy": 2})
    text = folding_file.to_yaml(
        folding_file.folding_of(plan, requested),
        name="two",
        notes={"": "first\nsecond", "busy": "x"},
    )
    read = folding_file.read(written(tmp_path, text))
    assert make_plan(network, read.plan_options()) == plan
    # Layout for the reader: comments on top, one line per option.
    lines = text.splitlines()
    assert lines[0].startswith("# How the layers of two are built")
    assert "# second" in lines
    assert '  "busy":  # x' in lines
    assert "    lanes: 4" in lines
    assert f"    orders: [{ORDER}]" in lines
    assert yaml.safe_load(text)["layers"]["quiet"] == {
        "lanes": 2, "scanners": 1, "membrane_lanes": 2, "weight_memory": "auto"
    }  # fmt: skip


NAMES = (
    "a\nb: [*x]\n", "\0", "\U0001f600", "n" * 5_000, "é\u2028\x85\ufeff", '"', "? x", "",
    "\x1b[31m", "\n" * 3_000, "null", "1",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES, ids=lambda name: ascii(name[:12]))
def test_layers_of_any_name_come_back(tmp_path: Path, name: str) -> None:
    """The name is a key, a part of notes, and the network's name in the header."""
    layers = {name: folding_file.LayerFolding(lanes=2), "last": folding_file.LayerFolding()}
    folding = folding_file.Folding(format="hwgen-folding", version=2, layers=layers)
    notes = {"": f"of {name}\nand", name: f"as {name}", "last": name}
    text = folding_file.to_yaml(folding, name=name, notes=notes)
    assert folding_file.read(written(tmp_path, text)).layers == layers


@pytest.mark.parametrize("length", [990, 1_000, 1_020, 1_024, 1_030])
def test_keys_as_long_as_yaml_allows(tmp_path: Path, length: int) -> None:
    layers = {"n" * length: folding_file.LayerFolding(scanners=3)}
    folding = folding_file.Folding(format="hwgen-folding", version=2, layers=layers)
    text = folding_file.to_yaml(folding, name="net", notes={})
    assert folding_file.read(written(tmp_path, text)) == folding
    assert yaml.safe_load(text)["layers"].keys() == layers.keys()


def test_omitted_options_take_their_defaults(tmp_path: Path) -> None:
    text = "format: hwgen-folding\nversion: 2\nlayers: {busy: {lanes: 2}}\n"
    options = folding_file.read(written(tmp_path, text)).plan_options()
    network = two_layers.network()
    assert make_plan(network, options) == make_plan(network, PlanOptions(lanes={"busy": 2}))


def test_version_1_is_read(tmp_path: Path) -> None:
    """Version 1 called ``weight_memory`` ``weights``."""
    text = "format: hwgen-folding\nversion: 1\nlayers: {busy: {lanes: 2, weights: lut}}\n"
    network = two_layers.network()
    plan = make_plan(network, folding_file.read(written(tmp_path, text)).plan_options())
    expected = PlanOptions(lanes={"busy": 2}, weight_memory={"busy": "lut"})
    assert plan == make_plan(network, expected)
    assert plan.layers[1].paths[0].memory == "lut"


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        ("format: hwgen-folding\nversion: 3\n", "version"),
        ("format: hwgen-network\nversion: 1\n", "format"),
        ("format: hwgen-folding\nversion: 2\nlayer: {}\n", "layer: Extra inputs"),
        ("format: hwgen-folding\nversion: 2\nlayers: {busy: {lanes: 0}}\n", "layers.busy.lanes"),
        ("format: hwgen-folding\nversion: 1\nlayers: {busy: {lane: 1}}\n", "layers.busy.lane"),
        ("format: [hwgen-folding\n", "cannot be read"),
        ("- 1\n", "the file"),
        ("a: &a [1]\nb: *a\n", "cannot be read: in line 1, column 4: anchors and aliases"),
        ("layers: {1: {lanes: 1}}", "the key '1' must be a string; quote it"),
        (f"format: hwgen-folding\nversion: {'9' * 20_000}\n", "a number has 20,000 characters"),
    ],
)
def test_a_file_that_breaks_a_rule_is_rejected(tmp_path: Path, text: str, reported: str) -> None:
    with pytest.raises(PlanError, match=r"folding file .*folding\.yaml") as rejected:
        folding_file.read(written(tmp_path, text))
    assert reported in str(rejected.value)


def test_yaml_cannot_create_objects(tmp_path: Path) -> None:
    text = "format: !!python/object/apply:os.getcwd []\n"
    with pytest.raises(PlanError, match="cannot be read"):
        folding_file.read(written(tmp_path, text))


@pytest.mark.parametrize(
    ("layer", "reported"),
    [
        ("other: {lanes: 1}", "lanes: unknown layer 'other'; available: quiet, busy, fc"),
        ("busy: {lanes: 9}", "busy: lanes 9 is more than its 8 output channels"),
        ("busy: {lanes: 8, membrane_lanes: 3}", "busy: membrane_lanes 3 must divide its 8 lanes"),
        (
            "busy: {weight_memory: disk}",
            "unknown weight_memory 'disk'; available: auto, block, lut, split",
        ),
        (
            "busy: {weight_memory: [lut, lut]}",
            "busy: weight_memory has 2 entries for its 1 projections",
        ),
        ("busy: {scanners: 2, orders: [[0, 1]]}", "busy: its order must give each of 2 scanners 4"),
        (f"busy: {{scanners: 2, orders: [{[0] * 8}]}}", "busy: its order must give"),
        (f"busy: {{scanners: 2, orders: [{ORDER}, []]}}", "busy: 2 orders for its 1 projections"),
    ],
)
def test_illegal_layer_options_are_rejected(tmp_path: Path, layer: str, reported: str) -> None:
    text = f"format: hwgen-folding\nversion: 2\nlayers: {{{layer}}}\n"
    options = folding_file.read(written(tmp_path, text)).plan_options()
    with pytest.raises(PlanError) as rejected:
        make_plan(two_layers.network(), options)
    assert reported in str(rejected.value)
