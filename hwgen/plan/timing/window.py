"""Timing of :mod:`hwgen.rtl.window` and :mod:`hwgen.rtl.reader`."""

from __future__ import annotations

from collections import deque

from hwgen.plan.geometry import WindowPlan
from hwgen.plan.timing.process import FIFO_DEPTH, Link, Process

CHUNK_LATENCY = 4
"""From the read of a chunk to the chunk."""


class Window:
    """The writer of a window buffer: takes words while its readers have released rows."""

    def __init__(self, plan: WindowPlan, source: Link) -> None:
        self.plan = plan
        self.source = source
        self.released: list[list[int]] = [[] for _ in range(plan.scanners)]

    def write(self, planes: int) -> Process:
        """``planes`` timesteps of all samples; the times go to ``source.taken``."""
        plan, ready, taken = self.plan, self.source.ready, self.source.taken
        row_words = plan.columns * plan.words
        last = -1
        for row in range(planes * plan.rows):
            needed = row - plan.buffer_rows  # rows that must be released before
            if needed >= 0:
                while any(len(times) <= needed for times in self.released):
                    yield len(taken)
                last = max(last, *(times[needed] for times in self.released))
            for _ in range(row_words):
                while len(ready) <= len(taken):
                    yield len(taken)
                last = max(last + 1, ready[len(taken)])
                taken.append(last)

    def arrival_index(self, plane: int, out_row: int, out_column: int) -> int:
        """Index of the word with which an output pixel's windows can be read."""
        plan = self.plan
        row = plane * plan.rows + plan.last_row(out_row)
        column = min(plan.last_column(out_column), plan.columns - 1)
        return (row * plan.columns + column + 1) * plan.words - 1

    def release(self, scanner: int, out_row: int, time: int) -> None:
        self.released[scanner] += [time] * self.plan.rows_released(out_row)


class Reader:
    """The reader of a window buffer: when each chunk is read, and when it is there."""

    def __init__(self) -> None:
        self.read = -1
        self.taken: deque[int] = deque([-1] * FIFO_DEPTH, maxlen=FIFO_DEPTH)

    def next_chunk(self, arrived: int) -> int:
        """When a chunk whose last word came at ``arrived`` is there; then append to ``taken``."""
        self.read = max(self.read + 1, arrived + 1, self.taken[0] + 1)
        return self.read + CHUNK_LATENCY
