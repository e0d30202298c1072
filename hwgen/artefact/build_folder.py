"""The manifest of a build folder; ``docs/hardware.md`` describes the other files."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    NonNegativeInt,
    PlainSerializer,
    PlainValidator,
    PositiveInt,
    ValidationError,
    model_validator,
)

from hwgen.arguments import require_path
from hwgen.errors import ArtefactError, PlanError
from hwgen.plan.search.expectation import Expectation
from hwgen.plan.timing.predict import PredictedCycles
from hwgen.plan.units.counters import CounterKind
from hwgen.plan.units.geometry import Schedule, WordLayout
from hwgen.plan.units.hardware_plan import HardwarePlan
from hwgen.validation import FrozenModel, first_problem

MANIFEST_FILE = "manifest.json"
VERSION: Literal[3] = 3
"""Version of the manifest; a build folder of another version has to be generated again."""


class Port(FrozenModel):
    """Port of the core; ``width`` in bits."""

    name: str
    direction: Literal["in", "out"]
    width: PositiveInt


class BitField(FrozenModel):
    """Position of a field in a word: its lowest bit and its width in bits."""

    low: NonNegativeInt
    width: PositiveInt


class EventFields(FrozenModel):
    """Fields of an input beat that holds one address event; ``null`` marks an empty sample."""

    x: BitField
    y: BitField
    channel: BitField
    t: BitField
    null: BitField


class InputKind(StrEnum):
    """Contents of the input packets."""

    PIXELS = "pixels"
    EVENTS = "events"


class InputEntry(FrozenModel):
    """Contents of the input packets, with the fields of a beat for address events."""

    kind: InputKind
    fields: EventFields | None = None


class StreamEntry(FrozenModel):
    """Inter-layer stream, with the tap that carries it.

    ``shape`` is (channels, height, width) of the trains of ``node``, ``width`` the bits of a word.
    """

    tap: NonNegativeInt
    node: str
    shape: tuple[PositiveInt, PositiveInt, PositiveInt]
    timesteps: PositiveInt
    width: PositiveInt
    layout: WordLayout
    schedule: Schedule


class CounterEntry(FrozenModel):
    """Hardware counter; ``node`` is empty for a counter of the whole core."""

    address: NonNegativeInt
    node: str
    kind: CounterKind


def _read_plan(value: Any) -> HardwarePlan:
    if isinstance(value, HardwarePlan):
        return value
    try:
        return HardwarePlan.from_json(value)
    except PlanError as error:
        raise ValueError(str(error)) from error


PlanField = Annotated[
    HardwarePlan, PlainValidator(_read_plan), PlainSerializer(HardwarePlan.to_json)
]
"""A hardware plan as a field of a pydantic model."""


class Manifest(FrozenModel):
    """Description of a build folder.

    Parameters
    ----------
    name, top : str
        Name of the core, and the module to synthesise.
    sources : tuple of str
        Verilog files in the order in which they are compiled.
    network_hash, board
        Content hash of the network, and board, that the core was generated for.
    tools : {package: version}
    ports, streams, counters
        Interface of the core; streams in the order of the data flow.
    predicted, expected
        Predicted cycles of the calibration images; estimates of the planner.
    files : {name: SHA-256}
        Every other generated file.
    """

    format: Literal["hwgen-build"] = "hwgen-build"
    version: Literal[3] = VERSION
    name: str
    top: str
    sources: tuple[str, ...]
    network_hash: str
    board: str | None
    tools: Mapping[str, str]
    ports: tuple[Port, ...]
    input: InputEntry
    streams: tuple[StreamEntry, ...]
    counters: tuple[CounterEntry, ...]
    plan: PlanField
    predicted: PredictedCycles | None = None
    expected: Expectation | None = None
    files: Mapping[str, str]

    @model_validator(mode="after")
    def _has_every_port(self) -> Manifest:
        needed = {"s_axis_tdata", "m_axis_tdata", "packet_errors"}
        if missing := needed - {port.name for port in self.ports}:
            raise ValueError(f"port {max(missing)} is missing")
        return self

    def _width(self, port: str) -> int:
        return next((entry.width for entry in self.ports if entry.name == port), 0)

    @property
    def input_width(self) -> int:
        """Bits of an input beat."""
        return self._width("s_axis_tdata")

    @property
    def output_width(self) -> int:
        """Bits of a result word."""
        return self._width("m_axis_tdata")

    @property
    def address_width(self) -> int:
        """Bits of a counter's address; 0 for a core without counters."""
        return self._width("counter_address")


class _Head(BaseModel):
    """The part of a manifest that every version has."""

    format: Literal["hwgen-build"]
    version: int
    tools: Mapping[str, str] = {}


def hash_files(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below ``folder``, by its relative name."""
    return {
        file.relative_to(folder).as_posix(): _sha256(file)
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def is_build_folder(folder: Path) -> bool:
    """Whether ``folder`` holds the manifest of a build folder, of any version."""
    try:
        _Head.model_validate_json((folder / MANIFEST_FILE).read_bytes())
    except (OSError, ValidationError):
        return False
    return True


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write ``manifest.json`` into ``folder``."""
    (folder / MANIFEST_FILE).write_text(manifest.model_dump_json(indent=1) + "\n", "utf-8")


def read_manifest(folder: str | os.PathLike[str]) -> Manifest:
    """Manifest of a build folder, after a check of its files against their hashes.

    Raises
    ------
    ArtefactError
        ``folder`` is not a build folder or was generated by another version, or one of its files
        is missing, damaged or edited.
    """
    folder = require_path("folder", folder, error=ArtefactError)
    path = folder / MANIFEST_FILE
    if not path.is_file():
        raise ArtefactError(
            f"{folder} is not a build folder: it has no {MANIFEST_FILE}; "
            f"make one with `hwgen generate`"
        )
    text = path.read_bytes()
    try:
        head = _Head.model_validate_json(text)
        if head.version != VERSION:
            raise ArtefactError(
                f"{folder}: generated by hwgen {head.tools.get('hwgen', '(unknown version)')} in "
                f"format version {head.version}, but this hwgen reads version {VERSION}; generate "
                f"it again with `hwgen generate {folder / 'network'}`"
            )
        manifest = Manifest.model_validate_json(text)
    except ValidationError as error:
        raise ArtefactError(
            f"{path} is damaged: {first_problem(error)}; generate it again"
        ) from error
    for name, digest in manifest.files.items():
        file = folder / name
        if not file.is_file():
            raise ArtefactError(f"{file} is missing, but the manifest names it; generate it again")
        if _sha256(file) != digest:
            raise ArtefactError(
                f"{file} was changed since it was generated: its SHA-256 differs from the "
                f"manifest; generate it again"
            )
    return manifest


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
