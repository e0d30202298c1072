"""Result of quantisation, and the types of functions that make and tune it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hwgen.conversion.float_graph import FloatGraph
from hwgen.conversion.options import Options
from hwgen.conversion.provenance import Figures
from hwgen.network import Input, Node

Progress = Callable[[int, int, str], None]
"""Called with the number of layers done, the number of layers, and the layer in work."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Converted:
    """The network of integers without its name, and figures of the conversion."""

    input: Input
    nodes: tuple[Node, ...]
    figures: Figures


Tuner = Callable[[FloatGraph, Converted, np.ndarray, np.ndarray, Options, Progress], Converted]
"""Function (float graph, converted network, images, their labels, options, progress)."""
