"""Metadata of dataclass fields: how :mod:`hwgen.artefact` stores them."""

from __future__ import annotations

from collections.abc import Mapping

INT32: Mapping[str, object] = {"dtype": "int32"}
"""An int32 array in memory; other arrays are int64."""
OPTIONAL: Mapping[str, object] = {"optional": True}
"""May be absent from a file, which then means the default; it is always written."""
OMITTED: Mapping[str, object] = {"optional": True, "omitted": True}
"""Written only if it differs from the default."""
