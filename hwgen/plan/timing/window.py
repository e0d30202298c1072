"""Timing of :mod:`hwgen.rtl.streams.fork`, :mod:`hwgen.rtl.window.writer` and
:mod:`hwgen.rtl.window.reader`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hwgen.plan.timing.process import Link, Process
from hwgen.plan.units.geometry import WindowPlan
from hwgen.plan.units.latencies import CHUNK, CHUNK_QUEUE_DEPTH, CHUNKS_IN_FLIGHT

FULL = CHUNK_QUEUE_DEPTH - CHUNKS_IN_FLIGHT
"""Chunks in a queue from which on the reader stops."""


class Window:
    """A window buffer: cycles in which its chunks are written and its rows are free again.

    A *line* is a row in one timestep; lines are numbered over all samples in stream order.
    """

    def __init__(self, plan: WindowPlan) -> None:
        self.plan = plan
        self.last = -1  # cycle in which the writer last took a word, or last wrote
        self.entered = -1  # cycle in which the last word entered the skid buffer before it
        self.taken = [-1, -1]  # cycles in which it took the two previous words
        self.stored: list[int] = []  # for each memory word
        self.complete: list[int] = []  # for each line
        self.released: list[int] = []  # for each row
        self.chunk_ends, self.flushed = _chunk_ends(plan)
        # Precomputed, because long trains have millions of windows.
        self._line_of_row, self._line_of_step = (
            (plan.timesteps, 1) if plan.planes > 1 else (1, plan.rows)
        )
        self._lines = plan.rows * plan.timesteps
        self._newest_rows = [plan.last_row(row) for row in range(plan.out_rows)]
        self._newest_chunks = [plan.newest_chunk(column) for column in range(plan.out_columns)]
        self._row_chunks = plan.row_chunks

    def positions(self, samples: int) -> Iterator[tuple[int, int, int, int]]:
        """(sample, timestep, out_row, out_column) in the order of the schedule."""
        plan = self.plan
        rows, steps = range(plan.out_rows), range(plan.timesteps)
        for sample in range(samples):
            if plan.planes > 1:
                lines = [(step, row) for row in rows for step in steps]
            else:
                lines = [(step, row) for step in steps for row in rows]
            for step, row in lines:
                for column in range(plan.out_columns):
                    yield sample, step, row, column

    def arrival(self, sample: int, step: int, out_row: int, out_column: int) -> int:
        """Cycle in which the newest chunk of a window is written; −1 if unknown yet."""
        line = (
            sample * self._lines
            + self._newest_rows[out_row] * self._line_of_row
            + step * self._line_of_step
        )
        chunk = self._newest_chunks[out_column]
        if chunk == self._row_chunks:
            return self.complete[line] if line < len(self.complete) else -1
        index = line * self._row_chunks + chunk
        return self.stored[index] if index < len(self.stored) else -1

    def row_read(self, step: int, out_row: int, time: int) -> None:
        """Record that the windows of ``out_row`` are read, their last chunk in cycle ``time``."""
        plan = self.plan
        if step == plan.timesteps - 1 or plan.planes == 1:
            self.released += [time] * plan.rows_released(out_row)

    def take(self, here: int) -> int:
        """Cycle in which the writer takes a word that reaches the skid buffer in cycle ``here``."""
        self.entered = max(self.entered + 1, here, self.taken[0] + 1)
        self.last = max(self.last + 1, self.entered + 1)
        self.taken = [self.taken[1], self.last]
        return self.last

    def write_line(self, times: Sequence[int]) -> None:
        """Record that the words of a line are taken in the cycles ``times``."""
        self.stored += [times[word] for word in self.chunk_ends]
        self.stored += [times[-1] + n for n in self.flushed]
        self.last = times[-1] + self.plan.flush_chunks
        self.complete.append(self.last)


def write(windows: Sequence[Window], link: Link, samples: int) -> Process:
    """The writers of all windows that read ``link``; each word goes to all of them."""
    ready, popped = link.ready, link.taken
    plan = windows[0].plan
    words = plan.columns * plan.words
    for line in range(samples * plan.timesteps * plan.rows):
        for window in windows:
            row = line // window.plan.planes - window.plan.slots
            if row >= 0:
                while len(window.released) <= row:
                    yield len(popped)
                window.last = max(window.last, window.released[row])
        times: list[list[int]] = [[] for _ in windows]
        for _ in range(words):
            while len(ready) <= len(popped):
                yield len(popped)
            here = ready[len(popped)]
            if popped and popped[-1] >= here:
                here = popped[-1] + 1
            for window, taken in zip(windows, times, strict=True):
                taken.append(window.take(here))
            popped.append(max(window.entered for window in windows))
        for window, taken in zip(windows, times, strict=True):
            window.write_line(taken)


class Reader:
    """The reader of a window buffer: cycles in which it reads chunks."""

    def __init__(self, scanners: int) -> None:
        self.read = -1
        self.queues = [ChunkQueue() for _ in range(scanners)]

    def next_read(self, arrived: int, first: bool = False) -> int:
        """Cycle in which the next chunk, complete in cycle ``arrived``, is read.

        ``first`` marks the first chunk of an output row in a timestep.
        """
        read = max(self.read + 1 + first, arrived + 2)
        for queue in self.queues:
            read = queue.room(read)
        if len(self.queues) > 1:  # in a later cycle another queue may be fuller
            while (later := max(queue.room(read) for queue in self.queues)) > read:
                read = later
        self.read = read
        return read


class ChunkQueue:
    """The queue before a scanner: cycles in which its chunks arrive and are taken."""

    def __init__(self) -> None:
        self.came: list[int] = []
        self.taken: list[int] = []
        self.seen = 0  # chunks that arrived before the last cycle in question

    def room(self, read: int) -> int:
        """First cycle from ``read`` on before which the queue was not full."""
        while True:
            while self.seen < len(self.came) and self.came[self.seen] < read - 1:
                self.seen += 1
            before = self.seen - FULL
            if before < 0 or self.taken[before] < read - 1:
                return read
            read = self.taken[before] + 2

    def put(self, read: int) -> int:
        """Add a chunk that is read in cycle ``read``; returns the first cycle to take it.

        The caller appends the actual cycle to ``taken``.
        """
        self.came.append(read + CHUNK - 1)
        return read + CHUNK


def _chunk_ends(plan: WindowPlan) -> tuple[list[int], list[int]]:
    """Last word of each memory word of a line; cycles of flushed ones after the line."""
    if plan.wide:
        first = plan.kernel[1] - 1 - plan.padding[1]
        pixels = [first + n * plan.stride[1] for n in range(plan.out_columns)]
        ends = [(pixel + 1) * plan.words - 1 for pixel in pixels if pixel < plan.columns]
        return ends, [pixel - plan.columns + 1 for pixel in pixels if pixel >= plan.columns]
    ends = [
        pixel * plan.words + min(chunk * plan.pack, plan.words) - 1
        for pixel in range(plan.columns)
        for chunk in range(1, plan.chunks + 1)
    ]
    return ends, []
