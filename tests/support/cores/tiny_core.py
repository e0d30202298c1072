"""Build folder with the core of ``tiny_top.v``, for tests of the steps after `hwgen generate`."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from hwgen.artefact.build_folder import (
    InputEntry,
    InputKind,
    Manifest,
    Port,
    write_manifest,
)
from hwgen.artefact.plain_files import hash_files
from hwgen.network import Conv2d, Network
from hwgen.plan.assembly import make_plan
from hwgen.plan.units.options import PlanOptions
from tests.support.tiny import readout_of

HERE = Path(__file__).parent


def tiny_network() -> Network:
    """A network of 4 × 4 pixels; only its plan is used."""
    weights = np.ones((1, 1, 4, 4), dtype=np.int32)
    return readout_of(Conv2d(source="input", weights=weights), (1, 4, 4))


def write_tiny_core(folder: Path, *, board: str | None = None, **changes: object) -> Path:
    """Write the build folder; ``changes`` replace entries of its manifest."""
    folder.mkdir(parents=True)
    shutil.copyfile(HERE / "tiny_top.v", folder / "tiny_top.v")
    rows = [f"{(i * 0x9E3779B1) & 0xFFFFFFFF:08x}" for i in range(512)]
    (folder / "table.hex").write_text("\n".join(rows) + "\n")
    manifest = Manifest(
        name="tiny",
        top="tiny_top",
        sources=("tiny_top.v",),
        network_hash="0" * 64,
        board=board,
        tools={"hwgen": "0"},
        ports=(
            Port(name="s_axis_tdata", direction="in", width=16),
            Port(name="m_axis_tdata", direction="out", width=32),
            Port(name="counter_address", direction="in", width=2),
            Port(name="packet_errors", direction="out", width=8),
        ),
        input=InputEntry(kind=InputKind.PIXELS),
        streams=(),
        counters=(),
        plan=make_plan(tiny_network(), PlanOptions(input_width=16)),
        files=hash_files(folder),
    )
    write_manifest(folder, manifest.model_copy(update=changes))
    return folder
