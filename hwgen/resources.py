"""Folders of data: at the root of a checkout, inside the package ``hwgen`` in a wheel."""

from __future__ import annotations

from pathlib import Path

FOLDERS = ("rtl_templates", "sim", "boards", "examples")
"""pyproject.toml ships each of them as ``hwgen/_NAME``."""


def resource_dir(name: str) -> Path:
    """Path of the folder ``name``, one of :data:`FOLDERS`.

    Raises
    ------
    FileNotFoundError
        The folder is missing from the installation: a fault of packaging, not of the input.
    """
    if name not in FOLDERS:
        raise ValueError(f"unknown folder {name!r}; available: {', '.join(FOLDERS)}")
    package = Path(__file__).resolve().parent
    places = (package / f"_{name}", package.parent / name)
    for place in places:
        if place.is_dir():
            return place
    raise FileNotFoundError(f"{name} is neither {places[0]} nor {places[1]}")
