"""Timing of :mod:`hwgen.rtl.synapses.scanner`: the events of one projection's scanners."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from hwgen.plan.timing.process import FIFO_DEPTH
from hwgen.plan.timing.window import Reader, Waiting, Window
from hwgen.plan.units.synaptic_path import SynapticPathPlan

EVENT_LATENCY = 3
"""From the step that finds a spike to its event."""


class Scanner:
    """When the events of a window can be taken."""

    def __init__(self, waiting: Waiting) -> None:
        self.waiting = waiting
        self.step = self.pop = -1
        self.pops: deque[int] = deque([-1] * FIFO_DEPTH, maxlen=FIFO_DEPTH)

    def scan(self, read: int, cost: int) -> None:
        """A chunk read at ``read`` that holds ``cost`` spikes."""
        # A chunk is taken as the one before gives its last event.
        step = max(self.waiting.put(read), self.step)
        self.waiting.taken.append(step)
        pops, pop = self.pops, self.pop
        for _ in range(max(cost, 1)):
            step = max(step + 1, pops[0] + 1)
            pop = max(step + EVENT_LATENCY, pop + 1)
            pops.append(pop)
        self.step, self.pop = step, pop

    def take_last(self, cycle: int) -> None:
        """The last event so far is taken at ``cycle``."""
        self.pop = self.pops[-1] = cycle


class Masked:
    """A masked path's chunks, each an event by itself."""

    def __init__(self, waiting: Waiting) -> None:
        self.waiting = waiting
        self.pop = -1

    def scan(self, read: int, cost: int) -> None:
        self.pop = max(self.waiting.put(read), self.pop + 1)
        self.waiting.taken.append(self.pop)

    def take_last(self, cycle: int) -> None:
        self.pop = self.waiting.taken[-1] = cycle


class PathTimes:
    """A path's reader and scanners, over the windows of all samples."""

    def __init__(
        self, plan: SynapticPathPlan, window: Window, costs: list[NDArray[np.uint8]]
    ) -> None:
        self.window = window
        self.costs = costs
        self.reader = Reader(plan.window.scanners)
        kind = Masked if plan.is_masked else Scanner
        self.scanners = [kind(fifo) for fifo in self.reader.fifos]

    def scan(self, arrived: int, chunks: list[list[int]], first: bool) -> int:
        """First cycle in which the last events of a window can be taken.

        ``chunks`` holds the spikes of each chunk in each scanner's slice; ``first`` tells that the
        window is the first of an output row in a timestep.
        """
        reader, scanners = self.reader, self.scanners
        final = len(chunks) - 1
        for index, costs in enumerate(chunks):
            read = reader.next_read(arrived, first and index == 0)
            for scanner, cost in zip(scanners, costs, strict=True):
                if cost or index == final:
                    scanner.scan(read, cost)
        return max(scanner.pop for scanner in scanners)

    def take_last(self, cycle: int) -> None:
        for scanner in self.scanners:
            scanner.take_last(cycle)
