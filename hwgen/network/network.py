"""A whole network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hwgen.network.inputs import Input
from hwgen.network.nodes import Layer, Node
from hwgen.network.train_type import TrainType


@dataclass(frozen=True, kw_only=True, eq=False)
class Network:
    """A converted network; its last node is the layer with the read-out.

    Parameters
    ----------
    name : str
    input : Input
    nodes : tuple of Node, in topological order
    provenance : mapping of plain values
        Where it came from: method, options, figures of the conversion. Changes no spike.
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
        raise KeyError(name)

    @property
    def layers(self) -> tuple[Layer, ...]:
        return tuple(node for node in self.nodes if isinstance(node, Layer))

    @property
    def readout(self) -> Layer:
        last = self.nodes[-1]
        assert isinstance(last, Layer)
        return last

    @property
    def classes(self) -> int:
        return int(self.readout.bias.shape[0])

    def train_types(self) -> dict[str, TrainType]:
        """The signal that each node, and the input, gives; the read-out's stands for logits."""
        from hwgen.network.verify import infer_train_types

        return infer_train_types(self)

    def verify(self) -> None:
        """Raise :class:`NetworkError` at the first broken rule."""
        from hwgen.network.verify import infer_train_types

        infer_train_types(self)
