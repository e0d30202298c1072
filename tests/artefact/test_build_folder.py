"""The manifest of a build folder: round trip, damage, edits and other versions."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hwgen.artefact.build_folder import read_manifest, write_manifest
from hwgen.artefact.manifest_head import is_build_folder
from hwgen.errors import ArtefactError
from hwgen.plan.assembly import make_plan
from hwgen.plan.units.options import PlanOptions
from tests.support.cores.tiny_core import tiny_network, write_tiny_core


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_tiny_core(tmp_path / "build", board="icebreaker")


def edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))


def test_a_manifest_is_read_as_it_was_written(folder: Path) -> None:
    manifest = read_manifest(folder)
    assert manifest.plan == make_plan(tiny_network(), PlanOptions(input_width=16))
    assert (manifest.board, manifest.sources) == ("icebreaker", ("tiny_top.v",))
    assert (manifest.input_width, manifest.output_width, manifest.address_width) == (16, 32, 2)
    before = (folder / "manifest.json").read_bytes()
    write_manifest(folder, manifest)
    assert (folder / "manifest.json").read_bytes() == before
    head = list(json.loads(before))[:2]
    assert head == ["format", "version"], "another version must be able to read these"


DAMAGED: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "a missing entry": (lambda m: m.pop("top"), "top: Field required"),
    "an unknown entry": (lambda m: m.update(extra=1), "extra: Extra inputs are not permitted"),
    "a string for a number": (
        lambda m: m["ports"][0].update(width="16"),
        r"ports\.0\.width: Input should be a valid integer, not '16'",
    ),
    "no data port": (lambda m: m["ports"].pop(0), "port s_axis_tdata is missing"),
    "a plan without stages": (lambda m: m["plan"].pop("stages"), "plan.*stages"),
    "another format": (lambda m: m.update(format="extension"), "format: Input should be 'hwgen-b"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_damage_is_named(folder: Path, case: str) -> None:
    change, message = DAMAGED[case]
    edit(folder, change)
    with pytest.raises(
        ArtefactError, match=rf"manifest\.json is damaged: .*{message}.*generate it"
    ):
        read_manifest(folder)


def test_a_truncated_manifest_is_damaged(folder: Path) -> None:
    text = (folder / "manifest.json").read_text()
    (folder / "manifest.json").write_text(text[:100])
    with pytest.raises(ArtefactError, match=r"manifest\.json is damaged: .*Invalid JSON"):
        read_manifest(folder)
    assert not is_build_folder(folder)


@pytest.mark.parametrize("version", [1, 2, 4])
def test_another_version_is_named_with_its_remedy(folder: Path, version: int) -> None:
    """Version 1 has other entries: its version counts before they do."""

    def old(manifest: dict[str, Any]) -> None:
        manifest.update(version=version, tools={"hwgen": "0.0.7"})
        del manifest["input"]

    edit(folder, old)
    message = rf"hwgen 0\.0\.7 in format version {version}, .* reads version 3; .*`hwgen generate"
    with pytest.raises(ArtefactError, match=message):
        read_manifest(folder)
    assert is_build_folder(folder), "generate may replace it"


def test_missing_and_edited_files_are_named(folder: Path) -> None:
    with (folder / "table.hex").open("a") as file:
        file.write("0\n")
    with pytest.raises(ArtefactError, match=r"table\.hex was changed since it was generated"):
        read_manifest(folder)
    (folder / "table.hex").unlink()
    with pytest.raises(ArtefactError, match=r"table\.hex is missing, but the manifest names it"):
        read_manifest(folder)
