"""What a new build folder replaces, and what it keeps of the earlier one."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from hwgen.artefact.evaluation_file import EvaluationFile
from hwgen.errors import ArtefactError
from hwgen.generation import target_folder
from hwgen.generation.design import FOLDING_FILE
from hwgen.generation.target_folder import keep_foreign_files, require_replaceable
from hwgen.report.figures import BuildFigures
from hwgen.simulation.report import SimulationReport
from hwgen.synthesis.report import FAILED_FOLDER, WORK_FOLDER


def earlier_build(folder: Path, *names: str) -> Path:
    """A build folder whose manifest names ``core.v`` and a file of the network."""
    generated = ("core.v", "network/weights.npz")
    for name in (*generated, *names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    manifest = {"format": "hwgen-build", "version": 1, "files": dict.fromkeys(generated, "")}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def contents(folder: Path) -> dict[str, str]:
    paths = (path for path in folder.rglob("*") if not path.is_dir())
    return {path.relative_to(folder).as_posix(): path.read_text() for path in paths}


def test_every_file_that_hwgen_makes_later_is_listed() -> None:
    files = {kind.FILE for kind in (EvaluationFile, SimulationReport, BuildFigures)}
    assert {*files, FOLDING_FILE, "report.html"} <= set(target_folder.MADE_LATER)
    assert {WORK_FOLDER, FAILED_FOLDER, "sim"} <= set(target_folder.MADE_LATER)
    assert target_folder.ROUTED == WORK_FOLDER


def test_only_foreign_files_are_kept(tmp_path: Path) -> None:
    foreign = ["notes.txt", "network/why.txt", "mine/a/b.txt", ".git/HEAD", "old_core.v"]
    results = ["synth/x.bit", "sim/verilator/key.txt", "report.html", "simulation.json"]
    earlier = earlier_build(tmp_path / "old", *foreign, *results, ".report.json.hwgen-new")
    (earlier / "mine/link").symlink_to("a")
    os.mkfifo(earlier / "mine/pipe")
    fresh = tmp_path / "new"
    (fresh / "network").mkdir(parents=True)
    (fresh / "core.v").write_text("new")
    keep_foreign_files(earlier, fresh)
    assert os.readlink(fresh / "mine/link") == "a"
    assert (fresh / "mine/pipe").is_fifo()
    for folder in (earlier, fresh):
        (folder / "mine/link").unlink()
        (folder / "mine/pipe").unlink()
    assert contents(fresh) == {"core.v": "new", **{name: name for name in foreign}}
    assert contents(earlier).keys() >= {*foreign, *results}


def test_a_foreign_file_in_the_way_is_named(tmp_path: Path) -> None:
    earlier, fresh = earlier_build(tmp_path / "old", "small.v"), tmp_path / "new"
    fresh.mkdir()
    (fresh / "small.v").write_text("new")
    with pytest.raises(ArtefactError, match=r"old/small\.v: hwgen did not make it"):
        keep_foreign_files(earlier, fresh)


def test_a_build_that_is_placed_and_routed_needs_force(tmp_path: Path) -> None:
    folder = earlier_build(tmp_path / "build", "synth/bitstream.bit")
    with pytest.raises(ArtefactError, match="build/synth: holds the results .* with --force"):
        require_replaceable(folder, force=False)
    require_replaceable(folder, force=True)


@pytest.mark.parametrize("force", [False, True])
def test_other_folders_are_not_replaced(tmp_path: Path, force: bool) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(ArtefactError, match="exists and is not a build folder"):
        require_replaceable(tmp_path, force=force)
    require_replaceable(tmp_path / "none", force=force)
    require_replaceable(earlier_build(tmp_path / "build"), force=force)
