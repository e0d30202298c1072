"""Where a build folder is written: what it may replace, and what of the earlier one it keeps."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection
from pathlib import Path

from hwgen.artefact.atomic import link_or_copy
from hwgen.artefact.claim import is_left_over, storage_errors
from hwgen.artefact.manifest_head import MANIFEST_FILE, head_of, is_build_folder
from hwgen.errors import ArtefactError

ROUTED = "synth"
"""Results of place and route, which may have taken hours."""
MADE_LATER = (
    "evaluation.json", "folding.yaml", "network/evaluation.json", "report.html", "report.json",
    "sim", "simulation.json", ROUTED, f"{ROUTED}-failed",
)  # fmt: skip
"""Files and folders of hwgen that no manifest names: results of the core that is replaced."""


def require_replaceable(path: Path, *, force: bool) -> None:
    """Check that a build folder may be written at ``path``.

    Raises :class:`.ArtefactError` if there is something else, or an earlier build folder with
    results of place and route and not ``force``; :class:`.StorageError` if it cannot be read.
    """
    with storage_errors(path):
        empty = not path.exists() or (path.is_dir() and not any(path.iterdir()))
        if not empty and not is_build_folder(path):
            raise ArtefactError(
                f"{path} exists and is not a build folder; give another path or remove it"
            )
        if not force and (path / ROUTED).exists():
            raise ArtefactError(
                f"{path / ROUTED}: holds the results of place and route, which would be lost; give "
                f"another path, or drop them with --force"
            )


def keep_foreign_files(earlier: Path, fresh: Path) -> None:
    """Put the files of ``earlier`` that hwgen did not make into the new build folder ``fresh``.

    They stay in ``earlier`` too. Raises :class:`.ArtefactError` for one that has the name of a
    generated file.
    """
    if not earlier.is_dir():
        return
    head = head_of(earlier)
    generated = () if head is None else head.files
    _keep(earlier, fresh, {*generated, *MADE_LATER, MANIFEST_FILE}, "")


def _keep(earlier: Path, fresh: Path, made: Collection[str], below: str) -> None:
    with os.scandir(earlier / below) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        name = f"{below}{entry.name}"
        if name in made or is_left_over(entry.name):
            continue
        if entry.is_dir(follow_symlinks=False):
            if not (fresh / name).exists():
                (fresh / name).mkdir()
                shutil.copystat(entry.path, fresh / name)
            _keep(earlier, fresh, made, f"{name}/")
        elif os.path.lexists(fresh / name):
            raise ArtefactError(
                f"{earlier / name}: hwgen did not make it, and the new core has a file of that "
                f"name; move it away"
            )
        else:
            link_or_copy(entry.path, fresh / name)
