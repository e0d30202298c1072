"""Plain values: the types that provenance may hold, since files and hashes keep them exactly."""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any

from hwgen.errors import ArtefactError


def plain(value: Any, *, where: str) -> Any:
    """A copy made of None, bool, int, finite float, str, list and dict only.

    Tuples become lists. Anything else raises :class:`ArtefactError` with its place.
    """
    if isinstance(value, dict):
        for key in value:
            if type(key) is not str:
                raise ArtefactError(f"{where}: key {key!r} must be a string; convert it with str()")
        return {key: plain(item, where=f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, where=f"{where}[{index}]") for index, item in enumerate(value)]
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
