"""The folder in which a simulator runs: nothing that lay in it is run, read or written through."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hwgen.errors import ArtefactError, StorageError
from hwgen.simulation.options import Simulator
from hwgen.simulation.work_folder import WorkFolder


@pytest.fixture
def work(tmp_path: Path) -> WorkFolder:
    (tmp_path / "build").mkdir()
    return WorkFolder(build=tmp_path / "build", simulator=Simulator.VERILATOR, waves=False)


def test_it_starts_empty(work: WorkFolder, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("precious")
    work.path.mkdir(parents=True)
    (work.path / "hwgen_bench").write_text("#!/bin/sh\necho ran\n")
    (work.path / "key.txt").write_text("any")
    os.link(outside, work.path / "run.log")
    (work.path / "build.log").symlink_to(outside)
    with work.locked():
        assert list(work.path.iterdir()) == []
        (work.path / "run.log").write_text("log")
    assert outside.read_text() == "precious"


@pytest.mark.parametrize("place", ["sim", "sim/verilator.lock", "sim/verilator"])
def test_what_stands_in_its_place_is_named(work: WorkFolder, tmp_path: Path, place: str) -> None:
    path = work.build / place
    path.parent.mkdir(exist_ok=True)
    if place.endswith(".lock"):
        path.symlink_to(tmp_path / "made")
    else:
        path.write_text("")
    with pytest.raises(StorageError, match="verilator: cannot be written"), work.locked():
        pass
    assert not (tmp_path / "made").exists()


def test_only_what_the_simulator_read_is_removed(work: WorkFolder) -> None:
    (work.build / "w.hex").write_text("1\n")
    with work.locked():
        work.copy_memories(["w.hex"])
        assert (work.path / "w.hex").read_text() == "1\n"
        for name in ("beats.bin", "hwgen_bench", "run.log", "waves.vcd"):
            (work.path / name).write_text("")
        work.remove_copies()
    assert sorted(path.name for path in work.path.iterdir()) == ["run.log", "waves.vcd"]
    assert (work.build / "w.hex").is_file()


def test_a_weight_file_behind_a_link_is_not_copied(work: WorkFolder, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    (work.build / "w.hex").symlink_to(tmp_path / "secret")
    with work.locked(), pytest.raises(ArtefactError, match="is a symbolic link"):
        work.copy_memories(["w.hex"])
