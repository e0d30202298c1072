"""``.npz`` archives of plain numbers, whose size on disk or a limit bounds what they take.

Nothing of an archive is evaluated: the header of an array is matched as text.
"""

from __future__ import annotations

import math
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, NamedTuple

import numpy as np

from hwgen.reading.files import ReadingError, open_regular
from hwgen.reading.values import read_values, require_bounded

AXES = 8
_DIRECTORY = 1 << 20  # bytes of the archive's directory, and a small multiple of them in memory
_HEADER_LIMIT = 4096  # bytes of an array's header; NumPy writes 118
_DAMAGE = (
    EOFError, ValueError, KeyError, NotImplementedError, RuntimeError, OverflowError, struct.error,
    zipfile.BadZipFile, zlib.error,
)  # fmt: skip
_HEADER = re.compile(
    r"\{'descr': '([^']*)', 'fortran_order': (False|True), 'shape': \(([0-9L, ]*)\),? *\} *\n?"
)
_NUMBERS = re.compile(r"[<>|=]?(b1|[iu][1248]|f[248])")


class Header(NamedTuple):
    """Type and shape of an array, before its values are read; ``size`` is their bytes."""

    dtype: np.dtype
    fortran: bool
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize


@dataclass(frozen=True)
class Npz:
    """An open archive; ``members`` are its arrays by name, without ``.npy``."""

    archive: zipfile.ZipFile
    members: dict[str, zipfile.ZipInfo]

    def header(self, name: str) -> Header:
        """Type and shape of an array; raises :class:`.ReadingError`."""
        with _named(name), self.archive.open(self.members[name]) as stream:
            return _header(stream)

    def read(self, name: str) -> np.ndarray:
        """An array as it is stored; raises :class:`.ReadingError`."""
        info = self.members[name]
        with _named(name), self.archive.open(info) as stream:
            return _array(stream, info.file_size)


def read_npy(path: Path, *, limit: int) -> np.ndarray:
    """The array of an ``.npy`` file of at most ``limit`` bytes; raises :class:`.ReadingError`."""
    with open_regular(path, limit=limit) as file:
        try:
            return _array(file, os.fstat(file.fileno()).st_size)
        except (OSError, *_DAMAGE) as error:
            raise ReadingError(f"is truncated or damaged: {error}") from error


@contextmanager
def open_npz(path: Path, *, limit: int, deflated: bool = True, links: bool = True) -> Iterator[Npz]:
    """Open an archive whose arrays have at most ``limit`` bytes together.

    Without ``deflated`` members must be stored as they are. Raises :class:`.ReadingError`.
    """
    with open_regular(path, limit=limit, links=links) as file:
        try:
            size = _require_directory(file)
            archive = zipfile.ZipFile(file)
        except (OSError, *_DAMAGE) as error:
            raise ReadingError(f"is not an .npz archive, or damaged: {error}") from error
        with archive:
            yield Npz(archive, _members(archive, size, limit=limit, deflated=deflated))


def _require_directory(file: BinaryIO) -> int:
    """Refuse an archive whose directory would take much memory; the bytes of the file."""
    size = file.seek(0, 2)
    file.seek(max(0, size - (1 << 16) - 22))
    tail = file.read()
    place = tail.rfind(b"PK\5\6")
    if place < 0 or len(tail) < place + 22:
        raise ReadingError("is not an .npz archive, or truncated: it has no directory at its end")
    if tail[max(0, place - 20) : place].startswith(b"PK\6\7"):
        raise ReadingError("is a ZIP64 archive, which is not read; write it with numpy.savez")
    (directory,) = struct.unpack_from("<L", tail, place + 12)
    if directory > _DIRECTORY:
        raise ReadingError(
            f"has a directory of {directory:,} bytes, but at most {_DIRECTORY:,} are read"
        )
    return size


def _members(
    archive: zipfile.ZipFile, size: int, *, limit: int, deflated: bool
) -> dict[str, zipfile.ZipInfo]:
    members: dict[str, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        name = info.filename.removesuffix(".npy")
        if name in members:
            raise ReadingError(f"holds {info.filename!r} twice")
        if info.compress_type == zipfile.ZIP_STORED:
            sound = info.file_size == info.compress_size
        elif deflated and info.compress_type == zipfile.ZIP_DEFLATED:
            sound = True
        else:
            ways = "stored or deflated" if deflated else "stored, not compressed"
            raise ReadingError(f"its members must be {ways}, unlike {info.filename!r}")
        if not sound:
            raise ReadingError(f"{info.filename!r} has two different sizes")
        members[name] = info
    if sum(info.compress_size for info in members.values()) > size:
        raise ReadingError("its members overlap")
    require_bounded(sum(info.file_size for info in members.values()), stored=size, limit=limit)
    return members


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Name the array in the reason why it cannot be read."""
    try:
        yield
    except ReadingError as error:
        raise ReadingError(f"array {name!r} {error}") from None
    except (OSError, *_DAMAGE) as error:
        raise ReadingError(f"array {name!r} is truncated or damaged: {error}") from error


def _array(stream: IO[bytes], size: int) -> np.ndarray:
    """The array of a stream of ``size`` bytes."""
    header = _header(stream)
    start = stream.tell()
    if start + header.size != size:
        raise ReadingError(
            f"holds {size - start:,} bytes of values, but its header, {header.dtype} "
            f"{header.shape}, calls for {header.size:,}"
        )
    array = read_values(stream, header.size).view(header.dtype)
    return array.reshape(header.shape, order="F" if header.fortran else "C")


def _header(stream: IO[bytes]) -> Header:
    start = stream.read(8)
    if start[:6] != b"\x93NUMPY" or start[6:] not in (b"\1\0", b"\2\0", b"\3\0"):
        raise ReadingError("is not in .npy format 1.0, 2.0 or 3.0")
    count = 2 if start[6] == 1 else 4
    length = int.from_bytes(stream.read(count), "little")
    if length > _HEADER_LIMIT:
        raise ReadingError(f"has a header of {length:,} bytes, at most {_HEADER_LIMIT:,} are read")
    text = stream.read(length).decode("latin-1")
    if len(text) != length or (found := _HEADER.fullmatch(text)) is None:
        raise ReadingError("has no header of plain numbers; save numbers, not objects or records")
    kind, fortran, axes = found.groups()
    if not _NUMBERS.fullmatch(kind):
        raise ReadingError(f"has type {kind!r}; save integers, floats or booleans")
    shape = tuple(int(axis.rstrip("L ")) for axis in axes.split(",") if axis.strip())
    if len(shape) > AXES or math.prod(shape) >= 1 << 48:
        raise ReadingError(f"has a shape of {len(shape)} axes, which is too large")
    return Header(np.dtype(kind), fortran == "True", shape)
