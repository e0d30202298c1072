"""Files that somebody else may have made: read within bounds of memory and time.

Each function raises :class:`.ReadingError` with a reason in one line; the loader that called it
adds the path and the remedy.
"""

from hwgen.reading.files import TEXT_LIMIT, ReadingError, read_bytes, read_text
from hwgen.reading.one_line import one_line

__all__ = ["TEXT_LIMIT", "ReadingError", "one_line", "read_bytes", "read_text"]
