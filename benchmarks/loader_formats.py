"""Files as plain values that can be mutated, and back."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from hwgen import artefact
from hwgen.artefact.arrays import array_entry, write_arrays
from hwgen.artefact.network_folder import document_hash

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def parse_json(path: Path) -> Any:
    """The value of a JSON file."""
    return json.loads(path.read_text("utf-8"))


def write_json_value(path: Path, value: Any) -> None:
    """Any value as JSON; NaN and infinity by their JavaScript names."""
    path.write_text(json.dumps(value), "utf-8")


def parse_yaml_file(path: Path) -> Any:
    """The value of a YAML file."""
    return yaml.load(path.read_text("utf-8"), Loader=_LOADER)  # noqa: S506  # a safe one


def write_yaml_value(path: Path, value: Any) -> None:
    """Any value as YAML."""
    path.write_text(yaml.dump(value, Dumper=_DUMPER, sort_keys=False), "utf-8")


def write_signed(path: Path, value: Any) -> None:
    """A network's document with the hash of its content, so that the rules behind it are tried."""
    with suppress(Exception):
        value["sha256"] = document_hash(value)
    write_yaml_value(path, value)


def parse_arrays(path: Path) -> Any:
    """Arrays as plain values."""
    with np.load(path, allow_pickle=False) as archive:
        return [
            {"dtype": archive[name].dtype.name, "values": archive[name].tolist()}
            for name in archive.files
        ]


def parse_named_arrays(path: Path) -> Any:
    """Arrays as plain values, by name."""
    with np.load(path, allow_pickle=False) as archive:
        return {
            name: {"dtype": archive[name].dtype.name, "values": archive[name].tolist()}
            for name in archive.files
        }


def write_named_arrays(path: Path, value: Any) -> None:
    """Those of the values that are arrays of numbers, by name."""
    arrays: dict[str, Any] = {}
    for name, item in value.items() if isinstance(value, dict) else ():
        with suppress(Exception):
            arrays[name] = np.array(item["values"], dtype=item["dtype"])
    np.savez(path, **{name: array for name, array in arrays.items() if array.dtype != object})


def write_listed_arrays(path: Path, value: Any) -> None:
    """Arrays, and a document that lists and signs them, so that the network's rules are tried."""
    arrays = []
    for item in value if isinstance(value, list) else []:
        with suppress(Exception):
            arrays.append(np.array(item["values"], dtype=item["dtype"]))
    write_arrays(path, [array for array in arrays if array.dtype != object])
    with np.load(path) as archive:
        entries = [array_entry(archive[name]) for name in archive.files]
    document = parse_yaml_file(path.parent / artefact.NETWORK_FILE)
    write_signed(path.parent / artefact.NETWORK_FILE, {**document, "arrays": entries})


class _NoAliases:
    def ignore_aliases(self, data: Any) -> bool:
        return True


_DUMPER: Any = type("_DUMPER", (_NoAliases, getattr(yaml, "CSafeDumper", yaml.SafeDumper)), {})
