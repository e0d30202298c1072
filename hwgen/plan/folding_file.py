"""The folding file: how each layer is built, as YAML that the planner writes and people edit."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError, model_validator

from hwgen.arguments import require_path
from hwgen.errors import PlanError
from hwgen.network import Network
from hwgen.plan.units.geometry import Schedule
from hwgen.plan.units.hardware_plan import HardwarePlan
from hwgen.plan.units.layer_sizes import scanner_count
from hwgen.plan.units.memories import MemoryKind
from hwgen.plan.units.options import PerLayer, Pipeline, PlanOptions, Request
from hwgen.reading import ReadingError, one_line
from hwgen.reading.plain_yaml import read_yaml
from hwgen.validation import first_problem

_HEADER = """\
# How the layers of {name} are built; `hwgen generate NET --folding THIS_FILE` builds them again.
#   lanes           output channels that are summed in parallel
#   scanners        spikes that are read per cycle
#   membrane_lanes  membranes that are updated per cycle; divides lanes
#   weight_memory   where the weights lie: block (block RAM), lut, split (both) or auto; or a list
#                   with one of these for each projection
#   orders          for each projection, the bits of a chunk of spikes that each scanner owns, so
#                   that all find equally many; remove it when you change lanes or scanners
# A layer or a line that is left out takes the default.
"""
_SIMPLE_KEY = 1_000
"""Characters of a key that YAML reads without "?"; at most 1,024."""


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class LayerFolding(_Data):
    """Options of one layer; None or an empty list means the default."""

    lanes: PositiveInt | None = None
    scanners: PositiveInt | None = None
    membrane_lanes: PositiveInt | None = None
    weight_memory: str | list[str] = MemoryKind.AUTO
    orders: list[list[int]] = []


class Folding(_Data):
    """Content of a folding file."""

    format: Literal["hwgen-folding"]
    version: Literal[2]
    schedule: Annotated[Schedule | None, Field(strict=False)] = None
    pipeline: Annotated[Pipeline, Field(strict=False)] = Pipeline.OVERLAP
    input_width: PositiveInt | None = None
    layers: dict[str, LayerFolding] = {}

    @model_validator(mode="before")
    @classmethod
    def _read_version_1(cls, data: Any) -> Any:
        """Version 1 called ``weight_memory`` ``weights``."""
        if not isinstance(data, dict) or data.get("version") != 1:
            return data
        layers = data.get("layers")
        if isinstance(layers, dict):
            layers = {name: _renamed(layer) for name, layer in layers.items()}
            data = {**data, "layers": layers}
        return {**data, "version": 2}

    def plan_options(self, *, counters: bool = True) -> PlanOptions:
        """Options with which :func:`hwgen.plan.assembly.make_plan` builds this folding."""
        layers = self.layers

        def numbers(option: str) -> dict[str | None, int]:
            named = {name: getattr(layer, option) for name, layer in layers.items()}
            return {name: number for name, number in named.items() if number is not None}

        return PlanOptions(
            schedule=self.schedule,
            pipeline=self.pipeline,
            input_width=self.input_width,
            counters=counters,
            lanes=numbers("lanes"),
            scanners=numbers("scanners"),
            membrane_lanes=numbers("membrane_lanes"),
            weight_memory={name: layer.weight_memory for name, layer in layers.items()},
            orders={name: layer.orders for name, layer in layers.items() if layer.orders},
        )


def folding_of(plan: HardwarePlan, scanners: Mapping[str, int]) -> Folding:
    """The folding that builds ``plan`` again; ``scanners`` are those requested for each layer."""
    layers = {}
    for layer in plan.layers:
        kinds: list[str] = [path.memory for path in layer.paths]
        orders = [list(path.window.order) for path in layer.paths]
        layers[layer.node] = LayerFolding(
            lanes=layer.lanes,
            scanners=scanners[layer.node],
            membrane_lanes=layer.membrane_lanes,
            weight_memory=kinds[0] if len(set(kinds)) == 1 else kinds,
            orders=orders if any(orders) else [],
        )
    return Folding(
        format="hwgen-folding",
        version=2,
        schedule=plan.schedule,
        pipeline=plan.pipeline,
        input_width=plan.encoder.input_width,
        layers=layers,
    )


def requested_scanners(network: Network, scanners: PerLayer) -> dict[str, int]:
    """The scanners that an option requests for each layer."""
    train_types = network.train_types
    return {
        layer.name: scanner_count(
            layer, [train_types[name] for name in layer.sources], Request.of(scanners, layer.name)
        )
        for layer in network.layers
    }


def to_yaml(folding: Folding, *, name: str, notes: Mapping[str, str]) -> str:
    """Text of a folding file; ``notes`` are comments on the whole network ("") and on layers."""
    lines = [_HEADER.format(name=one_line(name)).rstrip("\n")]
    lines += [f"# {one_line(line)}" for line in notes.get("", "").splitlines()]
    lines += [f"format: {folding.format}", f"version: {folding.version}"]
    lines += [f"schedule: {folding.schedule or 'null'}", f"pipeline: {folding.pipeline}"]
    lines += [f"input_width: {json.dumps(folding.input_width)}", "layers:"]
    for layer, options in folding.layers.items():
        note = notes.get(layer)
        key = _quoted(layer)
        explicit = len(key) > _SIMPLE_KEY  # "? key" on one line, ":" on the next
        lines += [f"  ? {key}", "  :"] if explicit else [f"  {key}:"]
        lines[-1] += f"  # {one_line(note)}" if note else ""
        # JSON is YAML that stays on one line.
        values = {key: json.dumps(value) for key, value in options.model_dump().items() if value}
        lines += [f"    {key}: {value}" for key, value in values.items()]
    return "\n".join([*lines, ""])


def read(path: str | Path) -> Folding:
    """Read a folding file of version 1 or 2. Raises :class:`.PlanError` for an invalid one."""
    path = require_path("folding", path, error=PlanError)
    try:
        data = read_yaml(path)
    except ReadingError as error:
        raise PlanError(f"folding file {path} cannot be read: {error}") from error
    try:
        return Folding.model_validate(data)
    except ValidationError as error:
        raise PlanError(
            f"folding file {path}: {first_problem(error)}; compare with the folding.yaml that "
            f"`hwgen generate` writes"
        ) from error


def _quoted(text: str) -> str:
    """A YAML scalar on one line, in ASCII, whatever characters ``text`` has."""
    quoted: str = yaml.safe_dump(text, default_style='"', width=math.inf)
    return quoted.rstrip("\n")


def _renamed(layer: Any) -> Any:
    if not isinstance(layer, dict) or "weights" not in layer:
        return layer
    return {("weight_memory" if key == "weights" else key): value for key, value in layer.items()}
