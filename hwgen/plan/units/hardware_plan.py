"""The hardware plan: every size that the RTL, the cycle model and the testbench share.

Plain data. :mod:`hwgen.plan.assembly` makes it from a network; nothing here computes a spike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator, TypeAdapter, ValidationError

from hwgen.errors import PlanError
from hwgen.plan.units.encoder import EncoderPlan
from hwgen.plan.units.geometry import Schedule, StreamPlan
from hwgen.plan.units.layer import LayerPlan
from hwgen.plan.units.options import Pipeline
from hwgen.plan.units.pool import Stage
from hwgen.plan.units.skip_buffers import require_slots
from hwgen.validation import first_problem


@dataclass(frozen=True, kw_only=True)
class HardwarePlan:
    """All units of a network, in the order of the data flow."""

    name: str
    schedule: Schedule
    pipeline: Pipeline
    encoder: EncoderPlan
    stages: tuple[Stage, ...]
    logit_width: int
    counters: bool

    @property
    def streams(self) -> tuple[StreamPlan, ...]:
        """Streams that carry spikes between units, in the order of the data flow."""
        spiking = [s for s in self.stages if not (isinstance(s, LayerPlan) and s.gives_logits)]
        return (self.encoder.output, *(stage.output for stage in spiking))

    @property
    def layers(self) -> tuple[LayerPlan, ...]:
        return tuple(stage for stage in self.stages if isinstance(stage, LayerPlan))

    def stream(self, node: str) -> StreamPlan:
        """Stream that carries the spike trains of ``node``: the input, a layer or a pool."""
        if node == self.encoder.output.node:
            return self.encoder.output
        return next(stage.output for stage in self.stages if stage.node == node)

    def consumers(self, node: str) -> int:
        """Number of window buffers that read the stream of ``node``."""
        return sum(stage.sources.count(node) for stage in self.stages)

    def to_json(self) -> dict[str, Any]:
        """The plan as JSON values; :meth:`from_json` is the inverse."""
        values: dict[str, Any] = _adapter().dump_python(self, mode="json")
        return values

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> HardwarePlan:
        """The plan that :meth:`to_json` wrote.

        Raises :class:`.PlanError` where a value is missing or malformed, or a window buffer is too
        small.
        """
        try:
            plan = _adapter().validate_python(values)
        except ValidationError as error:
            problem = first_problem(error, root="the plan")
            raise PlanError(f"hardware plan: {problem}; generate the build folder again") from error
        require_slots(plan.stages)
        return plan


@cache
def _adapter() -> TypeAdapter[HardwarePlan]:
    return TypeAdapter(HardwarePlan)


def _read_plan(value: Any) -> HardwarePlan:
    if isinstance(value, HardwarePlan):
        return value
    try:
        return HardwarePlan.from_json(value)
    except PlanError as error:
        raise ValueError(str(error)) from error


PlanField = Annotated[
    HardwarePlan, PlainValidator(_read_plan), PlainSerializer(HardwarePlan.to_json)
]
"""A hardware plan as a field of a pydantic model."""
