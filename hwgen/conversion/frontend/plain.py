"""Text that comes from a file or another library, made fit for one line of a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from hwgen.reading import one_line

_LONGEST = 300  # characters of one text


def plain(text: object) -> str:
    """``text`` in one line, without control characters or other invisible ones, and not too long.

    An escape sequence could otherwise clear the screen, or write a message of its own.
    """
    line = " ".join(str(text).split())
    return one_line(line if len(line) <= _LONGEST else line[:_LONGEST] + " …")


def first_line(error: BaseException) -> str:
    """First line of the message, without a full stop; the error's type if it has none."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return plain(lines[0].rstrip(".") if lines else type(error).__name__)


def listing(names: Sequence[object], *, shown: int) -> str:
    """``a, b, c and 4 more``: the first ``shown`` names, and how many follow."""
    more = len(names) - shown
    text = ", ".join(plain(name) for name in names[:shown])
    return f"{text} and {more} more" if more > 0 else text
