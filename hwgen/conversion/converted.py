"""Result of quantisation, and the types of functions that make and tune it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from hwgen.conversion.float_graph import FloatGraph
from hwgen.conversion.options import Options
from hwgen.conversion.provenance import Figures
from hwgen.network import Input, Network, Node

Progress = Callable[[int, int, str], None]
"""Called with the number of layers done, the number of layers, and the layer in work."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Converted:
    """A network of integers on its way: without name and provenance.

    ``codes`` holds those of the first calibration images, and the logits, int64 (samples, channels,
    height, width), as conversion computed them.
    """

    input: Input
    nodes: tuple[Node, ...]
    figures: Figures
    graph: FloatGraph = field(metadata={"dump": False})  # that it was made of
    codes: Mapping[str, np.ndarray] = field(default_factory=dict, metadata={"dump": False})

    def network(self, name: str = "network") -> Network:
        """The network, without provenance."""
        return Network(name=name, input=self.input, nodes=self.nodes)

    def verify(self) -> None:
        """Raise :class:`hwgen.errors.NetworkError` at the first broken rule."""
        self.network().verify()

    def weights(self) -> Iterator[tuple[str, np.ndarray]]:
        """Weights of every projection, each with the name of its layer."""
        for layer in self.network().layers:
            for projection in layer.projections:
                yield layer.name, projection.weights


Tuner = Callable[[Converted, np.ndarray, np.ndarray, Options, Progress], Converted]
"""Function (converted network, calibration images, their labels, options, progress)."""
