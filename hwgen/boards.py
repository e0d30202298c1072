"""Boards: part, clock, pins and resources, from ``boards/*.yaml``."""

from __future__ import annotations

import os
from enum import StrEnum
from typing import Literal

import yaml
from pydantic import PositiveInt, ValidationError

from hwgen.arguments import require_path
from hwgen.errors import PlanError
from hwgen.resources import resource_dir
from hwgen.suggest import unknown
from hwgen.validation import FrozenModel, first_problem


class Resource(StrEnum):
    """Resource of a part, by the name that board files and reports give it."""

    LUT4 = "lut4"
    FF = "ff"
    BLOCK_RAM = "block_ram"
    MULTIPLIER = "multiplier"
    SPRAM = "spram"

    @property
    def label(self) -> str:
        """Name for messages, in the plural."""
        return _LABELS[self]


_LABELS = {
    Resource.LUT4: "LUT4",
    Resource.FF: "flip-flops",
    Resource.BLOCK_RAM: "block RAMs",
    Resource.MULTIPLIER: "multipliers",
    Resource.SPRAM: "single-port RAMs",
}


class Clock(FrozenModel):
    """Oscillator: its pin and its frequency in Hz."""

    pin: str
    hz: PositiveInt


class Uart(FrozenModel):
    """Serial port as the FPGA sees it: it reads ``rx_pin`` and drives ``tx_pin``."""

    rx_pin: str
    tx_pin: str
    baud: PositiveInt


class Resources(FrozenModel):
    """Resources of the part; a block RAM holds ``block_ram_bits`` bits."""

    lut4: PositiveInt
    ff: PositiveInt
    block_ram: PositiveInt
    block_ram_bits: PositiveInt
    multiplier: PositiveInt
    spram: int = 0

    def amount(self, resource: Resource) -> int:
        """Amount of one resource."""
        return int(getattr(self, resource))


class Board(FrozenModel):
    """An FPGA board.

    Parameters
    ----------
    family : "ecp5" or "ice40"
        Key of :data:`hwgen.synthesis.families.FAMILIES`.
    device, package, speed_grade
        As nextpnr names them.
    default_hz : int
        Default clock of the core.
    reset_pin : str
        A button that is low when pressed.
    """

    name: str
    title: str
    family: Literal["ecp5", "ice40"]
    device: str
    package: str
    speed_grade: int | None = None
    clock: Clock
    default_hz: PositiveInt
    reset_pin: str
    uart: Uart
    io_standard: str
    resources: Resources


def names() -> list[str]:
    """Names of the boards that hwgen ships."""
    return sorted(path.stem for path in resource_dir("boards").glob("*.yaml"))


def load(name: str | os.PathLike[str]) -> Board:
    """Load a board by its name, or from a file ``*.yaml`` that describes one.

    Raises
    ------
    PlanError
        The name is unknown, or the file breaks a rule of :class:`Board`.
    """
    path = require_path("board", name, error=PlanError)
    if path.suffix not in (".yaml", ".yml"):
        if str(name) not in names():
            message = unknown("board", str(name), names())
            raise PlanError(f"{message} (or the path of a .yaml file that describes the board)")
        path = resource_dir("boards") / f"{name}.yaml"
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise PlanError(f"board file {path} cannot be read: {error}") from error
    try:
        return Board.model_validate(data)
    except ValidationError as error:
        raise PlanError(
            f"board file {path}: {first_problem(error)}; compare with boards/ulx3s-85f.yaml"
        ) from error
