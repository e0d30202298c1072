"""What a simulation needs to know of a build folder, read from its manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwgen.artefact.build_folder import MANIFEST_FILE, read_manifest
from hwgen.errors import ArtefactError
from hwgen.simulation.layout import StreamLayout


@dataclass(frozen=True, kw_only=True)
class Counter:
    """A counter of the core. ``node`` is empty for those of the whole core."""

    address: int
    node: str
    kind: str


@dataclass(frozen=True, kw_only=True)
class Build:
    """A generated core.

    Parameters
    ----------
    folder : Path
    name : str
        The module that is simulated: the one with taps.
    sources : tuple of Path
    ports : mapping of name to width
    streams : tuple of StreamLayout, by tap
    counters : tuple of Counter, by address
    event_fields : mapping of name to (lowest bit, width)
        Of a beat that is an address event; empty where beats are pixels.
    plan : mapping or None
        The hardware plan as the manifest has it.
    network_hash : str
    """

    folder: Path
    name: str
    sources: tuple[Path, ...]
    ports: Mapping[str, int]
    streams: tuple[StreamLayout, ...]
    counters: tuple[Counter, ...]
    plan: Mapping[str, Any] | None
    network_hash: str
    event_fields: Mapping[str, tuple[int, int]]

    @property
    def input_width(self) -> int:
        return self.ports["s_axis_tdata"]

    @property
    def output_width(self) -> int:
        return self.ports["m_axis_tdata"]


def read_build(folder: str | Path) -> Build:
    """The core of a build folder, its files checked against their hashes.

    Raises
    ------
    ArtefactError
        It is no build folder, or a file is missing or was edited.
    """
    folder = Path(folder).resolve()
    manifest = read_manifest(folder)
    try:
        return Build(
            folder=folder,
            name=manifest["name"],
            sources=tuple(folder / name for name in manifest["sources"]),
            ports={port["name"]: int(port["width"]) for port in manifest["ports"]},
            streams=tuple(
                StreamLayout(
                    tap=stream["tap"],
                    node=stream["node"],
                    shape=tuple(stream["shape"]),
                    timesteps=stream["timesteps"],
                    width=stream["width"],
                    layout=stream["layout"],
                    schedule=stream["schedule"],
                )
                for stream in manifest["streams"]
            ),
            counters=tuple(Counter(**counter) for counter in manifest["counters"]),
            plan=manifest.get("plan"),
            network_hash=manifest["network_hash"],
            event_fields={
                name: (int(low), int(bits))
                for name, (low, bits) in manifest.get("input", {}).get("fields", {}).items()
            },
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ArtefactError(
            f"{folder / MANIFEST_FILE} lacks {error}; generate it again with this version"
        ) from error
