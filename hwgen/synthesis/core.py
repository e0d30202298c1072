"""What a board's shell needs to know of a generated core, read from its manifest."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hwgen.artefact.build_folder import MANIFEST_FILE, read_manifest
from hwgen.errors import ArtefactError


@dataclass(frozen=True, kw_only=True)
class Core:
    """A core in a build folder.

    Parameters
    ----------
    name : str
    top : str
        Module that is synthesised.
    sources : tuple of str
        Verilog files, relative to the folder.
    input_bytes, output_bytes : int
        Width of a beat of the input, and of a word of the result.
    sample_bytes : int
        Bytes of an input packet; 0 where it is address events, as many as come.
    address_width : int
        Bits of the counters' address; 0 where there are no counters.
    board : str or None
        The board that it was generated for.
    """

    name: str
    top: str
    sources: tuple[str, ...]
    input_bytes: int
    output_bytes: int
    sample_bytes: int
    address_width: int
    board: str | None


def read_core(folder: Path) -> Core:
    """The core of a build folder; raises as :func:`read_manifest` does."""
    manifest = read_manifest(folder)
    try:
        name, top, sources = manifest["name"], manifest["top"], manifest["sources"]
        ports = {port["name"]: int(port["width"]) for port in manifest["ports"]}
        encoder = manifest["plan"]["encoder"]
        channels, height, width = encoder["output"]["shape"]
        pixel_bytes = 1 if encoder["pixel_bits"] <= 8 else 2
        code = encoder["code"]
    except (KeyError, TypeError, ValueError) as error:
        raise ArtefactError(
            f"{folder / MANIFEST_FILE} lacks {error}; generate it again with this version"
        ) from error
    input_bytes = ports["s_axis_tdata"] // 8
    if code == "events":
        beats = 0
    else:
        beats = -(-channels * height * width // (input_bytes // pixel_bytes))
    return Core(
        name=name,
        top=top,
        sources=tuple(sources),
        input_bytes=input_bytes,
        output_bytes=ports["m_axis_tdata"] // 8,
        sample_bytes=beats * input_bytes,
        address_width=ports.get("counter_address", 0),
        board=manifest.get("board"),
    )
