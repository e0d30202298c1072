"""How many rows each window buffer must hold where paths part and join again.

A layer that adds two paths reads row i of both. Where the paths part, every word goes into both or
into neither, so the buffer at the end of the shorter path has to take all rows that the longer
one needs for row i. With

    reads(p, i)       newest row of its source that feed p reads for row i, oldest(p, i) the oldest
    reach(M, i, X)    newest row of X that M needs to give its row i
    given(M, n, X)    newest row that M can give with rows … n of X

a feed p beside feed q of the same layer, whose paths part at X, holds at least

    max over i:  given(source of p, reach(source of q, reads(q, i), X), X) − oldest(p, i) + 1

rows; with one less nothing moves any more, unless a row is so short that the chunks which wait
behind the reader are a whole one. Rows are those of the schedule: in ``time`` each timestep's rows
count on, and a two-phase layer gives none before it has read all of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from math import ceil

from hwgen.errors import PlanError
from hwgen.plan.units.geometry import WindowPlan
from hwgen.plan.units.hardware_plan import LayerPlan, PoolPlan, Stage
from hwgen.plan.units.window_buffers import usual_slots


class Joins:
    """The rows that the buffers of ``stages``, in topological order, must hold."""

    def __init__(self, stages: Iterable[Stage]) -> None:
        self._stages = {stage.node: stage for stage in stages}
        self.reach = cache(self._reach)
        self.ancestors = cache(self._ancestors)
        self._has_way = cache(self._find_way)
        self._passes = cache(self._count_passes)

    def least(self, stage: LayerPlan, index: int) -> int:
        """Slots without which the feed ``index`` of ``stage`` would stop the network."""
        own = stage.feeds[index]
        window, least = own.window, own.window.min_slots
        for other in stage.feeds[:index] + stage.feeds[index + 1 :]:
            for origin in self.partings(own.source, other.source):
                newest = -1
                for row in range(_read_rows(window)):
                    needed = self.reach(other.source, reads(other.window, row), origin)
                    while (
                        newest + 1 < _source_rows(window)
                        and self.reach(own.source, newest + 1, origin) <= needed
                    ):
                        newest += 1
                    least = max(least, newest - oldest(window, row) + 1)
        return least

    def enough(self, stage: LayerPlan, index: int, *, overlap: bool) -> int:
        """Slots with which no path waits for another.

        Beside the least ones: the row that comes in, and a pass for each layer that the longer
        path goes through. In the schedule ``time`` that is a whole sample, which is given only
        where a layer can fire one while it takes the next.
        """
        own = stage.feeds[index]
        slots = max(usual_slots(own.window), self.least(stage, index))
        if len(stage.feeds) == 1:
            return slots
        lag = 0
        for other in stage.feeds[:index] + stage.feeds[index + 1 :]:
            for origin in self.partings(own.source, other.source):
                longer = self._passes(other.source, origin, own.window)
                lag = max(lag, longer - self._passes(own.source, origin, own.window))
        spare = lag if overlap or own.window.schedule == "row" else 0
        return max(slots, self.least(stage, index) + spare + own.window.stride[0])

    def partings(self, node: str, other: str) -> list[str]:
        """Where paths to ``node`` and ``other`` part: no later node lies on all of them."""
        common = self.ancestors(node) & self.ancestors(other)
        return [
            origin
            for origin in common
            if not any(
                later != origin
                and origin in self.ancestors(later)
                and not self._has_way(node, origin, later)
                and not self._has_way(other, origin, later)
                for later in common
            )
        ]

    def _find_way(self, node: str, origin: str, avoided: str) -> bool:
        """Whether a path from ``origin`` to ``node`` does not go through ``avoided``."""
        if node in (origin, avoided) or node not in self._stages:
            return node == origin
        return any(self._has_way(source, origin, avoided) for source in self._stages[node].sources)

    def _ancestors(self, node: str) -> frozenset[str]:
        """``node`` and all that it depends on."""
        found = {node}
        if node in self._stages:
            for source in self._stages[node].sources:
                found |= self.ancestors(source)
        return frozenset(found)

    def _reach(self, node: str, row: int, origin: str) -> int:
        if node == origin:
            return row
        if node not in self._stages:
            return -1
        stage = self._stages[node]
        rows = []
        for source, window in _feeds(stage):
            if origin in self.ancestors(source):
                read = row
                if window.schedule == "time" and _is_two_phase(stage):
                    read = _read_rows(window) - 1
                rows.append(self.reach(source, reads(window, read), origin))
        return max(rows)

    def _count_passes(self, node: str, origin: str, unit: WindowPlan) -> int:
        """Passes of the layers between ``origin`` and ``node``, in rows of ``unit``'s source."""
        if node == origin or node not in self._stages:
            return 0
        stage = self._stages[node]
        own = 0
        if _is_two_phase(stage):
            rows = unit.rows if unit.schedule == "row" else unit.rows * unit.timesteps
            per_pass = stage.window.out_rows if unit.schedule == "row" else 1
            own = ceil(rows / per_pass)
        before = [
            self._passes(source, origin, unit)
            for source, _ in _feeds(stage)
            if origin in self.ancestors(source)
        ]
        return own + max(before)


def plan_slots(stages: Iterable[Stage], *, overlap: bool) -> list[Stage]:
    """The stages with buffers in which nothing stops or waits for want of room."""
    stages = list(stages)
    joins = Joins(stages)
    planned: list[Stage] = []
    for stage in stages:
        if isinstance(stage, LayerPlan):
            feeds = tuple(
                replace(
                    feed,
                    window=replace(feed.window, slots=joins.enough(stage, index, overlap=overlap)),
                )
                for index, feed in enumerate(stage.feeds)
            )
            stage = replace(stage, feeds=feeds)
        planned.append(stage)
    return planned


def require_slots(stages: Iterable[Stage]) -> None:
    """Raise :class:`PlanError` where a buffer is so small that the network could stop."""
    stages = list(stages)
    joins = Joins(stages)
    for stage in stages:
        for index, (source, window) in enumerate(_feeds(stage)):
            least = window.min_slots
            if isinstance(stage, LayerPlan):
                least = joins.least(stage, index)
            if window.slots < least:
                raise PlanError(
                    f"{stage.node}: slots of the window buffer behind {source!r} must be at least "
                    f"{least}, not {window.slots}; with fewer rows the network stops"
                )


def reads(window: WindowPlan, row: int) -> int:
    """Newest row of its source that is read for output row ``row``."""
    step, out_row = divmod(row, window.out_rows)
    return step * window.rows + window.last_row(out_row)


def oldest(window: WindowPlan, row: int) -> int:
    step, out_row = divmod(row, window.out_rows)
    return step * window.rows + window.first_row(out_row)


def _steps(window: WindowPlan) -> int:
    return window.timesteps // window.planes


def _read_rows(window: WindowPlan) -> int:
    return window.out_rows * _steps(window)


def _source_rows(window: WindowPlan) -> int:
    return window.rows * _steps(window)


def _feeds(stage: Stage) -> list[tuple[str, WindowPlan]]:
    if isinstance(stage, PoolPlan):
        return [(stage.source, stage.window)]
    return [(feed.source, feed.window) for feed in stage.feeds]


def _is_two_phase(stage: Stage) -> bool:
    return isinstance(stage, LayerPlan) and stage.kind != "single-phase"
