"""Sizes of a max-pool."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hwgen.network import MaxPool2d, TrainType
from hwgen.plan.units.geometry import Schedule, StreamPlan, WindowPlan
from hwgen.plan.units.layer import LayerPlan
from hwgen.plan.units.synaptic_path import PathKind, SynapticPathPlan
from hwgen.plan.units.window_buffers import usual_slots


@dataclass(frozen=True, kw_only=True)
class PoolPlan:
    """A max-pool that compares one candidate of its window per cycle.

    Parameters
    ----------
    count_bits : int
        Bits of a candidate's spike count where the count decides; 0 where the first spike does.
    """

    node: str
    source: str
    window: WindowPlan
    output: StreamPlan
    count_bits: int = 0

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.source,)

    @property
    def path(self) -> SynapticPathPlan:
        return SynapticPathPlan(source=self.source, kind=PathKind.EVERY, window=self.window)

    @property
    def paths(self) -> tuple[SynapticPathPlan, ...]:
        return (self.path,)

    @property
    def candidates(self) -> int:
        """Candidates of one window."""
        return self.window.kernel[0] * self.window.kernel[1]

    @property
    def words(self) -> int:
        """Output words of a plane or, with :attr:`Schedule.ROW`, of one of its rows."""
        rows = 1 if self.window.schedule == Schedule.ROW else self.window.out_rows
        return rows * self.window.out_columns * self.window.rounds


Stage = LayerPlan | PoolPlan
"""A unit between two streams."""


def plan_pool(pool: MaxPool2d, source: StreamPlan, result: TrainType) -> PoolPlan:
    """Sizes of the unit of ``pool``, which reads ``source`` and gives ``result``."""
    window = WindowPlan(
        word_width=source.width,
        timesteps=source.timesteps,
        rows=source.shape[1],
        columns=source.shape[2],
        words=source.words_per_pixel,
        pack=1,
        kernel=pool.kernel,
        stride=pool.stride,
        padding=pool.padding,
        rounds=source.words_per_pixel,
        scanners=1,
        slots=1,
        schedule=source.schedule,
        depthwise=True,
    )
    window = replace(window, slots=usual_slots(window))
    output = StreamPlan(
        node=pool.name,
        shape=result.shape,
        timesteps=result.timesteps,
        width=source.width,
        schedule=source.schedule,
    )
    return PoolPlan(
        node=pool.name,
        source=source.node,
        window=window,
        output=output,
        count_bits=0 if result.in_order else result.timesteps.bit_length(),
    )
