"""Boards: the part, clock, pins and resources that ``boards/*.yaml`` give, checked when read."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, PositiveInt, ValidationError

from hwgen.errors import PlanError
from hwgen.resources import resource_dir
from hwgen.suggest import unknown


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Clock(_Data):
    """The oscillator: its pin and frequency."""

    pin: str
    hz: PositiveInt


class Uart(_Data):
    """The serial port, seen from the FPGA: it reads ``rx_pin`` and drives ``tx_pin``."""

    rx_pin: str
    tx_pin: str
    baud: PositiveInt


class Resources(_Data):
    """What the part has. A block RAM holds ``block_ram_bits`` bits."""

    lut4: PositiveInt
    ff: PositiveInt
    block_ram: PositiveInt
    block_ram_bits: PositiveInt
    multiplier: PositiveInt
    spram: int = 0


class Board(_Data):
    """One board.

    Parameters
    ----------
    name, title : str
    family : "ecp5" or "ice40"
        Decides the tools: yosys' ``synth_`` command, nextpnr, and the packer.
    device, package, speed_grade
        As nextpnr names them.
    clock : Clock
    default_hz : int
        Clock of the core where nothing else is asked for.
    reset_pin : str
        A button that is low when pressed.
    uart : Uart
    io_standard : str
    resources : Resources
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
    """Names of the boards that come with hwgen."""
    return sorted(path.stem for path in resource_dir("boards").glob("*.yaml"))


def load(name: str | Path) -> Board:
    """The board of this name, or the one that a file ``*.yaml`` describes.

    Raises
    ------
    PlanError
        There is no such board, or its file breaks a rule of :class:`Board`.
    """
    path = Path(name)
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
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise PlanError(
            f"board file {path}: {place}: {first['msg']}, not {first['input']!r}; "
            f"compare with boards/ulx3s-85f.yaml"
        ) from error
