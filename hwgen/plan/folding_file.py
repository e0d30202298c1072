"""The folding file: what the planner, or a person, chose for each layer, as YAML to be edited."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, PositiveInt, ValidationError

from hwgen.errors import PlanError
from hwgen.network import Network
from hwgen.plan.units.hardware_plan import HardwarePlan
from hwgen.plan.units.options import PerLayer, limit, of_layer
from hwgen.plan.units.unit_plans import max_scanners

_HEADER = """\
# How the layers of {name} are built; `hwgen generate NET --folding THIS_FILE` builds them so.
#   lanes           output channels that are summed together
#   scanners        spikes that are taken in a cycle
#   membrane_lanes  membranes that are updated in a cycle; divides lanes
#   weights         where they lie: block (block RAM), lut, split (both) or auto; or one of these
#                   for each projection
#   orders          for each projection, which bits of a chunk of spikes each scanner owns, so that
#                   all have as many; leave it out when you change lanes or scanners
# A layer or a line that is left out takes the default.
"""


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class LayerFolding(_Data):
    """What is asked of one layer; None and nothing stand for the defaults."""

    lanes: PositiveInt | None = None
    scanners: PositiveInt | None = None
    membrane_lanes: PositiveInt | None = None
    weights: str | list[str] = "auto"
    orders: list[list[int]] = []


class Folding(_Data):
    """What a folding file says."""

    format: Literal["hwgen-folding"]
    version: Literal[1]
    schedule: str | None = None
    pipeline: str = "overlap"
    input_width: PositiveInt | None = None
    layers: dict[str, LayerFolding] = {}

    def options(self) -> dict[str, Any]:
        """The options of :func:`hwgen.plan.assembly.make_plan` that it stands for."""
        layers = self.layers

        def numbers(option: str) -> dict[str, int]:
            given = {name: getattr(layer, option) for name, layer in layers.items()}
            return {name: number for name, number in given.items() if number is not None}

        return {
            "schedule": self.schedule,
            "pipeline": self.pipeline,
            "input_width": self.input_width,
            "lanes": numbers("lanes"),
            "scanners": numbers("scanners"),
            "membrane_lanes": numbers("membrane_lanes"),
            "weight_memory": {name: layer.weights for name, layer in layers.items()},
            "orders": {name: layer.orders for name, layer in layers.items() if layer.orders},
        }


def folding_of(plan: HardwarePlan, scanners: Mapping[str, int]) -> Folding:
    """The folding that gives ``plan`` again; ``scanners`` are those that it was asked for."""
    layers = {}
    for layer in plan.layers:
        kinds = [feed.memory for feed in layer.feeds]
        orders = [list(feed.window.order) for feed in layer.feeds]
        layers[layer.node] = LayerFolding(
            lanes=layer.lanes,
            scanners=scanners[layer.node],
            membrane_lanes=layer.membrane_lanes,
            weights=kinds[0] if len(set(kinds)) == 1 else kinds,
            orders=orders if any(orders) else [],
        )
    return Folding(
        format="hwgen-folding",
        version=1,
        schedule=plan.schedule,
        pipeline=plan.pipeline,
        input_width=plan.encoder.input_width,
        layers=layers,
    )


def asked_scanners(network: Network, scanners: PerLayer) -> dict[str, int]:
    """The scanners that each layer is asked for by an option."""
    train_types = network.train_types
    return {
        layer.name: limit(
            "scanners",
            layer.name,
            of_layer(scanners, layer.name),
            1,
            max_scanners(layer, [train_types[name] for name in layer.sources]),
            "inputs",
        )
        for layer in network.layers
    }


def to_yaml(folding: Folding, *, name: str, notes: Mapping[str, str]) -> str:
    """The text of a folding file. ``notes`` are comments on the whole ("") and on layers."""
    lines = [_HEADER.format(name=name).rstrip("\n")]
    lines += [f"# {line}" for line in notes.get("", "").splitlines()]
    lines += [f"format: {folding.format}", f"version: {folding.version}"]
    lines += [f"schedule: {folding.schedule}", f"pipeline: {folding.pipeline}"]
    lines += [f"input_width: {json.dumps(folding.input_width)}", "layers:"]
    for layer, given in folding.layers.items():
        note = notes.get(layer)
        lines.append(f"  {json.dumps(layer)}:" + (f"  # {note}" if note else ""))
        # JSON is YAML, and stays on one line.
        values = {key: json.dumps(value) for key, value in given.model_dump().items() if value}
        lines += [f"    {key}: {value}" for key, value in values.items()]
    return "\n".join([*lines, ""])


def read(path: str | Path) -> Folding:
    """The folding that a file says. Raises :class:`PlanError` where it cannot be read."""
    path = Path(path)
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise PlanError(f"folding file {path} cannot be read: {error}") from error
    try:
        return Folding.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise PlanError(
            f"folding file {path}: {place}: {first['msg']}, not {first['input']!r}; compare with "
            f"the folding.yaml that `hwgen generate` writes"
        ) from error
