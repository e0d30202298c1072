"""Saves and loads the folder of an artefact."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from pydantic import ValidationError

from hwgen.arguments import require_path
from hwgen.artefact.arrays import LIMIT, array_entry, read_arrays, write_arrays
from hwgen.artefact.atomic import replace_folder
from hwgen.artefact.claim import storage_errors
from hwgen.artefact.codec import Reader, Writer
from hwgen.artefact.evaluation_file import EvaluationFile
from hwgen.artefact.plain_values import as_plain, sizes
from hwgen.artefact.schema import FORMAT, VERSION, Document
from hwgen.errors import ArtefactError, NetworkError
from hwgen.network import Network, require_network
from hwgen.reading import TEXT_LIMIT, ReadingError, one_line, read_bytes
from hwgen.reading.plain_yaml import VALUES, read_yaml
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
    where = one_line(network.name, limit=60)
    text = _readable_text(document, where=where)
    if (size := sum(array.nbytes for array in arrays)) > LIMIT:
        raise ArtefactError(
            f"{where}: its arrays have {size:,} bytes, but an artefact holds at most {LIMIT:,}; "
            f"use smaller layers, or a smaller probe"
        )
    target = require_path("path", path, error=ArtefactError)
    require_replaceable(target)
    with replace_folder(target) as folder:
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
    except ArtefactError as error:
        raise ArtefactError(f"{where}: {error}; convert the model again") from None
    except NetworkError as error:
        raise ArtefactError(f"{where}: not a valid network: {one_line(error)}") from error
    return network


def _document(network: Network) -> tuple[dict[str, Any], list[np.ndarray]]:
    writer = Writer()
    document = as_plain(writer.network(network), where=network.name)
    document["arrays"] = [array_entry(array) for array in writer.arrays]
    # The first lines of the file say what it is, and in which version.
    head = {key: document[key] for key in ("format", "version")}
    head["sha256"] = document_hash(document)
    return head | document, writer.arrays


def document_hash(document: dict[str, Any]) -> str:
    """SHA-256 of the document less its own ``sha256``, as canonical JSON (docs/artefact.md)."""
    body = {key: value for key, value in document.items() if key != "sha256"}
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _readable_text(document: dict[str, Any], *, where: str) -> str:
    """Text of ``network.yaml``; refuses a document that :func:`load` would refuse for its size."""
    values, characters = sizes(document)
    if values > VALUES or characters > TEXT_LIMIT:
        raise ArtefactError(
            f"{where}: {NETWORK_FILE} would have {values:,} values and {characters:,} characters, "
            f"but at most {VALUES:,} and {TEXT_LIMIT:,} are read; keep large values out of the "
            f"provenance"
        )
    text = yaml.safe_dump(document, sort_keys=False, default_flow_style=None, width=100)
    if len(text) > TEXT_LIMIT:  # escapes are longer than the characters that they stand for
        raise ArtefactError(
            f"{where}: {NETWORK_FILE} would have {len(text):,} bytes, but at most {TEXT_LIMIT:,} "
            f"are read; keep long texts out of the provenance"
        )
    return text


def require_replaceable(target: Path) -> None:
    """Check that an artefact may be saved at ``target``: there is none, or one to replace.

    Raises :class:`.ArtefactError` if there is something else, :class:`.StorageError` if it cannot
    be read.
    """
    with storage_errors(target):
        _require_replaceable(target)


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
        try:
            head = read_bytes(target / NETWORK_FILE, links=False)[: len(FORMAT) + 8]
        except ReadingError:  # a pipe or a link: not what save() writes
            head = b""
    extra = sorted(entries - {NETWORK_FILE, ARRAYS_FILE, EvaluationFile.FILE})
    if extra or head != f"format: {FORMAT}".encode():
        raise ArtefactError(
            f"{target}: holds something other than an artefact ({', '.join(extra) or NETWORK_FILE}"
            f"); give another path, or move it away"
        )


def _read_document(folder: Path) -> dict[str, Any]:
    path = folder / NETWORK_FILE
    if not folder.is_dir():
        what = "is a file, not a folder" if folder.exists() else "no such folder"
        raise ArtefactError(f"{folder}: is not an hwgen artefact: {what}")
    try:
        raw = read_yaml(path, links=False)
    except ReadingError as error:
        if error.missing:
            raise ArtefactError(
                f"{folder}: is not an hwgen artefact: no {NETWORK_FILE} in it"
            ) from None
        raise ArtefactError(
            f"{path}: truncated or damaged ({error}); copy the artefact or convert the model again"
        ) from error
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        raise ArtefactError(
            f"{folder}: is not an hwgen artefact: {path.name} lacks format {FORMAT}"
        )
    version = raw.get("version")
    if type(version) is not int or version < 1:
        raise ArtefactError(
            f"{path}: version must be a positive integer, not {one_line(repr(version), limit=60)}"
        )
    if version > VERSION:
        raise ArtefactError(
            f"{folder}: written by a newer hwgen (format {version}, this one reads up to "
            f"{VERSION}); install a newer hwgen"
        )
    return raw
