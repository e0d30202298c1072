"""A network prepared once and run on one batch after another."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from hwgen.golden.activity import Activity, channels_first, input_activity, rearranged
from hwgen.golden.costs import Tally, multiply_adds
from hwgen.golden.layers import PreparedLayer
from hwgen.golden.result import Result
from hwgen.network import Layer, Network, decide

BATCH_BYTES = 1 << 24
"""Memory of one node's maps in one worker: bounded, and small enough for the caches."""


class Engine:
    """A network prepared once; :meth:`run` may be called from several threads."""

    def __init__(self, network: Network, *, steps: bool, keep: bool) -> None:
        self.network, self._steps, self.keep = network, steps, keep
        self._train_types = network.train_types
        self._layers = {
            layer.name: PreparedLayer(
                layer, self._train_types, where=f"{network.name}.{layer.name}", steps=steps
            )
            for layer in network.layers
        }
        self.senders = [name for name in self._train_types if name != network.readout.name]
        readers = [(layer, item) for layer in network.layers for item in layer.projections]
        self.tallies: dict[str, Tally] = {}
        self.readers: dict[str, list[str]] = {}
        for name in self.senders:
            mine = [(layer.name, item) for layer, item in readers if item.source == name]
            self.readers[name] = [layer for layer, _ in mine]
            self.tallies[name] = Tally(self._train_types[name], [item for _, item in mine])
        last_use = {name: node.name for node in network.nodes for name in node.sources}
        self._finished: dict[str, list[str]] = {}
        """By node, the sources that no later node reads."""
        for source, reader in last_use.items():
            self._finished.setdefault(reader, []).append(source)

    def images_at_once(self) -> int:
        """Images whose largest maps, trains and membranes fit :data:`BATCH_BYTES`."""
        stepped = any(layer.stepped for layer in self._layers.values())
        return min(
            BATCH_BYTES
            // (math.prod(train_type.shape) * (3 * train_type.timesteps + 32 if stepped else 8))
            for train_type in self._train_types.values()
        )

    def run(self, images: np.ndarray) -> Result:
        """The result of one batch."""
        counts, membranes = _Counts(self), {}
        known: dict[str, Activity] = {}
        logits = np.empty(0)
        for name, activity, membrane in self._activities(images, known):
            if self.keep and membrane is not None:
                membranes[name] = channels_first(membrane)
            if name == self.network.readout.name:
                logits = _logits(activity, membrane)
                break
            counts.add(name, known[name])
            for source in self._finished.get(name, ()):
                del known[source]
        return Result(
            classes=decide(logits),
            logits=logits,
            logit_scale=_scale_of(self.network),
            spikes=counts.spikes,
            neurons={name: math.prod(self._train_types[name].shape) for name in self.senders},
            synaptic_operations=counts.operations,
            macs={
                layer.name: multiply_adds(layer.projections, self._train_types[layer.name].shape)
                for layer in self.network.layers
            },
            values=counts.values,
            trains=counts.trains,
            membranes=membranes,
        )

    def forward(self, images: np.ndarray, known: dict[str, Activity]) -> np.ndarray:
        """Logits (n, classes) of one batch; nothing is counted.

        ``known`` holds the activities of nodes that need not be computed, and receives all others.
        """
        *_, (_, activity, membrane) = self._activities(images, known)
        return _logits(activity, membrane)

    def _activities(
        self, images: np.ndarray, known: dict[str, Activity]
    ) -> Iterator[tuple[str, Activity | None, np.ndarray | None]]:
        """Run the nodes that are not ``known``, and give (name, activity, membrane) of each."""
        source = self.network.input
        if source.name not in known:
            known[source.name] = input_activity(images, source, steps=self._steps)
            yield source.name, known[source.name], None
        for node in self.network.nodes:
            if node.name in known:
                continue
            membrane = None
            if isinstance(node, Layer):
                activity, membrane = self._layers[node.name].run(known)
            else:
                train_type = self._train_types[node.name]
                activity = rearranged(node, known[node.source], train_type, steps=self._steps)
            if activity is not None and node is not self.network.readout:
                known[node.name] = activity
            yield node.name, activity, membrane


class _Counts:
    """Spikes and synaptic operations of one batch; with ``engine.keep`` values and trains too."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.spikes: dict[str, np.ndarray] = {}
        self.operations = {layer.name: np.array(0) for layer in engine.network.layers}
        self.values: dict[str, np.ndarray] = {}
        self.trains: dict[str, np.ndarray] = {}

    def add(self, name: str, activity: Activity) -> None:
        tally = self._engine.tallies[name]
        counts = (
            tally.of_values(activity.values)
            if activity.values is not None
            else tally.of_train(activity.get_train())
        )
        self.spikes[name] = counts[:, 0]
        for column, layer in enumerate(self._engine.readers[name], start=1):
            self.operations[layer] = self.operations[layer] + counts[:, column]
        if self._engine.keep:
            self.values[name] = channels_first(activity.get_values().astype(np.int32))
            self.trains[name] = channels_first(activity.get_train().swapaxes(0, 1))


def _scale_of(network: Network) -> float | None:
    scale = network.provenance.get("logit_scale")
    return float(scale) if isinstance(scale, int | float) else None


def _logits(activity: Activity | None, membrane: np.ndarray | None) -> np.ndarray:
    """The membranes of a readout, or the spike counts of a spiking softmax; int64 (n, classes)."""
    logits = membrane if activity is None else activity.get_values().astype(np.int64)
    assert logits is not None
    return logits.reshape(len(logits), -1)
