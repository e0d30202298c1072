"""A hand-written core with the ports of a generated one, to test what comes after `generate`."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

HERE = Path(__file__).parent
PIXELS = 16


def write_tiny_core(folder: Path, *, board: str | None = None) -> Path:
    """A build folder with the core of ``tiny_top.v``, as `hwgen generate` would write it."""
    folder.mkdir(parents=True)
    shutil.copyfile(HERE / "tiny_top.v", folder / "tiny_top.v")
    rows = [f"{(i * 0x9E3779B1) & 0xFFFFFFFF:08x}" for i in range(512)]
    (folder / "table.hex").write_text("\n".join(rows) + "\n")
    manifest = {
        "name": "tiny",
        "top": "tiny_top",
        "sources": ["tiny_top.v"],
        "board": board,
        "files": {
            name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
            for name in ("tiny_top.v", "table.hex")
        },
        "ports": [
            {"name": "s_axis_tdata", "direction": "in", "width": 16},
            {"name": "m_axis_tdata", "direction": "out", "width": 32},
            {"name": "counter_address", "direction": "in", "width": 2},
        ],
        "plan": {
            "schedule": "time",
            "pipeline": "overlap",
            "encoder": {"code": "radix", "pixel_bits": 8, "output": {"shape": [1, 4, 4]}},
            "stages": [],
        },
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder
