"""Bytes and text of a regular file, up to a limit."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from hwgen.errors import HwgenError
from hwgen.reading.one_line import one_line

TEXT_LIMIT = 16 << 20
"""Bytes of a text file; the network.yaml of ResNet-18 has 40 kB."""
_CHUNK = 1 << 20


class Readable(Protocol):
    """What values are read from: a file, or a member of an archive."""

    def read(self, size: int, /) -> bytes: ...


class ReadingError(HwgenError):
    """A file cannot be read within its bounds; the message is the reason, in one line.

    ``missing`` says that there is no such file.
    """

    def __init__(self, reason: object, *, missing: bool = False) -> None:
        super().__init__(one_line(reason))
        self.missing = missing


@contextmanager
def open_regular(path: Path, *, limit: int, links: bool = True) -> Iterator[BinaryIO]:
    """Open a regular file of at most ``limit`` bytes; fifos and devices are not waited for.

    Without ``links`` a symbolic link is refused: that of a folder which somebody else packed may
    lead anywhere.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if links else os.O_NOFOLLOW)
    try:
        if not links and path.is_symlink():
            raise ReadingError("is a symbolic link; replace it with the file that it points to")
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        raise ReadingError("no such file", missing=True) from None
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        reason = getattr(error, "strerror", None) or error
        raise ReadingError(f"cannot be opened: {reason}") from error
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise ReadingError(f"is {kind_of(status.st_mode)} and not a regular file")
    with os.fdopen(descriptor, "rb") as file:
        if status.st_size > limit:
            raise ReadingError(f"has {status.st_size:,} bytes, but at most {limit:,} are read")
        yield file


def read_bytes(path: Path, *, limit: int = TEXT_LIMIT, links: bool = True) -> bytes:
    """The content of :func:`open_regular`'s file, which may grow while it is read."""
    content = bytearray()
    with open_regular(path, limit=limit, links=links) as file:
        try:
            while chunk := file.read(min(_CHUNK, limit + 1 - len(content))):
                content += chunk
        except OSError as error:
            raise ReadingError(error.strerror or error) from error
    if len(content) > limit:
        raise ReadingError(f"has more than {limit:,} bytes, the most that are read")
    return bytes(content)


def read_text(path: Path, *, limit: int = TEXT_LIMIT, links: bool = True) -> str:
    """The content of a file as UTF-8 text."""
    content = read_bytes(path, limit=limit, links=links)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ReadingError(f"is not UTF-8 text at byte {error.start:,}") from error


def kind_of(mode: int) -> str:
    """What a path with this mode is, if it is no regular file."""
    kinds = {
        stat.S_IFLNK: "a symbolic link", stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device",
    }  # fmt: skip
    return kinds.get(stat.S_IFMT(mode), "a special file")
