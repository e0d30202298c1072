"""User options of a plan, for a whole network or for one layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeVar

from hwgen.arguments import require_type
from hwgen.errors import PlanError
from hwgen.network import Network
from hwgen.plan.units.geometry import Schedule
from hwgen.plan.units.memories import MemoryKind
from hwgen.plan.units.synaptic_path import SynapticPathPlan
from hwgen.suggest import require_known, unknown

PerLayer = int | Mapping[str | None, int] | None
"""One number for all layers, or numbers by layer name; the key None means all other layers."""

Memories = str | Sequence[str]
"""Memory kind of all projections of a layer, or of each in turn."""

PerLayerMemory = Memories | Mapping[str | None, Memories] | None
"""Memory kinds of all layers, or by layer name; the key None means all other layers."""

Orders = Mapping[str, Sequence[Sequence[int]]]
"""By layer name, for each projection: the bits of a chunk that each scanner owns, scanner by
scanner (:attr:`hwgen.plan.units.geometry.WindowPlan.order`); empty where scanners take turns."""


class Pipeline(StrEnum):
    """Banks of membranes of a two-phase layer."""

    ALTERNATE = "alternate"
    """One: a layer accumulates a pass, then fires it."""
    OVERLAP = "overlap"
    """Two: a layer fires a pass while it accumulates the next one."""

    @property
    def banks(self) -> int:
        return 2 if self == Pipeline.OVERLAP else 1


_Kind = TypeVar("_Kind", bound=StrEnum)


def choice(kinds: type[_Kind], value: str, *, option: str) -> _Kind:
    """The member of ``kinds`` that ``value`` names; raises :class:`.PlanError` where none does."""
    require_known(option, value, [str(kind) for kind in kinds], error=PlanError)
    return kinds(value)


@dataclass(frozen=True, kw_only=True)
class PlanOptions:
    """User options of a plan. Their values are checked against a network by :meth:`verify`.

    Parameters
    ----------
    schedule : Schedule or None
        None: :attr:`Schedule.TIME` for address events, otherwise :attr:`Schedule.ROW`.
    input_width : int or None
        Bits of an input beat.
    counters : bool
        Whether to build performance counters.
    lanes, scanners, membrane_lanes : int, {layer: int} or None
        One number for all layers is cut to the largest that a layer can use; a number by layer name
        must fit.
    weight_memory : str, {layer: str or sequence of str} or None
        Memory kind of the weights, of each projection where it is a sequence.
    """

    schedule: Schedule | None = None
    pipeline: Pipeline = Pipeline.OVERLAP
    input_width: int | None = None
    counters: bool = True
    lanes: PerLayer = None
    scanners: PerLayer = None
    membrane_lanes: PerLayer = None
    weight_memory: PerLayerMemory = None
    orders: Orders = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.schedule is not None:
            schedule = choice(Schedule, self.schedule, option="schedule")
            object.__setattr__(self, "schedule", schedule)
        object.__setattr__(self, "pipeline", choice(Pipeline, self.pipeline, option="pipeline"))

    def verify(self, network: Network) -> None:
        """Raise :class:`.PlanError` for an unknown layer, or a value that no layer can have."""
        remedy = 'use {"layer": [[0, 1, …]]}'
        require_type("orders", self.orders, Mapping, remedy, error=PlanError)
        names = [layer.name for layer in network.layers]
        for option in ("lanes", "scanners", "membrane_lanes", "weight_memory", "orders"):
            value = getattr(self, option)
            named = set(value if isinstance(value, Mapping) else ()) - {None}
            if strangers := sorted(named - set(names)):
                raise PlanError(f"{option}: {unknown('layer', strangers[0], names)}")
        for option in ("lanes", "scanners", "membrane_lanes"):
            _check_numbers(option, getattr(self, option))
        _check_memories(network, self.weight_memory)

    def of_layer(self, name: str) -> LayerOptions:
        return LayerOptions(
            lanes=Request.of(self.lanes, name),
            scanners=Request.of(self.scanners, name),
            membrane_lanes=Request.of(self.membrane_lanes, name),
            weight_memory=_memories_of(self.weight_memory, name),
            orders=self.orders.get(name, ()),
        )


@dataclass(frozen=True)
class Request:
    """A number that the user asked for.

    ``by_name`` says whether it names this layer, so that it must not be cut silently.
    """

    number: int | None = None
    by_name: bool = False

    @classmethod
    def of(cls, value: PerLayer, layer: str) -> Request:
        if isinstance(value, Mapping):
            return cls(value.get(layer, value.get(None)), layer in value)
        return cls(value)

    def limit(self, option: str, where: str, *, default: int, maximum: int, unit: str) -> int:
        """The number, or ``default``, cut to ``maximum``.

        Raises :class:`.PlanError` where a number by name is larger than ``maximum``.
        """
        if self.number is None:
            return min(default, maximum)
        if self.by_name and self.number > maximum:
            raise PlanError(
                f"{where}: {option} {self.number} is more than its {maximum} {unit}; "
                f"give at most {maximum}"
            )
        return min(self.number, maximum)


@dataclass(frozen=True, kw_only=True)
class LayerOptions:
    """User options of one layer."""

    lanes: Request = Request()
    scanners: Request = Request()
    membrane_lanes: Request = Request()
    weight_memory: MemoryKind | Sequence[MemoryKind] = MemoryKind.AUTO
    orders: Sequence[Sequence[int]] = ()

    def apply(self, layer: str, paths: Sequence[SynapticPathPlan]) -> tuple[SynapticPathPlan, ...]:
        """``paths`` with the weight memories and orders of these options."""
        memories = self.weight_memory
        kinds = [memories] * len(paths) if isinstance(memories, MemoryKind) else memories
        orders = self.orders or [()] * len(paths)
        if len(orders) != len(paths):
            raise PlanError(
                f"{layer}: {len(orders)} orders for its {len(paths)} projections; "
                f"give one for each, [] where its scanners take turns"
            )
        applied = []
        for path, kind, order in zip(paths, kinds, orders, strict=True):
            window = path.window
            if order:
                if path.is_masked:
                    raise PlanError(
                        f"{layer}: {path.source!r} is added lane by lane; give its order as []"
                    )
                _check_order(layer, order, bits=window.chunk_width, scanners=window.scanners)
                window = replace(window, order=tuple(order))
            applied.append(replace(path, window=window, memory=kind))
        return tuple(applied)


def _check_numbers(option: str, value: PerLayer) -> None:
    for number in value.values() if isinstance(value, Mapping) else (value,):
        if number is not None and (not isinstance(number, int) or number < 1):
            raise PlanError(f"{option}: must be a positive integer, not {number!r}")


def _check_memories(network: Network, value: PerLayerMemory) -> None:
    layers = {layer.name: layer for layer in network.layers}
    kinds = value if isinstance(value, Mapping) else {None: value}
    for name, memories in kinds.items():
        if memories is None:
            continue
        for kind in (memories,) if isinstance(memories, str) else memories:
            choice(MemoryKind, kind, option="weight_memory")
        if name is None or isinstance(memories, str):
            continue
        if len(memories) != (projections := len(layers[name].projections)):
            raise PlanError(
                f"{name}: weight_memory has {len(memories)} entries for its {projections} "
                f"projections; give one for all, or one for each"
            )


def _memories_of(value: PerLayerMemory, layer: str) -> MemoryKind | Sequence[MemoryKind]:
    if isinstance(value, Mapping):
        value = value.get(layer, value.get(None))
    if value is None or isinstance(value, str):
        return MemoryKind(value or MemoryKind.AUTO)
    return [MemoryKind(kind) for kind in value]


def _check_order(where: str, order: Sequence[int], *, bits: int, scanners: int) -> None:
    """Raise :class:`.PlanError` unless ``order`` gives each scanner as many entries as the others
    and contains each of the ``bits`` of a chunk once."""
    size = -(-bits // scanners)
    owned = sorted(bit for bit in order if bit >= 0)
    if len(order) != scanners * size or owned != list(range(bits)) or min(order) < -1:
        raise PlanError(
            f"{where}: its order must give each of {scanners} scanners {size} entries and contain "
            f"each of the bits 0 … {bits - 1} of a chunk once, with −1 for the rest; leave it out, "
            f"and scanners take turns"
        )
