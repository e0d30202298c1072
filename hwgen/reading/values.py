"""Values behind a header that somebody else wrote: memory is taken for what is there."""

from __future__ import annotations

import numpy as np

from hwgen.reading.files import Readable, ReadingError

EXPANSION = 100
"""Most that values of more than ``FREE`` bytes may be larger than what they are stored in."""
FREE = 64 << 20
_CHUNK = 1 << 22


def require_bounded(size: int, *, stored: int, limit: int) -> None:
    """Raise :class:`.ReadingError` if ``size`` bytes, out of ``stored`` ones, are too many."""
    if size > limit:
        raise ReadingError(f"takes {size:,} bytes, but at most {limit:,} are read; give less data")
    if size > FREE and size > EXPANSION * stored:
        raise ReadingError(
            f"unpacks to {size:,} bytes, over {EXPANSION} times its size; store it uncompressed"
        )


def read_values(source: Readable, size: int) -> np.ndarray:
    """The ``size`` bytes that ``source`` holds to its very end; raises :class:`.ReadingError`."""
    values, done = np.empty(size, np.uint8), 0
    while done < size and (piece := source.read(min(_CHUNK, size - done))):
        values[done : done + len(piece)] = np.frombuffer(piece, np.uint8)
        done += len(piece)
    if done < size or source.read(1):  # an archive compares its checksum at the end
        more = "less" if done < size else "more"
        raise ReadingError(f"holds {more} than the {size:,} bytes that its header calls for")
    return values
