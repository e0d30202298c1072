"""Options that hold for a whole network or for one layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from hwgen.errors import PlanError
from hwgen.network import Network
from hwgen.plan.units.hardware_plan import SynapticPathPlan
from hwgen.suggest import require_known, unknown

PerLayer = int | Mapping[str | None, int] | None
"""One number for all layers, or numbers by layer; None stands for the others."""

Asked = tuple[int | None, bool]
"""What is asked of a layer, and whether by its name."""

Memories = str | Sequence[str]
"""Where weights lie: for all projections of a layer, or for each in turn."""

PerLayerMemory = Memories | Mapping[str | None, Memories] | None
"""The same for all layers, or by layer; None stands for the others."""

Orders = Mapping[str, Sequence[Sequence[int]]]
"""By layer, for each projection: the bits of a chunk that each scanner owns, one scanner after
the other (:attr:`hwgen.plan.units.geometry.WindowPlan.order`); empty where scanners take turns."""

MEMORIES = ("auto", "block", "lut", "split")
"""Where a weight memory may lie: as synthesis likes, in block RAM, in LUTs, or in both."""


@dataclass(frozen=True, kw_only=True)
class LayerOptions:
    """What is asked of one layer."""

    lanes: Asked = (None, False)
    scanners: Asked = (None, False)
    membrane_lanes: Asked = (None, False)
    weight_memory: Memories = "auto"
    orders: Sequence[Sequence[int]] = ()


def check_option(network: Network, option: str, value: PerLayer) -> None:
    """Raise :class:`PlanError` for a name that is no layer, or a number that is none."""
    names = [layer.name for layer in network.layers]
    numbers = value if isinstance(value, Mapping) else {None: value}
    for name, number in numbers.items():
        if name is not None and name not in names:
            raise PlanError(f"{option}: {unknown('layer', name, names)}")
        if number is not None and (not isinstance(number, int) or number < 1):
            raise PlanError(f"{option}: must be a positive integer, not {number!r}")


def of_layer(value: PerLayer, name: str) -> Asked:
    """The number for a layer, and whether it was asked for by name."""
    if isinstance(value, Mapping):
        return value.get(name, value.get(None)), name in value
    return value, False


def limit(option: str, where: str, asked: Asked, default: int, most: int, of: str) -> int:
    """The number asked for, cut to ``most`` unless it was asked for by the layer's name."""
    number, by_name = asked
    if number is None:
        return min(default, most)
    if by_name and number > most:
        raise PlanError(
            f"{where}: {option} {number} is more than its {most} {of}; give at most {most}"
        )
    return min(number, most)


def check_memories(network: Network, value: PerLayerMemory) -> None:
    """The same for ``weight_memory``."""
    layers = {layer.name: layer for layer in network.layers}
    kinds = value if isinstance(value, Mapping) else {None: value}
    for name, given in kinds.items():
        if name is not None and name not in layers:
            raise PlanError(f"weight_memory: {unknown('layer', name, layers)}")
        for kind in () if given is None else (given,) if isinstance(given, str) else given:
            require_known("weight_memory", kind, MEMORIES, error=PlanError)
        if name is None or given is None or isinstance(given, str):
            continue
        if len(given) != (projections := len(layers[name].projections)):
            raise PlanError(
                f"{name}: weight_memory has {len(given)} entries for its {projections} "
                f"projections; give one for all, or one for each"
            )


def memories_of_layer(value: PerLayerMemory, name: str) -> Memories:
    if isinstance(value, Mapping):
        return value.get(name, value.get(None, "auto"))
    return value or "auto"


def place_weights(
    name: str, feeds: Sequence[SynapticPathPlan], options: LayerOptions
) -> tuple[SynapticPathPlan, ...]:
    """The feeds with the weight memories and the orders that are asked for."""
    memories = options.weight_memory
    kinds = [memories] * len(feeds) if isinstance(memories, str) else memories
    orders = options.orders or [()] * len(feeds)
    if len(orders) != len(feeds):
        raise PlanError(
            f"{name}: {len(orders)} orders for its {len(feeds)} projections; "
            f"give each one, [] where its scanners take turns"
        )
    placed = []
    for feed, kind, order in zip(feeds, kinds, orders, strict=True):
        window = feed.window
        if order:
            if feed.kind == "masked":
                raise PlanError(f"{name}: {feed.source!r} goes lane by lane; give its order as []")
            _check_order(name, order, bits=window.chunk_width, scanners=window.scanners)
            window = replace(window, order=tuple(order))
        placed.append(replace(feed, window=window, memory=kind))
    return tuple(placed)


def _check_order(where: str, order: Sequence[int], *, bits: int, scanners: int) -> None:
    """Raise :class:`PlanError` unless ``order`` gives each scanner equally many places, and each
    of the ``bits`` of a chunk one of them."""
    size = -(-bits // scanners)
    owned = sorted(place for place in order if place >= 0)
    if len(order) != scanners * size or owned != list(range(bits)) or min(order) < -1:
        raise PlanError(
            f"{where}: its order must give each of {scanners} scanners {size} places, and each of "
            f"the bits 0 … {bits - 1} of a chunk one of them, −1 where none; leave it out and "
            f"scanners take turns"
        )
