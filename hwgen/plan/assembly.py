"""From a network and the user's options to a hardware plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hwgen.errors import PlanError
from hwgen.network import Flatten, Layer, Linear, MaxPool2d, Network
from hwgen.plan.units.geometry import SCHEDULES, StreamPlan, WindowPlan
from hwgen.plan.units.hardware_plan import (
    EncoderPlan,
    HardwarePlan,
    LayerPlan,
    PoolPlan,
    Stage,
    SynapticPathPlan,
)
from hwgen.plan.units.options import (
    LayerOptions,
    Orders,
    PerLayer,
    PerLayerMemory,
    check_memories,
    check_option,
    memories_of_layer,
    of_layer,
)
from hwgen.plan.units.skip_buffers import plan_slots, require_slots
from hwgen.plan.units.softmax import SoftmaxPlan
from hwgen.plan.units.unit_plans import LayerEnds, plan_encoder, plan_layer, plan_pool
from hwgen.suggest import require_known


def make_plan(
    network: Network,
    *,
    name: str | None = None,
    schedule: str | None = None,
    pipeline: str = "overlap",
    lanes: PerLayer = None,
    scanners: PerLayer = None,
    membrane_lanes: PerLayer = None,
    weight_memory: PerLayerMemory = None,
    orders: Orders | None = None,
    input_width: int | None = None,
    counters: bool = True,
) -> HardwarePlan:
    """Sizes of every unit.

    ``lanes``, ``scanners`` and ``membrane_lanes`` are one number for all layers (cut to what a
    layer can use) or numbers by layer name (which must fit; None names all the others).
    ``weight_memory`` tells likewise where weights lie, ``orders`` which bits scanners own.
    ``schedule`` is "row" where it is not given, and "time" of address events. Raises
    :class:`PlanError`.
    """
    for option, value in (
        ("lanes", lanes),
        ("scanners", scanners),
        ("membrane_lanes", membrane_lanes),
    ):
        check_option(network, option, value)
    check_memories(network, weight_memory)
    orders = orders or {}
    if unknown := orders.keys() - {layer.name for layer in network.layers}:
        raise PlanError(f"orders: no layer {min(unknown)!r}")

    def layer_plan(layer: Layer, ends: LayerEnds) -> LayerPlan:
        options = LayerOptions(
            lanes=of_layer(lanes, layer.name),
            scanners=of_layer(scanners, layer.name),
            membrane_lanes=of_layer(membrane_lanes, layer.name),
            weight_memory=memories_of_layer(weight_memory, layer.name),
            orders=orders.get(layer.name, ()),
        )
        return plan_layer(layer, ends, options)

    return assemble(
        network,
        layer_plan,
        name=name,
        schedule=schedule,
        pipeline=pipeline,
        input_width=input_width,
        counters=counters,
    )


def assemble(
    network: Network,
    layer_plan: Callable[[Layer, LayerEnds], LayerPlan],
    *,
    name: str | None = None,
    schedule: str | None = None,
    pipeline: str = "overlap",
    input_width: int | None = None,
    counters: bool = True,
) -> HardwarePlan:
    """The plan whose layers ``layer_plan`` gives, in the order of the data flow."""
    train_types = network.train_types
    if schedule is None:
        schedule = "time" if network.input.code == "events" else "row"
    require_known("schedule", schedule, SCHEDULES, error=PlanError)
    require_known("pipeline", pipeline, ("alternate", "overlap"), error=PlanError)
    encoder = plan_encoder(network, input_width, schedule)
    streams = {network.input.name: encoder.output}
    flat: set[str] = set()
    stages: list[Stage] = []
    for node in network:
        sources = tuple(streams[name] for name in node.sources)
        match node:
            case Flatten():
                streams[node.name] = sources[0]
                flat.add(node.name)
                continue
            case MaxPool2d():
                if node.source in flat:
                    raise PlanError(f"{node.name}: a max-pool after a flatten; pool before it")
                stage: Stage = plan_pool(node, sources[0], train_types[node.name])
            case Layer():
                _require_maps(node, flat, streams)
                ends = LayerEnds(
                    sources=sources,
                    given=tuple(train_types[name] for name in node.sources),
                    result=train_types[node.name],
                    banks=2 if pipeline == "overlap" else 1,
                )
                stage = layer_plan(node, ends)
        stages.append(stage)
        streams[node.name] = stage.output
    stages = plan_slots(stages, overlap=pipeline == "overlap")
    last = stages[-1]
    assert isinstance(last, LayerPlan)
    return HardwarePlan(
        name=name or network.name,
        schedule=schedule,
        pipeline=pipeline,
        encoder=encoder,
        stages=tuple(stages),
        logit_width=32 if last.membrane_width <= 32 else 64,
        counters=counters,
    )


def plan_from_json(values: Mapping[str, Any]) -> HardwarePlan:
    """The inverse of :meth:`HardwarePlan.to_json`, also after a trip through JSON.

    Raises :class:`PlanError` where a buffer is too small.
    """

    def stream(fields: Mapping[str, Any]) -> StreamPlan:
        return StreamPlan(**{**fields, "shape": tuple(fields["shape"])})

    def window(fields: Mapping[str, Any]) -> WindowPlan:
        made = dict(fields)
        for key in ("kernel", "stride", "padding", "order"):
            made[key] = tuple(made[key])
        made["pad_planes"] = tuple(tuple(plane) for plane in made["pad_planes"])
        return WindowPlan(**made)

    def feed(fields: Mapping[str, Any]) -> SynapticPathPlan:
        return SynapticPathPlan(**{**fields, "window": window(fields["window"])})

    def stage(fields: Mapping[str, Any]) -> Stage:
        output = stream(fields["output"])
        if "feeds" in fields:
            feeds = tuple(feed(values) for values in fields["feeds"])
            growth = {key: tuple(fields[key]) for key in ("growth_in", "growth_out")}
            made = {**fields, **growth, "feeds": feeds, "output": output}
            if fields.get("softmax") is not None:
                made["softmax"] = SoftmaxPlan(**fields["softmax"])
            return LayerPlan(**made)
        return PoolPlan(**{**fields, "window": window(fields["window"]), "output": output})

    encoder = EncoderPlan(**{**values["encoder"], "output": stream(values["encoder"]["output"])})
    stages = tuple(stage(fields) for fields in values["stages"])
    require_slots(stages)
    return HardwarePlan(**{**values, "encoder": encoder, "stages": stages})


def _require_maps(layer: Layer, flat: set[str], streams: Mapping[str, StreamPlan]) -> None:
    """Only a linear projection reads a flattened map: others would take its rows apart."""
    for projection in layer.projections:
        source = projection.source
        if source not in flat or streams[source].shape[1:] == (1, 1):
            continue
        if not isinstance(projection, Linear):
            raise PlanError(
                f"{layer.name}: a {type(projection).__name__} reads {source!r}, a "
                f"flattened map; make it a Linear projection"
            )
