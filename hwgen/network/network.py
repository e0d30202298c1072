"""A whole network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from hwgen.arguments import require_type
from hwgen.errors import NetworkError
from hwgen.network.decision import class_count
from hwgen.network.input import Input
from hwgen.network.nodes import Layer, Node
from hwgen.network.trains import TrainType
from hwgen.suggest import unknown

if TYPE_CHECKING:
    from hwgen.network.summary import Summary


@dataclass(frozen=True, kw_only=True, eq=False)
class Network:
    """A converted network; its last node is the layer with the readout.

    Parameters
    ----------
    name : str
    input : Input
    nodes : tuple of Node, in topological order
    provenance : mapping of plain values
        Its origin: method, options and figures of the conversion. Changes no spike.
    probe : unsigned integer array, shape (images, channels, height, width), or None
        A few calibration images, for predictions of activity and cycles. Changes no spike.
    """

    name: str
    input: Input
    nodes: tuple[Node, ...]
    provenance: Mapping[str, Any] = field(default_factory=dict)
    probe: np.ndarray | None = None

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def __getitem__(self, name: str) -> Node:
        for node in self.nodes:
            if node.name == name:
                return node
        raise NetworkError(unknown("node", name, [node.name for node in self.nodes]))

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Layers, in topological order."""
        return tuple(node for node in self.nodes if isinstance(node, Layer))

    @property
    def readout(self) -> Layer:
        """Last layer, from which the logits come."""
        last = self.nodes[-1]
        assert isinstance(last, Layer)
        return last

    @property
    def logits(self) -> int:
        """Number of logits: one per class, or a single one for two classes."""
        return int(self.readout.bias.shape[0])

    @property
    def classes(self) -> int:
        """Number of classes (:func:`hwgen.network.decide`)."""
        return class_count(self.logits)

    @property
    def timesteps(self) -> int:
        """Timesteps of the layers that fire, the largest number if they differ.

        Those of the input if no layer fires.
        """
        fired = [layer.neuron.timesteps for layer in self.layers if not layer.neuron.is_decoder]
        return max(fired, default=self.input.timesteps)

    @cached_property
    def train_types(self) -> dict[str, TrainType]:
        """Type of the trains that the input and each node sends, by name; computed once.

        For a :class:`hwgen.network.Readout` it is the type that it decodes. Raises
        :class:`.NetworkError` at the first broken rule.
        """
        from hwgen.network.verify import infer_train_types

        return infer_train_types(self)

    def verify(self) -> None:
        """Raise :class:`.NetworkError` at the first broken rule."""
        from hwgen.network.verify import infer_train_types

        infer_train_types(self)

    def summary(self) -> Summary:
        """A table of the layers, which prints as text: shape, neuron, T, weights, thresholds."""
        from hwgen.network.summary import summarise

        return summarise(self)

    def __repr__(self) -> str:
        shape = "×".join(map(str, self.input.shape))
        return (
            f"<Network {self.name!r}: {shape} {self.input.code} input, "
            f"{len(self.layers)} layers, {self.classes} classes>"
        )


def require_network(value: object) -> None:
    """Raise :class:`.NetworkError` unless ``value`` is a :class:`Network`."""
    remedy = "convert a model with hwgen.convert, or load a folder with hwgen.load"
    require_type("network", value, Network, remedy, error=NetworkError)
