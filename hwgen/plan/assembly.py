"""From a network and the user's options to a hardware plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hwgen.errors import PlanError
from hwgen.network import Flatten, InputCode, Layer, Linear, MaxPool2d, Network
from hwgen.plan.units.encoder import plan_encoder
from hwgen.plan.units.geometry import Schedule, StreamPlan
from hwgen.plan.units.hardware_plan import HardwarePlan
from hwgen.plan.units.layer import LayerPlan
from hwgen.plan.units.layer_sizes import LayerContext, plan_layer
from hwgen.plan.units.options import PlanOptions
from hwgen.plan.units.pool import Stage, plan_pool
from hwgen.plan.units.skip_buffers import plan_slots

DEFAULT_OPTIONS = PlanOptions()


def make_plan(
    network: Network, options: PlanOptions = DEFAULT_OPTIONS, *, name: str | None = None
) -> HardwarePlan:
    """Sizes of every unit of ``network``.

    ``name`` is that of the top module, by default the network's. Raises :class:`.PlanError` for an
    option that does not fit the network.
    """
    options.verify(network)
    return assemble(
        network,
        lambda layer, context: plan_layer(layer, context, options.of_layer(layer.name)),
        options,
        name=name,
    )


def assemble(
    network: Network,
    layer_plan: Callable[[Layer, LayerContext], LayerPlan],
    options: PlanOptions,
    *,
    name: str | None = None,
) -> HardwarePlan:
    """The plan whose layers ``layer_plan`` makes, in the order of the data flow.

    Of ``options``, those of single layers are not used.
    """
    train_types = network.train_types
    schedule = options.schedule
    if schedule is None:
        schedule = Schedule.TIME if network.input.code == InputCode.EVENTS else Schedule.ROW
    encoder = plan_encoder(network, options.input_width, schedule)
    streams = {network.input.name: encoder.output}
    flat: set[str] = set()
    stages: list[Stage] = []
    for node in network:
        sources = tuple(streams[source] for source in node.sources)
        match node:
            case Flatten():
                streams[node.name] = sources[0]
                flat.add(node.name)
                continue
            case MaxPool2d():
                if node.source in flat:
                    raise PlanError(
                        f"{node.name}: a max-pool cannot read the flattened map {node.source!r}; "
                        f"pool before the flatten"
                    )
                stage: Stage = plan_pool(node, sources[0], train_types[node.name])
            case Layer():
                _require_maps(node, flat, streams)
                context = LayerContext(
                    streams=sources,
                    inputs=tuple(train_types[source] for source in node.sources),
                    output=train_types[node.name],
                    banks=options.pipeline.banks,
                )
                stage = layer_plan(node, context)
        stages.append(stage)
        streams[node.name] = stage.output
    stages = plan_slots(stages, overlap=options.pipeline.banks > 1)
    last = stages[-1]
    assert isinstance(last, LayerPlan)
    return HardwarePlan(
        name=name or network.name,
        schedule=schedule,
        pipeline=options.pipeline,
        encoder=encoder,
        stages=tuple(stages),
        logit_width=32 if last.membrane_width <= 32 else 64,
        counters=options.counters,
    )


def _require_maps(layer: Layer, flat: set[str], streams: Mapping[str, StreamPlan]) -> None:
    """Reject projections other than linear ones of a flattened map, whose rows they would cut."""
    for projection in layer.projections:
        source = projection.source
        if source not in flat or streams[source].shape[1:] == (1, 1):
            continue
        if not isinstance(projection, Linear):
            raise PlanError(
                f"{layer.name}: a {type(projection).__name__} reads {source!r}, a "
                f"flattened map; make it a Linear projection"
            )
