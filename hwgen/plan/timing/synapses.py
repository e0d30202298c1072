"""Timing of :mod:`hwgen.rtl.scanner` and :mod:`hwgen.rtl.synapses`."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from hwgen.plan.hardware import LayerPlan
from hwgen.plan.timing.process import FIFO_DEPTH, Process
from hwgen.plan.timing.window import Reader, Window

EVENT_LATENCY = 3
"""From the step that finds a spike to its event."""


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
