"""Timing of :mod:`hwgen.rtl.pool`."""

from __future__ import annotations

from hwgen.plan.timing.process import Link, Process
from hwgen.plan.timing.window import Reader, Window
from hwgen.plan.units.latencies import POOL
from hwgen.plan.units.pool import PoolPlan


def race(plan: PoolPlan, samples: int, window: Window, out: Link) -> Process:
    """The max-pool: one candidate per cycle."""
    geometry = plan.window
    soon = (plan.words - 1) * plan.candidates + 1 < POOL
    reader = Reader(1)
    queue = reader.queues[0]
    go = last = -3
    for sample, step, out_row, out_column in window.positions(samples):
        while (arrived := window.arrival(sample, step, out_row, out_column)) < 0:
            yield len(out.ready)
        for channel in range(geometry.rounds):
            for candidate in range(plan.candidates):
                first = channel == candidate == out_column == 0
                go = max(go + 1, queue.put(reader.next_read(arrived, first)))
                if soon:
                    go = max(go, last + POOL)
                if candidate == plan.candidates - 1:
                    while (free := out.credit()) < 0:
                        yield len(out.ready)
                    go = last = max(go, free)
                    out.ready.append(go + 3)
                queue.taken.append(go)
        if out_column == geometry.out_columns - 1:
            window.row_read(step, out_row, reader.read)
