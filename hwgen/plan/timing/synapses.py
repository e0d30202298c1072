"""Timing of :mod:`hwgen.rtl.synapses.array`."""

from __future__ import annotations

from collections.abc import Sequence

from hwgen.plan.timing.membrane import Grants
from hwgen.plan.timing.process import Process
from hwgen.plan.timing.scanner import PathTimes
from hwgen.plan.units.hardware_plan import LayerPlan


def sum_windows(
    plan: LayerPlan,
    feeds: Sequence[PathTimes],
    samples: int,
    grants: Grants,
) -> Process:
    """Scanners and synapse array: takes each window's last events once they are granted."""
    last_column = plan.window.out_columns - 1
    for sample, step, out_row, out_column in feeds[0].window.positions(samples):
        arrived = []
        for feed in feeds:
            while (time := feed.window.arrival(sample, step, out_row, out_column)) < 0:
                yield len(grants.currents)
            arrived.append(time)
        chunks = [feed.costs[sample][step, out_row, out_column].tolist() for feed in feeds]
        for turn in range(plan.rounds):
            last = max(
                feed.scan(time, cost[turn % len(cost)], turn == out_column == 0)
                for feed, time, cost in zip(feeds, arrived, chunks, strict=True)
            )
            if out_column == last_column and turn == plan.rounds - 1:
                for feed in feeds:
                    feed.window.row_read(step, out_row, feed.reader.read)
            while (granted := grants.next()) < 0:
                yield len(grants.currents)
            last = max(last, granted)
            for feed in feeds:
                feed.take_last(last)
            grants.grant(last)
