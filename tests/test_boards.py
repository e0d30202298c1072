"""Boards are data: each loads, the numbers are the data sheets', and mistakes are named."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from hwgen import boards
from hwgen.errors import PlanError

# LUT4, block RAMs of so many bits, multipliers: Lattice FPGA-DS-02012 and FPGA-DS-02008, table 2.1.
DATA_SHEETS = {
    "ulx3s-25f": (24_288, 56, 18_432, 28),
    "ulx3s-45f": (43_848, 108, 18_432, 72),
    "ulx3s-85f": (83_640, 208, 18_432, 156),
    "ecp5-5g-evn": (83_640, 208, 18_432, 156),
    "icebreaker": (5_280, 30, 4_096, 8),
}


def test_every_board_has_the_resources_of_its_data_sheet() -> None:
    found = {
        name: (has.lut4, has.block_ram, has.block_ram_bits, has.multiplier)
        for name in boards.names()
        for has in [boards.load(name).resources]
    }
    assert found == DATA_SHEETS


@pytest.mark.parametrize("name", DATA_SHEETS)
def test_a_board_is_called_as_its_file(name: str) -> None:
    assert boards.load(name).name == name


def test_an_unknown_board_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(PlanError, match=r"'ulx3s-85'.*did you mean 'ulx3s-85f'\?"):
        boards.load("ulx3s-85")


def test_a_board_may_come_from_a_file(tmp_path: Path) -> None:
    data = boards.load("icebreaker").model_dump() | {"name": "mine", "default_hz": 16_000_000}
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(data))
    assert boards.load(path).default_hz == 16_000_000


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"family": "xc7"}, "family: .*'xc7'"),
        ({"default_hz": 0}, "default_hz: .*greater than 0, not 0"),
        ({"speed": 6}, "speed: Extra inputs are not permitted"),
        ({"clock": {"pin": "35"}}, "clock.hz: Field required"),
        ({"reset_pin": 'A1"; SITE "B2'}, "reset_pin: String should match pattern"),
        ({"io_standard": "LVCMOS33\nFREQUENCY"}, "io_standard: String should match"),
        ({"package": "--json"}, "package: String should match"),
        ({"default_hz": 10**50}, "default_hz: .*less than"),
    ],
)
def test_a_mistake_in_a_file_is_named(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(boards.load("icebreaker").model_dump() | change))
    with pytest.raises(PlanError, match=message):
        boards.load(path)


def test_a_file_that_is_no_yaml_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("name: [")
    with pytest.raises(PlanError, match="cannot be read"):
        boards.load(path)


def test_a_file_of_aliases_or_a_device_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("name: &a [x]\ntitle: [*a, *a]")
    with pytest.raises(PlanError, match="cannot be read: in line 1, column 7: anchors and aliases"):
        boards.load(path)
    path.unlink()
    path.symlink_to("/dev/zero")
    with pytest.raises(PlanError, match="cannot be read: is a device and not a regular file"):
        boards.load(path)


def test_a_file_cannot_run_code(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("name: !!python/object/apply:os.system ['true']")
    with pytest.raises(PlanError, match="cannot be read"):
        boards.load(path)
