"""``weights.npz``: arrays by index, byte for byte the same for the same arrays."""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from pathlib import Path

import numpy as np

from hwgen.artefact.schema import ArrayModel
from hwgen.errors import ArtefactError

_DAMAGE = (
    OSError, EOFError, ValueError, KeyError, NotImplementedError, RuntimeError,
    zipfile.BadZipFile, zlib.error,
)  # fmt: skip
_HEADER = 4096  # the headers that write_arrays makes are shorter


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
    """Read the arrays that ``entries`` list; any difference raises :class:`.ArtefactError`."""
    try:
        with zipfile.ZipFile(path) as archive:
            found = {info.filename: info for info in archive.infolist()}
            expected = {f"{index}.npy" for index in range(len(entries))}
            if found.keys() != expected:
                odd = ", ".join(sorted(found.keys() ^ expected))
                raise ArtefactError(
                    f"{path}: not the arrays that network.yaml lists (missing or extra: {odd}); "
                    f"convert the model again"
                )
            return [
                _read_array(archive, found[f"{index}.npy"], entry, where=f"{path}: array {index}")
                for index, entry in enumerate(entries)
            ]
    except FileNotFoundError:
        raise ArtefactError(f"{path}: missing; the artefact is incomplete, copy it again") from None
    except _DAMAGE as error:
        raise ArtefactError(
            f"{path}: truncated or damaged ({error}); copy the artefact or convert the model again"
        ) from error


def _read_array(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, entry: ArrayModel, *, where: str
) -> np.ndarray:
    dtype = np.dtype(entry.dtype).newbyteorder("<")
    size = int(np.prod(entry.shape, dtype=object)) * dtype.itemsize
    if info.file_size > size + _HEADER:  # looked at before anything of that size is read
        raise ArtefactError(f"{where}: {info.file_size} bytes, but network.yaml lists {size}")
    stream = io.BytesIO(archive.read(info))
    version = np.lib.format.read_magic(stream)
    if version != (1, 0):
        raise ArtefactError(f"{where}: .npy version {version} instead of (1, 0)")
    shape, fortran, found = np.lib.format.read_array_header_1_0(stream)
    data = stream.read()
    if fortran or found != dtype or list(shape) != entry.shape or len(data) != size:
        raise ArtefactError(
            f"{where}: is {found} {shape}, but network.yaml lists {dtype} {tuple(entry.shape)}; "
            f"weights.npz belongs to another artefact"
        )
    if hashlib.sha256(data).hexdigest() != entry.sha256:
        raise ArtefactError(
            f"{where}: its bytes do not have the hash in network.yaml; weights.npz was edited or "
            f"belongs to another artefact"
        )
    return np.frombuffer(data, dtype=dtype).reshape(shape)
