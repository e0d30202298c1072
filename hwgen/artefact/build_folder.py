"""The build folder: its manifest, written by generation and read by simulation, build and report.

``docs/hardware.md`` describes the other files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    NonNegativeInt,
    PlainSerializer,
    PlainValidator,
    PositiveInt,
    ValidationError,
    model_validator,
)

from hwgen.errors import ArtefactError, PlanError
from hwgen.plan.search.expectation import Expectation
from hwgen.plan.timing.predict import PredictedCycles
from hwgen.plan.units.counters import CounterKind
from hwgen.plan.units.geometry import Schedule, WordLayout
from hwgen.plan.units.hardware_plan import HardwarePlan
from hwgen.validation import first_problem

MANIFEST_FILE = "manifest.json"
FORMAT: Literal["hwgen-build"] = "hwgen-build"
VERSION: Literal[2] = 2
"""Version of the manifest; a build folder of another version has to be generated again."""

INPUT_PORT, OUTPUT_PORT, ADDRESS_PORT = "s_axis_tdata", "m_axis_tdata", "counter_address"


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Port(_Model):
    """Port of the core; ``width`` in bits."""

    name: str
    direction: Literal["in", "out"]
    width: PositiveInt


class BitField(_Model):
    """Position of a field in a word: its lowest bit and its width in bits."""

    low: NonNegativeInt
    width: PositiveInt


class EventFields(_Model):
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


class InputEntry(_Model):
    """Contents of the input packets, with the fields of a beat for address events."""

    kind: InputKind
    fields: EventFields | None = None


class StreamEntry(_Model):
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


class CounterEntry(_Model):
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


class Manifest(_Model):
    """Description of a build folder.

    Parameters
    ----------
    format, version
        "hwgen-build" and the version of this description.
    name, top : str
        Name of the core, and the module to synthesise.
    sources : tuple of str
        Verilog files in the order in which they are compiled.
    network_hash : str
        Content hash of the network that the core was generated from.
    board : str or None
        Board that the core was generated for.
    tools : {package: version}
    ports, streams, counters
        Interface of the core; streams in the order of the data flow.
    plan : HardwarePlan
    predicted : PredictedCycles or None
        Cycles of the calibration images.
    expected : Expectation or None
        Estimates of the planner.
    files : {name: SHA-256}
        Every other generated file.
    """

    format: Literal["hwgen-build"] = FORMAT
    version: Literal[2] = VERSION
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
    def _has_data_ports(self) -> Manifest:
        for name in (INPUT_PORT, OUTPUT_PORT):
            if not self._width(name):
                raise ValueError(f"port {name} is missing")
        return self

    def _width(self, port: str) -> int:
        return next((entry.width for entry in self.ports if entry.name == port), 0)

    @property
    def input_width(self) -> int:
        """Bits of an input beat."""
        return self._width(INPUT_PORT)

    @property
    def output_width(self) -> int:
        """Bits of a result word."""
        return self._width(OUTPUT_PORT)

    @property
    def address_width(self) -> int:
        """Bits of a counter's address; 0 for a core without counters."""
        return self._width(ADDRESS_PORT)


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
    text = manifest.model_dump_json(indent=1) + "\n"
    (folder / MANIFEST_FILE).write_text(text, encoding="utf-8")


def read_manifest(folder: str | Path) -> Manifest:
    """Manifest of a build folder, after a check of its files against their hashes.

    Raises
    ------
    ArtefactError
        ``folder`` is not a build folder or was generated by another version, or one of its files
        is missing, damaged or edited.
    """
    folder = Path(folder)
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
