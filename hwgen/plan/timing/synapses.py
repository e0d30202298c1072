"""Timing of :mod:`hwgen.rtl.synapses`."""

from __future__ import annotations

from collections.abc import Sequence

from hwgen.plan.hardware import LayerPlan
from hwgen.plan.timing.process import Process
from hwgen.plan.timing.scanner import FeedTimes


def sum_windows(
    plan: LayerPlan,
    feeds: Sequence[FeedTimes],
    samples: int,
    currents: list[int],
    taken: list[int],
) -> Process:
    """Scanners and synapse array: appends when each window's currents are there to ``currents``.

    ``taken`` is when the membrane unit took them.
    """
    latency = 4 + (plan.scanners - 1).bit_length()
    last_column = plan.window.out_columns - 1
    for sample, step, out_row, out_column in feeds[0].window.positions(samples):
        arrived = []
        for feed in feeds:
            while (time := feed.window.arrival(sample, step, out_row, out_column)) < 0:
                yield len(currents)
            arrived.append(time)
        chunks = [feed.costs[sample][step, out_row, out_column].tolist() for feed in feeds]
        for fold in range(plan.fold):
            last = max(
                feed.scan(time, cost[fold % len(cost)])
                for feed, time, cost in zip(feeds, arrived, chunks, strict=True)
            )
            if currents:
                while len(taken) < len(currents):
                    yield len(currents)
                last = max(last, taken[-1] + 1)
            for feed in feeds:
                feed.take_last(last)
            currents.append(last + latency)
        if out_column == last_column:
            for feed in feeds:
                feed.window.row_read(step, out_row, feed.reader.read)
