"""The units' timing: one process each, with the latencies that the RTL's docstrings state.

Constants are named after what they count in :mod:`hwgen.rtl`; ``tests/test_cosim.py`` holds this
model against the simulator.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from hwgen.plan.hardware import EncoderPlan, LayerPlan, PoolPlan, WindowPlan
from hwgen.plan.timing import FIFO_DEPTH, Link, Process

CHUNK_LATENCY = 4  # reader: from the read to the chunk
EVENT_LATENCY = 3  # scanner: from the step to the event
FIRST_STEP = 2  # scanner: from the chunk to its first step


def feed_encoder(plan: EncoderPlan, samples: int, out: Link, first_beats: list[int]) -> Process:
    """Beats that come as fast as they are taken; appends each sample's first beat."""
    words = plan.output.words_per_plane
    steps = plan.output.timesteps
    pieces_in_beat = plan.beat_pixels // plan.piece_pixels
    pieces_in_word = plan.word_pixels // plan.piece_pixels
    pieces = -(-plan.sample_pixels // plan.piece_pixels)
    apart = 4 if plan.code == "rate" and words < 4 else 1
    frame_free = [0, 0]  # cycle in which the frame memory may be written again
    beat = piece = -1  # when the last beat, and the last piece, was taken
    sent = -apart
    for sample in range(samples):
        frame = sample % 2
        written = []
        for index in range(pieces):
            if index % pieces_in_beat == 0:
                beat = max(beat + 1, piece)
                if index == 0:
                    first_beats.append(beat)
            piece = max(piece + 1, beat + 1, frame_free[frame])
            if index % pieces_in_word == pieces_in_word - 1 or index == pieces - 1:
                written.append(piece)
        for step in range(steps):
            for word in range(words):
                while (free := out.promised()) < 0:
                    yield len(out.ready)
                sent = max(sent + apart, free, written[word] + 1 if step == 0 else 0)
                out.ready.append(sent + 4)
        frame_free[frame] = sent + 1


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


class Scanner:
    """A reader and its scanner: when a window's last event is there."""

    def __init__(self) -> None:
        self.reader = Reader()
        self.ahead = self.load = self.step = self.pop = -1
        self.pops: deque[int] = deque([-1] * FIFO_DEPTH, maxlen=FIFO_DEPTH)

    def scan(self, arrived: int, costs: list[int]) -> int:
        """First cycle in which the last event of a window of ``costs`` can be taken."""
        reader, pops, step, pop = self.reader, self.pops, self.step, self.pop
        for cost in costs:
            # A chunk is looked at once the one before is searched, and is then searched itself.
            self.ahead = max(reader.next_chunk(arrived), self.ahead + 1, self.load)
            reader.taken.append(self.ahead)
            self.load = max(self.ahead + 1, step)
            step = self.load
            for _ in range(cost):
                step = max(step + 1, pops[0] + 1)
                pop = max(step + EVENT_LATENCY, pop + 1)
                pops.append(pop)
        self.step = step
        return pop

    def take_last(self, cycle: int) -> None:
        self.pop = self.pops[-1] = cycle


def sum_windows(
    plan: LayerPlan,
    window: Window,
    costs: list[NDArray[np.int64]],
    currents: list[int],
    taken: list[int],
) -> Process:
    """Scanners and synapse array: appends when each window's currents are there to ``currents``.

    ``taken`` is when the membrane unit took them.
    """
    geometry = plan.window
    latency = 4 + (geometry.scanners - 1).bit_length()
    scanners = [Scanner() for _ in range(geometry.scanners)]
    source = window.source.taken
    plane = 0
    for sample in costs:
        for step in sample:
            for out_row, row in enumerate(step):
                for out_column, taps in enumerate(row):
                    word = window.arrival_index(plane, out_row, out_column)
                    while len(source) <= word:
                        yield len(currents)
                    arrived = source[word]
                    chunks = taps.T.tolist()
                    for _ in range(plan.fold):
                        last = max(
                            scanner.scan(arrived, chunk)
                            for scanner, chunk in zip(scanners, chunks, strict=True)
                        )
                        if currents:
                            while len(taken) < len(currents):
                                yield len(currents)
                            last = max(last, taken[-1] + 1)
                        for scanner in scanners:
                            scanner.take_last(last)
                        currents.append(last + latency)
                for index, scanner in enumerate(scanners):
                    window.release(index, out_row, scanner.reader.read)
            plane += 1


def accumulate(
    plan: LayerPlan,
    samples: int,
    currents: list[int],
    taken: list[int],
    closed: list[int],
    fired: list[int],
    last_issue: list[int],
) -> Process:
    """Phase I: takes currents part by part; appends when each sample is complete to ``closed``."""
    apart = 4 if plan.membrane_depth < 4 else 1
    groups = group_parts(plan)
    word = -1
    window = 0
    for sample in range(samples):
        bank = sample % plan.banks
        if sample >= plan.banks:
            while len(fired) <= sample - plan.banks:
                yield window
            word = max(word, fired[sample - plan.banks])
        for _ in range(plan.timesteps_in * plan.positions):
            for parts in groups:
                while len(currents) <= window:
                    yield window
                for part in range(parts):
                    word = max(word + 1, last_issue[bank] + apart)
                    if part == 0:
                        word = max(word, currents[window])
                    last_issue[bank] = word
                taken.append(word)
                window += 1
        closed.append(word)


def fire(
    plan: LayerPlan,
    samples: int,
    closed: list[int],
    fired: list[int],
    last_issue: list[int],
    out: Link,
) -> Process:
    """Phase II, or the read-out of the logits."""
    apart = 4 if plan.membrane_depth < 4 else 1
    word = -1
    for sample in range(samples):
        bank = sample % plan.banks
        while len(closed) <= sample:
            yield len(out.ready)
        word = max(word, closed[sample])
        for _ in range(plan.timesteps_out * plan.membrane_depth):
            while (free := out.promised()) < 0:
                yield len(out.ready)
            word = max(word + 1, last_issue[bank] + apart, free)
            last_issue[bank] = word
            out.ready.append(word + 4)
        fired.append(word)


def fire_at_once(
    plan: LayerPlan, samples: int, currents: list[int], taken: list[int], out: Link
) -> Process:
    """The single-phase unit: fires in the step it integrates."""
    apart = 5 if plan.membrane_depth < 5 else 1
    groups = group_parts(plan)
    word = -apart
    for window in range(samples * plan.timesteps_in * plan.positions * plan.fold):
        while len(currents) <= window:
            yield len(out.ready)
        for _ in range(groups[window % plan.fold]):
            while (free := out.promised()) < 0:
                yield len(out.ready)
            word = max(word + apart, currents[window], free)
            out.ready.append(word + 5)
        taken.append(word)


def group_parts(plan: LayerPlan) -> list[int]:
    """Membrane words of each group of lanes; the last may have fewer."""
    return [min(plan.parts, plan.words - group * plan.parts) for group in range(plan.fold)]


def race(plan: PoolPlan, samples: int, window: Window, out: Link) -> Process:
    """The max-pool: a candidate a cycle."""
    geometry = plan.window
    soon = (plan.words - 1) * plan.candidates + 1 < 3
    reader = Reader()
    source = window.source.taken
    go = last = -3
    for plane in range(samples * geometry.timesteps):
        for out_row in range(geometry.out_rows):
            for out_column in range(geometry.out_columns):
                word = window.arrival_index(plane, out_row, out_column)
                while len(source) <= word:
                    yield len(out.ready)
                for _ in range(geometry.fold):
                    for candidate in range(plan.candidates):
                        go = max(go + 1, reader.next_chunk(source[word]))
                        if soon:
                            go = max(go, last + 3)
                        if candidate == plan.candidates - 1:
                            while (free := out.promised()) < 0:
                                yield len(out.ready)
                            go = last = max(go, free)
                            out.ready.append(go + 3)
                        reader.taken.append(go)
            window.release(0, out_row, reader.read)


def send_results(classes: int, lanes: int, samples: int, source: Link, done: list[int]) -> Process:
    """The result unit: appends when each sample's class leaves."""
    take = sent = -1
    word = 0
    for _ in range(samples):
        for index in range(classes):
            while len(source.ready) <= word:
                yield len(done)
            take = max(take + 1, source.ready[word], sent)
            sent = max(take + 1, sent + 1)
            if index % lanes == lanes - 1 or index == classes - 1:
                source.taken.append(take)
                word += 1
        done.append(sent + 2)
        # The class follows the last logit; the next logit is held meanwhile.
        sent += 1
