"""Standard output and error of every kind: any encoding, a full disk, closed, no terminal."""

from __future__ import annotations

import codecs
import os
import sys
import unicodedata
from contextlib import suppress
from typing import TextIO

from hwgen.errors import StorageError

ERRORS = "hwgen"
"""Name of the error handler of :func:`plain`."""
_SIGNS = {
    "–": "-", "—": "-", "…": "...", "→": "->", "←": "<-", "×": "x", "·": "*", "≤": "<=", "≥": ">=",
    "≈": "~", "µ": "u", "−": "-", "∈": "in", "∞": "inf", "⌊": "floor(", "⌋": ")", "²": "^2",
}  # fmt: skip


def use_any_encoding() -> None:
    """Let every text be printed: signs that an encoding lacks are replaced."""
    codecs.register_error(ERRORS, plain)
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError):  # a stream that is closed, or not a file
            stream.reconfigure(errors=ERRORS)  # type: ignore[union-attr]


def plain(error: UnicodeError) -> tuple[str, int]:
    """Error handler of a codec: Greek letters by name, other letters as escapes of Python."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    return "".join(_SIGNS.get(sign) or _spelled(sign) for sign in text), error.end


def _spelled(sign: str) -> str:
    words = unicodedata.name(sign, "").split()
    if words[:1] == ["GREEK"] and len(words) == 4:
        return words[-1].lower() if words[1] == "SMALL" else words[-1].capitalize()
    return sign.encode("ascii", "backslashreplace").decode("ascii")


def say(text: str) -> None:
    """Print lines on standard output.

    Raises :class:`.StorageError` if that is a file on a full disk, or a pipe that nothing reads.
    """
    try:
        _write(sys.stdout, text)
    except OSError as error:
        with suppress(OSError, ValueError):  # or Python would try again at its end, and fail
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise StorageError(f"standard output: cannot be written: {error}") from error


def note(text: str) -> None:
    """Print lines on standard error, if it can be written."""
    try:
        _write(sys.stderr, text)
    except OSError:
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person reads ``stream``; it is None if the program was started without it."""
    return stream is not None and stream.isatty()


def can_show(text: str) -> bool:
    """Whether the encoding of standard output has every sign of ``text``."""
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _write(stream: TextIO | None, text: str) -> None:
    if stream is not None:
        stream.write(f"{text}\n")
        stream.flush()
