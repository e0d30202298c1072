"""Graphs of a conversion as files to read: YAML with statistics, arrays in an .npz beside it."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from hwgen.artefact.atomic import replace_file
from hwgen.artefact.claim import storage_errors


def dump_graph(folder: Path, name: str, graph: Any) -> None:
    """Write ``graph`` as ``name.yaml`` and ``name.npz``; each file appears whole or not at all.

    In the YAML an array is its shape, type, range and mean; in the .npz it has the path of its
    field ("nodes.conv1.bias"). Raises :class:`.StorageError` if a file cannot be written.
    """
    arrays: dict[str, np.ndarray] = {}
    document = _plain(graph, "", arrays)
    text = yaml.safe_dump(document, sort_keys=False, default_flow_style=None, width=100)
    packed = io.BytesIO()
    np.savez_compressed(packed, allow_pickle=False, **arrays)
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    replace_file(folder / f"{name}.npz", packed.getvalue())
    replace_file(folder / f"{name}.yaml", text)


def _plain(value: Any, path: str, arrays: dict[str, np.ndarray]) -> Any:
    """``value`` as plain values; its arrays go to ``arrays`` under the path of their field."""
    match value:
        case np.ndarray():
            arrays[path] = value
            return {
                "shape": list(value.shape),
                "type": str(value.dtype),
                "range": [value.min().item(), value.max().item()] if value.size else [],
                "mean": float(value.mean()) if value.size else None,
            }
        case Mapping():
            return {str(key): _plain(item, f"{path}.{key}", arrays) for key, item in value.items()}
        case list() | tuple():
            return [
                _plain(item, f"{path}.{getattr(item, 'name', number)}", arrays)
                for number, item in enumerate(value)
            ]
        case _ if is_dataclass(value):
            kept = {
                (name := item.name): _plain(given, f"{path}.{name}".lstrip("."), arrays)
                for item in fields(value)
                if item.metadata.get("dump", True)
                and (given := getattr(value, item.name)) is not None
            }
            return {"kind": type(value).__name__, **kept}
        case bool():
            return value
        case int() | float():
            return float(value) if isinstance(value, float) else int(value)
        case _:
            return str(value)
