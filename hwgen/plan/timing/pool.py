"""Timing of :mod:`hwgen.rtl.pool`."""

from __future__ import annotations

from hwgen.plan.hardware import PoolPlan
from hwgen.plan.timing.process import Link, Process
from hwgen.plan.timing.window import Reader, Window


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
