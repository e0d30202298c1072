"""Foreign text as part of a message."""

from __future__ import annotations

MESSAGE = 600
"""Characters of a message that quotes foreign text; the terminal shows it in a few lines."""


def one_line(text: object, limit: int = MESSAGE) -> str:
    """``str(text)`` on one line of at most ``limit`` characters, with escapes for what is unseen.

    Names and values of a file may hold line breaks, terminal escapes, or a million characters.
    """
    whole = str(text)
    cut = whole if len(whole) <= limit else f"{whole[: limit // 2]}…{whole[-limit // 3 :]}"
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in cut)
