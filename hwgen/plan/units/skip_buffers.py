"""Rows that each window buffer must hold where branches of a network join.

A layer that adds two branches reads row i of both. At the node where the branches fork, every word
enters both or neither, so the buffer at the end of the shorter branch must hold all rows that the
longer branch needs for row i. With::

    reads(p, i), oldest(p, i)   newest and oldest row of its source that path p reads for row i
    reach(M, i, X)              newest row of X that node M needs for its row i
    given(M, n, X)              newest row that node M can send with rows … n of X

a synaptic path p beside another one q of the same layer, whose branches fork at X, holds at least::

    max over i:  given(source of p, reach(source of q, reads(q, i), X), X) − oldest(p, i) + 1

rows. With one row less the network deadlocks, unless rows are so short that a whole one fits into
the chunk queues after the reader. With :attr:`Schedule.TIME`, rows are counted over all timesteps,
and a two-phase layer sends none before it has read all of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from math import ceil

from hwgen.errors import PlanError
from hwgen.plan.units.geometry import Schedule, WindowPlan
from hwgen.plan.units.layer import LayerPlan, UnitKind
from hwgen.plan.units.pool import Stage
from hwgen.plan.units.window_buffers import usual_slots


class Joins:
    """Rows that the window buffers of ``stages``, in topological order, must hold."""

    def __init__(self, stages: Iterable[Stage]) -> None:
        self._stages = {stage.node: stage for stage in stages}
        self.reach = cache(self._reach)
        self.ancestors = cache(self._ancestors)
        self._is_reachable = cache(self._find_branch)
        self._passes = cache(self._count_passes)

    def minimum(self, stage: Stage, index: int) -> int:
        """Fewest slots of path ``index`` of ``stage`` with which the network never deadlocks."""
        own = stage.paths[index]
        window, minimum = own.window, own.window.min_slots
        for other in stage.paths[:index] + stage.paths[index + 1 :]:
            # Trains end together, so in schedule time those of other paths start earlier or later.
            ahead = (_steps(other.window) - _steps(window)) * window.out_rows
            for origin in self.forks(own.source, other.source):
                newest = -1
                for row in range(max(0, -ahead), _read_rows(window)):
                    needed = self.reach(other.source, reads(other.window, row + ahead), origin)
                    while (
                        newest + 1 < _source_rows(window)
                        and self.reach(own.source, newest + 1, origin) <= needed
                    ):
                        newest += 1
                    minimum = max(minimum, newest - oldest(window, row) + 1)
        return minimum

    def sufficient(self, stage: LayerPlan, index: int, *, overlap: bool) -> int:
        """Slots with which no branch waits for another.

        Beyond the minimum: the row that is being written, and a pass for each layer on the longer
        branch. With :attr:`Schedule.TIME` that is a whole sample, which helps only where a layer
        can fire one sample while it accumulates the next (``overlap``).
        """
        own = stage.paths[index]
        slots = max(usual_slots(own.window), self.minimum(stage, index))
        if len(stage.paths) == 1:
            return slots
        lag = 0
        for other in stage.paths[:index] + stage.paths[index + 1 :]:
            for origin in self.forks(own.source, other.source):
                longer = self._passes(other.source, origin, own.window)
                lag = max(lag, longer - self._passes(own.source, origin, own.window))
        spare = lag if overlap or own.window.schedule == Schedule.ROW else 0
        return max(slots, self.minimum(stage, index) + spare + own.window.stride[0])

    def forks(self, node: str, other: str) -> list[str]:
        """Nodes where branches to ``node`` and ``other`` fork: no later one lies on all of them."""
        common = self.ancestors(node) & self.ancestors(other)
        return [
            origin
            for origin in common
            if not any(
                later != origin
                and origin in self.ancestors(later)
                and not self._is_reachable(node, origin, later)
                and not self._is_reachable(other, origin, later)
                for later in common
            )
        ]

    def _find_branch(self, node: str, origin: str, avoided: str) -> bool:
        """Whether a branch from ``origin`` to ``node`` bypasses ``avoided``."""
        if node in (origin, avoided) or node not in self._stages:
            return node == origin
        return any(
            self._is_reachable(source, origin, avoided) for source in self._stages[node].sources
        )

    def _ancestors(self, node: str) -> frozenset[str]:
        """``node`` and all nodes that it depends on."""
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
        for path in stage.paths:
            source, window = path.source, path.window
            if origin in self.ancestors(source):
                read = row
                if window.schedule == Schedule.TIME and _reads_pass_first(stage):
                    read = _read_rows(window) - 1
                rows.append(self.reach(source, reads(window, read), origin))
        return max(rows)

    def _count_passes(self, node: str, origin: str, unit: WindowPlan) -> int:
        """Passes of the layers from ``origin`` to ``node``, in rows of ``unit``'s source."""
        if node == origin or node not in self._stages:
            return 0
        stage = self._stages[node]
        own = 0
        if _reads_pass_first(stage):
            rows = unit.rows if unit.schedule == Schedule.ROW else unit.rows * unit.timesteps
            per_pass = stage.window.out_rows if unit.schedule == Schedule.ROW else 1
            own = ceil(rows / per_pass)
        before = [
            self._passes(source, origin, unit)
            for source in stage.sources
            if origin in self.ancestors(source)
        ]
        return own + max(before)


def plan_slots(stages: Iterable[Stage], *, overlap: bool) -> list[Stage]:
    """The stages with window buffers so large that no branch waits for another."""
    stages = list(stages)
    joins = Joins(stages)

    def planned(stage: LayerPlan) -> LayerPlan:
        slots = [joins.sufficient(stage, n, overlap=overlap) for n in range(len(stage.paths))]
        paths = [
            replace(path, window=replace(path.window, slots=count))
            for path, count in zip(stage.paths, slots, strict=True)
        ]
        return replace(stage, paths=tuple(paths))

    return [planned(stage) if isinstance(stage, LayerPlan) else stage for stage in stages]


def require_slots(stages: Iterable[Stage]) -> None:
    """Raise :class:`.PlanError` where a buffer is so small that the network could deadlock."""
    stages = list(stages)
    joins = Joins(stages)
    for stage in stages:
        for index, path in enumerate(stage.paths):
            minimum, slots = joins.minimum(stage, index), path.window.slots
            if slots < minimum:
                raise PlanError(
                    f"{stage.node}: slots of the window buffer of {path.source!r} must be at least "
                    f"{minimum}, not {slots}; with fewer rows the network deadlocks"
                )


def reads(window: WindowPlan, row: int) -> int:
    """Newest row of the source that output row ``row`` reads."""
    step, out_row = divmod(row, window.out_rows)
    return step * window.rows + window.last_row(out_row)


def oldest(window: WindowPlan, row: int) -> int:
    """Oldest row of the source that output row ``row`` reads."""
    step, out_row = divmod(row, window.out_rows)
    return step * window.rows + window.first_row(out_row)


def _steps(window: WindowPlan) -> int:
    return window.timesteps // window.planes


def _read_rows(window: WindowPlan) -> int:
    return window.out_rows * _steps(window)


def _source_rows(window: WindowPlan) -> int:
    return window.rows * _steps(window)


def _reads_pass_first(stage: Stage) -> bool:
    """Whether the stage sends nothing before it has read a whole pass."""
    return isinstance(stage, LayerPlan) and stage.kind != UnitKind.SINGLE_PHASE
