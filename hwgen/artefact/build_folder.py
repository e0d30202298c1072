"""Reads a build folder's ``manifest.json`` and checks the files that it names."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from hwgen.errors import ArtefactError

MANIFEST_FILE = "manifest.json"


def read_manifest(folder: str | Path) -> dict[str, Any]:
    """The manifest of a build folder, its files checked against their hashes.

    Raises
    ------
    ArtefactError
        The folder is no build folder, or a file is missing or was edited.
    """
    folder = Path(folder)
    path = folder / MANIFEST_FILE
    if not path.is_file():
        raise ArtefactError(
            f"{folder} is no build folder: it has no {MANIFEST_FILE}; "
            f"make one with `hwgen generate`"
        )
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        files = dict(manifest["files"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArtefactError(
            f"{path} is damaged ({type(error).__name__}: {error}); generate it again"
        ) from error
    for name, digest in files.items():
        file = folder / name
        if not file.is_file():
            raise ArtefactError(f"{file} is missing, but the manifest names it; generate it again")
        if hashlib.sha256(file.read_bytes()).hexdigest() != digest:
            raise ArtefactError(
                f"{file} was changed since it was generated: its SHA-256 is not that of the "
                f"manifest; generate it again"
            )
    return manifest
