"""The manifest of a build folder; ``docs/hardware.md`` describes the other files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, model_validator

from hwgen.arguments import require_path
from hwgen.artefact import verilog_rules
from hwgen.artefact.manifest_head import MANIFEST_FILE, ManifestHead
from hwgen.artefact.plain_files import read_json, require_plain_folder, sha256
from hwgen.errors import ArtefactError
from hwgen.plan.search.expectation import Expectation
from hwgen.plan.timing.predict import PredictedCycles
from hwgen.plan.units.counters import CounterKind
from hwgen.plan.units.geometry import Schedule, WordLayout
from hwgen.plan.units.hardware_plan import PlanField
from hwgen.validation import (
    Count,
    Digest,
    FilePath,
    FrozenModel,
    Identifier,
    Size,
    SourceName,
    Version,
    Width,
    Word,
    first_problem,
)

VERSION: Literal[3] = 3
"""Version of the manifest; a build folder of another version has to be generated again."""


class Port(FrozenModel):
    """Port of the core; ``width`` in bits."""

    name: Identifier
    direction: Literal["in", "out"]
    width: Width


class BitField(FrozenModel):
    """Position of a field in a word: its lowest bit and its width in bits."""

    low: Annotated[int, Field(ge=0, le=1 << 16)]
    width: Width


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

    tap: Count
    node: str
    shape: tuple[Size, Size, Size]
    timesteps: Size
    width: Width
    layout: WordLayout
    schedule: Schedule


class CounterEntry(FrozenModel):
    """Hardware counter; ``node`` is empty for a counter of the whole core."""

    address: Count
    node: str
    kind: CounterKind


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
    name: Identifier
    top: Identifier
    sources: tuple[SourceName, ...]
    network_hash: Digest
    board: Word | None
    tools: Mapping[Word, Version]
    ports: tuple[Port, ...]
    input: InputEntry
    streams: tuple[StreamEntry, ...]
    counters: tuple[CounterEntry, ...]
    plan: PlanField
    predicted: PredictedCycles | None = None
    expected: Expectation | None = None
    files: Mapping[FilePath, Digest]

    @model_validator(mode="after")
    def _is_whole(self) -> Manifest:
        needed = {"s_axis_tdata", "m_axis_tdata", "packet_errors"}
        if missing := needed - {port.name for port in self.ports}:
            raise ValueError(f"port {max(missing)} is missing")
        if unnamed := set(self.sources) - self.files.keys():
            raise ValueError(f"the source {max(unnamed)} is not among the files")
        taps = [stream.tap for stream in self.streams]
        addresses = [counter.address for counter in self.counters]
        if any(found != list(range(len(found))) for found in (taps, addresses)):
            raise ValueError("the taps or the addresses are not 0, 1, 2, …")
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
    def memory_files(self) -> frozenset[str]:
        """Names of the files that the Verilog may read."""
        return frozenset(filter(verilog_rules.MEMORY_FILE.fullmatch, self.files))

    @property
    def address_width(self) -> int:
        """Bits of a counter's address; 0 for a core without counters."""
        return self._width("counter_address")


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write ``manifest.json`` into ``folder``."""
    (folder / MANIFEST_FILE).write_text(manifest.model_dump_json(indent=1) + "\n", "utf-8")


def read_manifest(folder: str | os.PathLike[str]) -> Manifest:
    """Manifest of a build folder, after a check of its files.

    The folder may come from anybody: afterwards it holds plain files and folders only, those that
    the manifest names have their hashes, and its Verilog keeps to :mod:`.verilog_rules`.

    Raises
    ------
    ArtefactError
        ``folder`` is not a build folder or was generated by another version, one of its files is
        missing, damaged or edited, or it holds something that hwgen does not write.
    """
    folder = require_path("folder", folder, error=ArtefactError)
    path = folder / MANIFEST_FILE
    if not folder.is_dir() or not os.path.lexists(path):
        raise ArtefactError(
            f"{folder} is not a build folder: it has no {MANIFEST_FILE}; "
            f"make one with `hwgen generate`"
        )
    require_plain_folder(folder)
    manifest = _parse(folder, path)
    for name, digest in manifest.files.items():
        file = folder / name
        try:
            found = sha256(file)
        except FileNotFoundError as error:
            raise ArtefactError(
                f"{file} is missing, but the manifest names it; generate it again"
            ) from error
        if found != digest:
            raise ArtefactError(
                f"{file} was changed since it was generated: its SHA-256 differs from the "
                f"manifest; generate it again"
            )
    for source in manifest.sources:
        digest = manifest.files[source]
        verilog_rules.require_safe(folder / source, digest, manifest.memory_files)
    return manifest


def _parse(folder: Path, path: Path) -> Manifest:
    try:
        text = read_json(path)
        head = ManifestHead.model_validate_json(text)
        if head.version != VERSION:
            raise ArtefactError(
                f"{folder}: generated by hwgen {head.tools.get('hwgen', '(unknown version)')} in "
                f"format version {head.version}, but this hwgen reads version {VERSION}; generate "
                f"it again with `hwgen generate {folder / 'network'}`"
            )
        return Manifest.model_validate_json(text)
    except ValueError as error:
        problem = first_problem(error) if isinstance(error, ValidationError) else str(error)
        raise ArtefactError(f"{path} is damaged: {problem}; generate it again") from error
