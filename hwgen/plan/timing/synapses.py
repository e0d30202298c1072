"""Timing of :mod:`hwgen.rtl.synapses.array`."""

from __future__ import annotations

from collections.abc import Sequence

from hwgen.plan.timing.membrane import Grants
from hwgen.plan.timing.process import Process
from hwgen.plan.timing.scanner import PathTimes
from hwgen.plan.units.layer import LayerPlan


def sum_windows(
    plan: LayerPlan, paths: Sequence[PathTimes], samples: int, grants: Grants
) -> Process:
    """Scanners and synapse array: the last indices of each window wait for a grant."""
    last_column = plan.window.out_columns - 1
    for sample, step, out_row, out_column in paths[0].window.positions(samples):
        arrived = []
        for path in paths:
            while (time := path.window.arrival(sample, step, out_row, out_column)) < 0:
                yield len(grants.currents)
            arrived.append(time)
        chunks = [path.costs[sample][step, out_row, out_column].tolist() for path in paths]
        for turn in range(plan.rounds):
            last = max(
                path.scan(time, cost[turn % len(cost)], turn == out_column == 0)
                for path, time, cost in zip(paths, arrived, chunks, strict=True)
            )
            if out_column == last_column and turn == plan.rounds - 1:
                for path in paths:
                    path.window.row_read(step, out_row, path.reader.read)
            while (granted := grants.next()) < 0:
                yield len(grants.currents)
            last = max(last, granted)
            for path in paths:
                path.take_last(last)
            grants.grant(last)
