"""Timing of :mod:`hwgen.rtl.synapses`: scanners, and the array that sums a window's currents."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hwgen.plan.timing.membrane import Grants
from hwgen.plan.timing.process import Process
from hwgen.plan.timing.window import ChunkQueue, Reader, Window
from hwgen.plan.units.latencies import CREDIT_FIFO_DEPTH, SPIKE_INDEX
from hwgen.plan.units.layer import LayerPlan
from hwgen.plan.units.synaptic_path import SynapticPathPlan


class Scanner:
    """A scanner: cycles in which its spike indices can be taken."""

    def __init__(self, queue: ChunkQueue) -> None:
        self.queue = queue
        self.step = self.pop = -1
        self.pops: deque[int] = deque([-1] * CREDIT_FIFO_DEPTH, maxlen=CREDIT_FIFO_DEPTH)

    def scan(self, read: int, cost: int) -> None:
        """Add a chunk with ``cost`` spikes that is read in cycle ``read``."""
        # A chunk is taken when the previous one gives its last index.
        step = max(self.queue.put(read), self.step)
        self.queue.taken.append(step)
        pops, pop = self.pops, self.pop
        for _ in range(max(cost, 1)):
            step = max(step + 1, pops[0] + 1)
            pop = max(step + SPIKE_INDEX, pop + 1)
            pops.append(pop)
        self.step, self.pop = step, pop

    def take_last(self, cycle: int) -> None:
        """Record that the last index so far is taken in ``cycle``."""
        self.pop = self.pops[-1] = cycle


class Masked:
    """A masked path, whose chunks take the place of spike indices."""

    def __init__(self, queue: ChunkQueue) -> None:
        self.queue = queue
        self.pop = -1

    def scan(self, read: int, cost: int) -> None:
        self.pop = max(self.queue.put(read), self.pop + 1)
        self.queue.taken.append(self.pop)

    def take_last(self, cycle: int) -> None:
        self.pop = self.queue.taken[-1] = cycle


class PathTimes:
    """A synaptic path's reader and scanners, over the windows of all samples."""

    def __init__(
        self, plan: SynapticPathPlan, window: Window, costs: list[NDArray[np.uint8]]
    ) -> None:
        self.window = window
        self.costs = costs
        self.reader = Reader(plan.window.scanners)
        kind = Masked if plan.is_masked else Scanner
        self.scanners = [kind(queue) for queue in self.reader.queues]

    def scan(self, arrived: int, chunks: list[list[int]], first: bool) -> int:
        """First cycle in which the last indices of a window can be taken.

        ``chunks`` has the number of spikes of each chunk in each scanner's slice; ``first`` marks
        the first window of an output row in a timestep.
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

    def wait(self, cycle: int) -> None:
        """Record that no index is taken up to ``cycle``: the trains have not begun."""
        for scanner in self.scanners:
            scanner.pop = cycle


def sum_windows(
    plan: LayerPlan, paths: Sequence[PathTimes], samples: int, grants: Grants
) -> Process:
    """Scanners and synapse array: the last indices of each window wait for a grant."""
    last_column = plan.window.out_columns - 1
    silent_steps = [plan.silent_steps(path) for path in plan.paths]
    longest = paths[silent_steps.index(0)]
    for sample, step, out_row, out_column in longest.window.positions(samples):
        begun = [
            (path, step - silent)
            for path, silent in zip(paths, silent_steps, strict=True)
            if step >= silent
        ]
        silent_paths = [path for path, silent in zip(paths, silent_steps) if step < silent]
        arrived = []
        for path, own_step in begun:
            while (time := path.window.arrival(sample, own_step, out_row, out_column)) < 0:
                yield len(grants.currents)
            arrived.append(time)
        chunks = [
            path.costs[sample][own_step, out_row, out_column].tolist() for path, own_step in begun
        ]
        for turn in range(plan.rounds):
            last = max(
                path.scan(time, cost[turn % len(cost)], turn == out_column == 0)
                for (path, _), time, cost in zip(begun, arrived, chunks, strict=True)
            )
            if out_column == last_column and turn == plan.rounds - 1:
                for path, own_step in begun:
                    path.window.row_read(own_step, out_row, path.reader.read)
            while (granted := grants.next()) < 0:
                yield len(grants.currents)
            last = max(last, granted)
            for path, _ in begun:
                path.take_last(last)
            for path in silent_paths:
                path.wait(last)
            grants.grant(last)
