"""``weights.npz``: arrays by index, byte for byte the same for the same arrays."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path

import numpy as np

from hwgen.artefact.schema import ArrayModel
from hwgen.errors import ArtefactError
from hwgen.reading import ReadingError, one_line
from hwgen.reading.npz import Npz, open_npz

LIMIT = 1 << 30
"""Bytes of ``weights.npz``: eight times the weights of VGG-16."""


def array_entry(array: np.ndarray) -> dict[str, object]:
    """Entry of an array in the document: type, shape, SHA-256 of its bytes in C order."""
    return {
        "dtype": array.dtype.name,
        "shape": list(array.shape),
        "sha256": hashlib.sha256(array.tobytes()).hexdigest(),
    }


def write_arrays(path: Path, arrays: list[np.ndarray]) -> None:
    """Write an ``.npz`` with members ``0.npy``, ``1.npy``, …

    Members are stored, not deflated, and have a fixed date, so that the bytes depend only on the
    arrays and not on the clock or the version of zlib.
    """
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for index, array in enumerate(arrays):
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, array, version=(1, 0), allow_pickle=False)
            info = zipfile.ZipInfo(f"{index}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            info.create_system = 3
            info.external_attr = 0o644 << 16
            archive.writestr(info, buffer.getvalue())


def read_arrays(path: Path, entries: list[ArrayModel]) -> list[np.ndarray]:
    """Read the arrays that ``entries`` list; any difference raises :class:`.ArtefactError`.

    Since members are stored, the arrays take no more memory than the file.
    """
    try:
        with open_npz(path, limit=LIMIT, deflated=False, links=False) as archive:
            found = {info.filename for info in archive.members.values()}
            expected = {f"{index}.npy" for index in range(len(entries))}
            if found != expected:
                odd = one_line(", ".join(map(repr, sorted(found ^ expected))), limit=200)
                raise ArtefactError(
                    f"{path}: not the arrays that network.yaml lists (missing or extra: {odd}); "
                    f"convert the model again"
                )
            return [
                _read_array(archive, str(index), entry, where=f"{path}: array {index}")
                for index, entry in enumerate(entries)
            ]
    except ReadingError as error:
        if error.missing:
            raise ArtefactError(
                f"{path}: missing; the artefact is incomplete, copy it again"
            ) from None
        raise ArtefactError(
            f"{path}: truncated or damaged ({error}); copy the artefact or convert the model again"
        ) from error


def _read_array(archive: Npz, name: str, entry: ArrayModel, *, where: str) -> np.ndarray:
    dtype = np.dtype(entry.dtype).newbyteorder("<")
    found = archive.header(name)
    if found.fortran or found.dtype != dtype or list(found.shape) != entry.shape:
        raise ArtefactError(
            f"{where}: is {found.dtype} {found.shape}, but network.yaml lists {dtype} "
            f"{tuple(entry.shape)}; weights.npz belongs to another artefact"
        )
    array = archive.read(name)
    if hashlib.sha256(array.reshape(-1).view(np.uint8).data).hexdigest() != entry.sha256:
        raise ArtefactError(
            f"{where}: its bytes do not have the hash in network.yaml; weights.npz was edited or "
            f"belongs to another artefact"
        )
    return array
