"""Choices of the planner: every way to build each stage between given streams.

The width of a stream is chosen with the unit that sends it, and decides what the units that read it
can be. A choice therefore names its streams, and one choice of each stage is a plan if they agree.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import le

from hwgen.network import Flatten, Layer, MaxPool2d, Network
from hwgen.plan.cost.area import output_usage, pool_usage, with_margin
from hwgen.plan.cost.fabric import Fabric
from hwgen.plan.cost.usage import Usage
from hwgen.plan.cost.work import encoder_cycles, pool_cycles
from hwgen.plan.search.candidates import Candidate, Candidates
from hwgen.plan.units.geometry import StreamPlan
from hwgen.plan.units.hardware_plan import HardwarePlan
from hwgen.plan.units.layer import LayerPlan
from hwgen.plan.units.layer_sizes import LayerContext
from hwgen.plan.units.memories import MemoryKind
from hwgen.plan.units.pool import Stage, plan_pool

WIDTHS = 3
"""Widths of a stream that are tried: the narrowest ones that its readers can take in time. Wider
ones save no more than a serializer, and each multiplies the choices of the readers."""

Cost = tuple[float, float, float, float]


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One way to build a stage.

    Parameters
    ----------
    sources : tuple of StreamPlan
    usage : Usage
        Of the stage with its weights, and of what follows it (:func:`.output_usage`).
    candidate : Candidate or None
        None for a max-pool, which has no choice but its streams.
    memories : tuple of MemoryKind
        Weight memory of each path.
    """

    sources: tuple[StreamPlan, ...]
    output: StreamPlan
    usage: Usage
    candidate: Candidate | None = None
    memories: tuple[MemoryKind, ...] = ()

    @property
    def plan(self) -> LayerPlan:
        assert self.candidate is not None
        return self.candidate.with_memories(self.memories)


class Choices:
    """All choices for a network.

    ``reference`` is any plan of the network: it has the input's stream, and what does not depend on
    the choices.
    """

    def __init__(self, network: Network, candidates: Candidates, reference: HardwarePlan) -> None:
        self._network = network
        self._types = network.train_types
        self._candidates = candidates
        self._reference = reference
        self._readers: dict[str, list[Layer | MaxPool2d | Flatten]] = defaultdict(list)
        for node in network:
            for source in dict.fromkeys(node.sources):
                self._readers[source].append(node)

    def fastest(self, fabric: Fabric) -> tuple[str, float]:
        """The slowest stage where each is as fast as it can be, and its cycles per sample."""
        encoder = self._reference.encoder
        streams = {self._network.input.name: encoder.output}
        cycles = {encoder.output.node: float(encoder_cycles(encoder))}
        for node in self._network:
            if isinstance(node, Flatten):
                streams[node.name] = streams[node.source]
                continue
            sources = tuple(streams[source] for source in node.sources)
            if isinstance(node, MaxPool2d):
                pool = plan_pool(node, sources[0], self._types[node.name])
                streams[node.name], cycles[node.name] = pool.output, pool_cycles(pool)
            else:
                unit = self._candidates.fastest(node, self._context(node, sources), fabric)
                streams[node.name], cycles[node.name] = unit.unit.output, unit.work.cycles
        return max(cycles.items(), key=lambda stage: stage[1])

    def within(self, cycles: float, fabric: Fabric) -> dict[str, list[Choice]]:
        """Choices of each stage that take at most ``cycles``."""
        encoder = self._reference.encoder.output
        streams: dict[str, Sequence[StreamPlan]] = {self._network.input.name: [encoder]}
        found: dict[str, list[Choice]] = {}
        for node in self._network:
            if isinstance(node, Flatten):
                streams[node.name] = streams[node.source]
                continue
            # A node that is read twice has one stream.
            names = list(dict.fromkeys(node.sources))
            choices: list[Choice] = []
            for chosen in itertools.product(*(streams[name] for name in names)):
                by_name = dict(zip(names, chosen, strict=True))
                sources = tuple(by_name[name] for name in node.sources)
                choices += self._of(node, sources, cycles, fabric)
            outputs = {choice.output for choice in choices}
            streams[node.name] = narrow = sorted(outputs, key=lambda s: s.width)[:WIDTHS]
            kept = [choice for choice in choices if choice.output in narrow]
            found[node.name] = _useful(kept, fabric)
        return found

    def _of(
        self,
        node: Layer | MaxPool2d,
        sources: tuple[StreamPlan, ...],
        cycles: float,
        fabric: Fabric,
    ) -> Iterator[Choice]:
        """Choices between given streams."""

        consumers = self._reference.consumers(node.name)

        def usage_of(stage: Stage, usage: Usage) -> Usage:
            after = output_usage(stage, consumers, fabric, counters=self._reference.counters)
            return with_margin(usage, fabric) + after

        if isinstance(node, MaxPool2d):
            pool = plan_pool(node, sources[0], self._types[node.name])
            if pool_cycles(pool) <= cycles:
                usage = usage_of(pool, pool_usage(pool, fabric))
                yield Choice(sources=sources, output=pool.output, usage=usage)
            return
        for candidate in self._candidates.within(
            node,
            self._context(node, sources),
            cycles,
            fabric,
            lambda output: self._is_read_in_time(node.name, output, cycles),
        ):
            for kinds, usage in candidate.memories:
                yield Choice(
                    sources=sources,
                    output=candidate.unit.output,
                    usage=usage_of(candidate.unit, usage),
                    candidate=candidate,
                    memories=kinds,
                )

    def _context(self, layer: Layer, sources: tuple[StreamPlan, ...]) -> LayerContext:
        return LayerContext(
            streams=sources,
            inputs=tuple(self._types[name] for name in layer.sources),
            output=self._types[layer.name],
            banks=self._reference.pipeline.banks,
        )

    def _is_read_in_time(self, name: str, stream: StreamPlan, cycles: float) -> bool:
        """Whether the readers of node ``name`` can take the words of ``stream`` in ``cycles``."""
        for reader in self._readers[name]:
            output = stream
            if isinstance(reader, MaxPool2d):
                pool = plan_pool(reader, stream, self._types[reader.name])
                if pool_cycles(pool) > cycles:
                    return False
                output = pool.output
            elif isinstance(reader, Layer):
                if stream.words_per_sample > cycles:
                    return False
                continue
            if not self._is_read_in_time(reader.name, output, cycles):
                return False
        return True


def _useful(choices: Sequence[Choice], fabric: Fabric) -> list[Choice]:
    """The choices without those that cost no less of anything than another with equal streams."""
    groups: dict[object, list[tuple[Cost, int]]] = defaultdict(list)
    for number, choice in enumerate(choices):
        usage = choice.usage
        cost = (usage.cells(fabric), usage.block_rams, usage.ff, usage.lut4)
        groups[choice.sources, choice.output].append((cost, number))
    kept: list[int] = []
    for group in groups.values():
        front: list[Cost] = []
        for costs, number in sorted(group):
            if not any(all(map(le, other, costs)) for other in front):
                front.append(costs)
                kept.append(number)
    return [choices[number] for number in sorted(kept)]
