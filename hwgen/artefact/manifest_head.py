"""What every version of a build folder's manifest has."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from hwgen.artefact.plain_files import read_json
from hwgen.errors import ArtefactError
from hwgen.validation import Version, Word

MANIFEST_FILE = "manifest.json"


class ManifestHead(BaseModel):
    """The part of a manifest that every version has."""

    format: Literal["hwgen-build"]
    version: int
    tools: Mapping[Word, Version] = {}
    files: Mapping[str, str] = {}


def head_of(folder: Path) -> ManifestHead | None:
    """Head of the manifest in ``folder``; None if that is no build folder."""
    try:
        return ManifestHead.model_validate_json(read_json(folder / MANIFEST_FILE))
    except (OSError, ValueError, ArtefactError):
        return None


def is_build_folder(folder: Path) -> bool:
    """Whether ``folder`` holds the manifest of a build folder, of any version."""
    return head_of(folder) is not None
