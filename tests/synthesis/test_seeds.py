"""Place and route with several seeds: only the files of the selected seed remain."""

from __future__ import annotations

from pathlib import Path

import pytest

from hwgen import synthesis as synth
from hwgen.errors import PlanError
from hwgen.synthesis.place import Placement, fastest
from tests.support.cores.tiny_core import write_tiny_core


def place_with(fmax: dict[int, float]):
    """A placer that writes its seed into a bitstream and a log."""

    def place(seed: int, folder: Path) -> tuple[Placement, Path]:
        for name in ("bitstream.bit", "nextpnr.log"):
            (folder / name).write_text(f"{seed}")
        placed = Placement(fmax_mhz=fmax[seed], utilisation={}, critical_path=None)
        return placed, folder / "bitstream.bit"

    return place


@pytest.mark.parametrize(
    ("fmax", "tried", "kept"),
    [
        ({1: 101.0, 2: 120.0, 3: 130.0}, [1], 1),
        ({1: 90.0, 2: 100.0, 3: 130.0}, [1, 2], 2),
        ({1: 90.0, 2: 95.0, 3: 92.0}, [1, 2, 3], 2),
        ({1: 95.0, 2: 95.0, 3: 91.0}, [1, 2, 3], 1),
    ],
)
def test_the_first_seed_that_meets_the_clock_or_the_fastest_is_kept(
    fmax: dict[int, float], tried: list[int], kept: int, tmp_path: Path
) -> None:
    (tmp_path / "netlist.json").write_text("kept")
    placed, bitstream, of_seeds = fastest(fmax, place_with(fmax), clock_mhz=100, work=tmp_path)
    assert placed.fmax_mhz == fmax[kept]
    assert of_seeds == {seed: fmax[seed] for seed in tried}
    assert bitstream == tmp_path / "bitstream.bit"
    remaining = {file.name: file.read_text() for file in tmp_path.iterdir()}
    assert remaining == {
        "netlist.json": "kept",
        "bitstream.bit": f"{kept}",
        "nextpnr.log": f"{kept}",
    }


def test_a_clock_that_no_seed_meets(tmp_path: Path) -> None:
    folder = write_tiny_core(tmp_path / "build", board="icebreaker")
    phases: list[str] = []
    report = synth.build(folder, clock_mhz=270, seed=4, tries=2, progress=phases.append)
    assert set(report.fmax_of_seeds) == {4, 5}
    assert report.fmax_mhz == max(report.fmax_of_seeds.values()) < 270
    assert report.fmax_of_seeds[report.seed] == report.fmax_mhz
    assert (folder / report.bitstream).is_file()
    assert not list((folder / "synth").glob("seed-*"))
    assert any("seed 5: " in line for line in phases)


def test_zero_tries_are_rejected(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="tries must be an integer of at least 1, not 0"):
        synth.build(tmp_path, tries=0)
