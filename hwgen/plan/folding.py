"""From a network and the user's options to a hardware plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hwgen.errors import PlanError
from hwgen.network import Flatten, Layer, MaxPool2d, Network
from hwgen.plan.geometry import StreamPlan, WindowPlan
from hwgen.plan.hardware import EncoderPlan, HardwarePlan, LayerPlan, PoolPlan, Stage
from hwgen.plan.options import PerLayer, check_option, of_layer
from hwgen.plan.stages import plan_encoder, plan_layer, plan_pool


def make_plan(
    network: Network,
    *,
    name: str | None = None,
    schedule: str = "time",
    pipeline: str = "overlap",
    lanes: PerLayer = None,
    scanners: PerLayer = None,
    membrane_lanes: PerLayer = None,
    input_width: int | None = None,
    counters: bool = True,
) -> HardwarePlan:
    """Sizes of every unit.

    ``lanes``, ``scanners`` and ``membrane_lanes`` are one number for all layers (cut to what a
    layer can use) or numbers by layer name (which must fit; None names all the others). Raises
    :class:`PlanError`.
    """
    signals = network.signals()
    if schedule != "time":
        raise PlanError(f"schedule must be 'time', not {schedule!r}; it is the only one built yet")
    if pipeline not in ("alternate", "overlap"):
        raise PlanError(f"pipeline must be 'alternate' or 'overlap', not {pipeline!r}")
    for option, value in (
        ("lanes", lanes),
        ("scanners", scanners),
        ("membrane_lanes", membrane_lanes),
    ):
        check_option(network, option, value)

    encoder = plan_encoder(network, input_width)
    streams = {network.input.name: encoder.output}
    flat: set[str] = set()
    stages: list[Stage] = []
    for node in network:
        if len(node.sources) > 1:
            raise PlanError(
                f"{node.name}: a layer with {len(node.sources)} projections needs schedule 'row', "
                f"which is not built yet"
            )
        given, source = signals[node.sources[0]], streams[node.sources[0]]
        match node:
            case Flatten():
                streams[node.name] = source
                flat.add(node.name)
                continue
            case MaxPool2d():
                if node.source in flat:
                    raise PlanError(f"{node.name}: a max-pool after a flatten; pool before it")
                stage: Stage = plan_pool(node, source, signals[node.name])
            case Layer():
                stage = plan_layer(
                    node,
                    source,
                    given,
                    signals[node.name],
                    lanes=of_layer(lanes, node.name),
                    scanners=of_layer(scanners, node.name),
                    membrane_lanes=of_layer(membrane_lanes, node.name),
                    banks=2 if pipeline == "overlap" else 1,
                )
        stages.append(stage)
        streams[node.name] = stage.output
    last = stages[-1]
    assert isinstance(last, LayerPlan)
    _require_single_consumers(network)
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
    """The inverse of :meth:`HardwarePlan.to_json`, also after a trip through JSON."""

    def stream(fields: Mapping[str, Any]) -> StreamPlan:
        return StreamPlan(**{**fields, "shape": tuple(fields["shape"])})

    def stage(fields: Mapping[str, Any]) -> Stage:
        window = dict(fields["window"])
        for key in ("kernel", "stride", "padding"):
            window[key] = tuple(window[key])
        window["pad_planes"] = tuple(tuple(plane) for plane in window["pad_planes"])
        kind = LayerPlan if "kind" in fields else PoolPlan
        rebuilt = {"window": WindowPlan(**window), "output": stream(fields["output"])}
        return kind(**{**fields, **rebuilt})

    encoder = EncoderPlan(**{**values["encoder"], "output": stream(values["encoder"]["output"])})
    stages = tuple(stage(fields) for fields in values["stages"])
    return HardwarePlan(**{**values, "encoder": encoder, "stages": stages})


def _require_single_consumers(network: Network) -> None:
    sources = [name for node in network for name in node.sources]
    for name in set(sources):
        if sources.count(name) > 1:
            raise PlanError(
                f"{name}: its spikes go to {sources.count(name)} layers, which needs schedule "
                f"'row' with skip buffers; it is not built yet"
            )
