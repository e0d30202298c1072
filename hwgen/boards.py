"""Boards: part, clock, pins and resources, from ``boards/*.yaml``."""

from __future__ import annotations

import os
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from hwgen.arguments import require_path
from hwgen.errors import PlanError
from hwgen.reading import ReadingError
from hwgen.reading.plain_yaml import read_yaml
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


Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}$")]
"""A name as data sheets print it. It becomes a part of constraints and command lines."""
Hertz = Annotated[int, Field(gt=0, le=10**12)]
Amount = Annotated[int, Field(gt=0, le=10**9)]


class Clock(FrozenModel):
    """Oscillator: its pin and its frequency in Hz."""

    pin: Word
    hz: Hertz


class Uart(FrozenModel):
    """Serial port as the FPGA sees it: it reads ``rx_pin`` and drives ``tx_pin``."""

    rx_pin: Word
    tx_pin: Word
    baud: Hertz


class Resources(FrozenModel):
    """Resources of the part; a block RAM holds ``block_ram_bits`` bits."""

    lut4: Amount
    ff: Amount
    block_ram: Amount
    block_ram_bits: Amount
    multiplier: Amount
    spram: Annotated[int, Field(ge=0, le=10**9)] = 0

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

    name: Word
    title: str
    family: Literal["ecp5", "ice40"]
    device: Word
    package: Word
    speed_grade: int | None = None
    clock: Clock
    default_hz: Hertz
    reset_pin: Word
    uart: Uart
    io_standard: Word
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
        data = read_yaml(path)
    except ReadingError as error:
        raise PlanError(f"board file {path} cannot be read: {error}") from error
    try:
        return Board.model_validate(data)
    except ValidationError as error:
        raise PlanError(
            f"board file {path}: {first_problem(error)}; compare with boards/ulx3s-85f.yaml"
        ) from error
