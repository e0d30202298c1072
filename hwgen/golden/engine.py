"""A network prepared once and run on one batch after another."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hwgen.golden.costs import Tally, mac_operations
from hwgen.golden.layers import Activity, PreparedLayer
from hwgen.golden.nodes import input_activity, rearranged
from hwgen.golden.result import Result
from hwgen.network import Flatten, Layer, MaxPool2d, Network

# Of one node's maps in one worker: bounds the memory, and small enough for the caches.
BATCH_BYTES = 1 << 24


class Engine:
    """A network prepared once; :meth:`run` may be called from several threads."""

    def __init__(self, network: Network, *, steps: bool, keep: bool) -> None:
        self.network, self._steps, self._keep = network, steps, keep
        self._train_types = network.train_types
        self._layers = {
            layer.name: PreparedLayer(network, layer, self._train_types, steps=steps)
            for layer in network.layers
        }
        self._senders = [name for name in self._train_types if name != network.readout.name]
        readers = [(layer, item) for layer in network.layers for item in layer.projections]
        self._tallies, self._readers, self._last_use = {}, {}, {}
        for name in self._senders:
            mine = [(layer.name, item) for layer, item in readers if item.source == name]
            self._readers[name] = [layer for layer, _ in mine]
            self._tallies[name] = Tally(self._train_types[name], [item for _, item in mine])
        for node in network.nodes:
            self._last_use.update(dict.fromkeys(node.sources, node.name))

    def images_at_once(self) -> int:
        """Images whose largest maps, trains and membranes stay within :data:`BATCH_BYTES`."""
        stepped = any(layer.stepped for layer in self._layers.values())
        return BATCH_BYTES // max(
            math.prod(train_type.shape) * (3 * train_type.timesteps + 32 if stepped else 8)
            for train_type in self._train_types.values()
        )

    def run(self, images: np.ndarray) -> dict[str, Any]:
        """Arrays of one batch, by what they are and where they come from."""
        part: dict[str, Any] = {
            "spikes": {},
            "synaptic_operations": {},
            "values": {},
            "trains": {},
            "membranes": {},
        }
        source = self.network.input
        activities = {source.name: input_activity(images, source, steps=self._steps)}
        self._count(source.name, activities, part)
        for node in self.network.nodes:
            membrane = None
            if isinstance(node, Layer):
                activity, membrane = self._layers[node.name].run(activities)
            else:
                activity = self._rearranged(node, activities[node.source])
            if self._keep and membrane is not None:
                part["membranes"][node.name] = _channels_first(membrane)
            if node is self.network.readout:
                logits = membrane if activity is None else activity.values
                assert logits is not None
                part["logits"] = logits.reshape(len(images), -1)
                break
            assert activity is not None
            activities[node.name] = activity
            self._count(node.name, activities, part)
            for name in node.sources:
                if self._last_use[name] == node.name:
                    activities.pop(name, None)
        return part

    def forward(self, images: np.ndarray, known: dict[str, Activity]) -> np.ndarray:
        """Logits (n, classes) of one batch, with nothing counted.

        ``known`` holds activities by node that need not be computed, and gets all the others.
        """
        source = self.network.input
        if source.name not in known:
            known[source.name] = input_activity(images, source, steps=self._steps)
        for node in self.network.nodes:
            if node.name in known:
                continue
            if isinstance(node, Layer):
                activity, membrane = self._layers[node.name].run(known)
            else:
                activity, membrane = self._rearranged(node, known[node.source]), None
            if node is self.network.readout:
                logits = membrane if activity is None else activity.values
                assert logits is not None
                return logits.reshape(len(images), -1)
            assert activity is not None
            known[node.name] = activity
        raise AssertionError("a network ends with its read-out")

    def collect(self, parts: list[dict[str, Any]]) -> Result:
        def join(key: str) -> dict[str, np.ndarray]:
            names = [name for name in order if name in parts[0][key]]
            return {name: np.concatenate([part[key][name] for part in parts]) for name in names}

        order = [self.network.input.name, *(node.name for node in self.network.nodes)]
        logits = np.concatenate([part["logits"] for part in parts])
        return Result(
            classes=logits.argmax(axis=1).astype(np.int64),
            logits=logits,
            spikes=join("spikes"),
            neurons={name: math.prod(self._train_types[name].shape) for name in self._senders},
            synaptic_operations=join("synaptic_operations"),
            mac_operations={
                layer.name: mac_operations(layer, self._train_types[layer.name].shape)
                for layer in self.network.layers
            },
            values=join("values"),
            trains=join("trains"),
            membranes=join("membranes"),
        )

    def _rearranged(self, node: MaxPool2d | Flatten, given: Activity) -> Activity:
        return rearranged(node, given, self._train_types[node.name], steps=self._steps)

    def _count(self, name: str, activities: dict[str, Activity], part: dict[str, Any]) -> None:
        activity, tally = activities[name], self._tallies[name]
        counts = (
            tally.of_values(activity.values)
            if activity.values is not None
            else tally.of_train(activity.get_train())
        )
        part["spikes"][name] = counts[:, 0]
        for column, layer in enumerate(self._readers[name], start=1):
            operations = part["synaptic_operations"]
            operations[layer] = operations.get(layer, 0) + counts[:, column]
        if self._keep:
            part["values"][name] = _channels_first(activity.get_values().astype(np.int32))
            train = activity.get_train().transpose(1, 0, 4, 2, 3)
            part["trains"][name] = np.ascontiguousarray(train)


def _channels_first(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(array.transpose(0, 3, 1, 2))
