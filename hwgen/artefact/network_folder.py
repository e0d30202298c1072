"""Saves and loads the folder of an artefact."""

from __future__ import annotations

import hashlib
import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from pydantic import ValidationError

from hwgen.arguments import require_path
from hwgen.artefact.arrays import array_entry, read_arrays, write_arrays
from hwgen.artefact.atomic import replace_folder
from hwgen.artefact.codec import Reader, Writer
from hwgen.artefact.evaluation_file import EvaluationFile
from hwgen.artefact.schema import FORMAT, VERSION, Document
from hwgen.errors import ArtefactError, NetworkError
from hwgen.network import Network, require_network
from hwgen.validation import first_problem

NETWORK_FILE = "network.yaml"
ARRAYS_FILE = "weights.npz"


def content_hash(network: Network) -> str:
    """SHA-256, in hexadecimal, of everything that an artefact of ``network`` holds.

    The same before saving and after loading, whatever integer types the arrays have in memory.
    """
    document, _ = _document(network)
    return str(document["sha256"])


def save(network: Network, path: str | os.PathLike[str]) -> None:
    """Write ``network`` as the folder ``path``, completely or not at all.

    An artefact or an empty folder at ``path`` is replaced. Raises :class:`.NetworkError` if the
    network breaks a rule, :class:`.ArtefactError` if ``path`` holds anything else or cannot be
    written.
    """
    require_network(network)
    network.verify()
    document, arrays = _document(network)
    target = require_path("path", path, error=ArtefactError)
    try:
        _require_replaceable(target)
    except OSError as error:
        raise ArtefactError(f"{path}: cannot be written: {error}") from error
    with replace_folder(target) as folder:
        text = yaml.safe_dump(document, sort_keys=False, default_flow_style=None, width=100)
        (folder / NETWORK_FILE).write_text(text, encoding="ascii", newline="\n")
        write_arrays(folder / ARRAYS_FILE, arrays)


def load(path: str | os.PathLike[str]) -> Network:
    """Read the artefact in the folder ``path``, and verify the network.

    Raises :class:`.ArtefactError` if the folder is not an artefact, was written by a newer hwgen,
    or is damaged, truncated or edited.
    """
    folder = require_path("path", path, error=ArtefactError)
    raw = _read_document(folder)
    where = str(folder / NETWORK_FILE)
    try:
        document = Document.model_validate(raw)
    except ValidationError as error:
        raise ArtefactError(
            f"{where}: {first_problem(error)}; the file was edited or damaged, convert the model "
            f"again"
        ) from error
    if (found := document_hash(raw)) != document.sha256:
        raise ArtefactError(
            f"{where}: its content has hash {found[:12]}…, but it records {document.sha256[:12]}…; "
            f"it was edited or damaged, convert the model again"
        )
    arrays = read_arrays(folder / ARRAYS_FILE, document.arrays)
    try:
        network = Reader(arrays).network(document)
        network.verify()
    except IndexError as error:
        raise ArtefactError(f"{where}: refers to an array that it does not list") from error
    except NetworkError as error:
        raise ArtefactError(f"{where}: not a valid network: {error}") from error
    return network


def _document(network: Network) -> tuple[dict[str, Any], list[np.ndarray]]:
    writer = Writer()
    document = _plain(writer.network(network), where=network.name)
    document["arrays"] = [array_entry(array) for array in writer.arrays]
    # The first lines of the file say what it is, and in which version.
    head = {key: document[key] for key in ("format", "version")}
    head["sha256"] = document_hash(document)
    return head | document, writer.arrays


def _plain(value: Any, *, where: str) -> Any:
    """A copy made of None, bool, int, finite float, str, list and dict: files keep these exactly.

    Tuples become lists. Anything else raises :class:`.ArtefactError` with its place.
    """
    if isinstance(value, dict):
        for key in value:
            if type(key) is not str:
                raise ArtefactError(f"{where}: key {key!r} must be a string; convert it with str()")
        return {key: _plain(item, where=f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, where=f"{where}[{index}]") for index, item in enumerate(value)]
    if type(value) is float and not math.isfinite(value):
        raise ArtefactError(f"{where}: must be a finite number, not {value}; leave it out")
    if value is None or type(value) in (bool, int, float, str):
        return value
    raise ArtefactError(
        f"{where}: {type(value).__module__}.{type(value).__name__} is not a plain value; convert "
        f"it to a Python number, string, list or dict (`.item()`, `.tolist()`)"
    )


def document_hash(document: dict[str, Any]) -> str:
    """SHA-256 of the document less its own ``sha256``, as canonical JSON (docs/artefact.md)."""
    body = {key: value for key, value in document.items() if key != "sha256"}
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _require_replaceable(target: Path) -> None:
    if not target.exists():
        return
    if not target.is_dir():
        raise ArtefactError(f"{target}: is a file; give the path of a folder")
    entries = {entry.name for entry in target.iterdir()}
    if not entries:
        return
    head = b""
    if NETWORK_FILE in entries:
        with (target / NETWORK_FILE).open("rb") as file:
            head = file.read(len(FORMAT) + 8)
    extra = sorted(entries - {NETWORK_FILE, ARRAYS_FILE, EvaluationFile.FILE})
    if extra or head != f"format: {FORMAT}".encode():
        raise ArtefactError(
            f"{target}: holds something other than an artefact ({', '.join(extra) or NETWORK_FILE}"
            f"); give another path, or move it away"
        )


def _read_document(folder: Path) -> dict[str, Any]:
    path = folder / NETWORK_FILE
    try:
        raw = yaml.safe_load(path.read_bytes())
    except FileNotFoundError:
        what = f"no {NETWORK_FILE} in it" if folder.is_dir() else "no such folder"
        raise ArtefactError(f"{folder}: is not an hwgen artefact: {what}") from None
    except OSError as error:
        raise ArtefactError(f"{folder}: is not an hwgen artefact: {error}") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        first = str(error).splitlines()[0]
        raise ArtefactError(
            f"{path}: truncated or damaged ({first}); copy the artefact or convert the model again"
        ) from error
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        raise ArtefactError(
            f"{folder}: is not an hwgen artefact: {path.name} lacks format {FORMAT}"
        )
    version = raw.get("version")
    if type(version) is not int or version < 1:
        raise ArtefactError(f"{path}: version must be a positive integer, not {version!r}")
    if version > VERSION:
        raise ArtefactError(
            f"{folder}: written by a newer hwgen (format {version}, this one reads up to "
            f"{VERSION}); install a newer hwgen"
        )
    return raw
