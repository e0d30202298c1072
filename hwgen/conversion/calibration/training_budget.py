"""How long fine-tuning may take that nobody asked for: minutes on a few cores."""

from __future__ import annotations

import math

import numpy as np

from hwgen.conversion.calibration.finetuning import Finetuning
from hwgen.conversion.float_graph import FloatGraph, Population
from hwgen.conversion.options import Options

BUDGET = 10**13
"""Multiply-adds of all forward passes: a quarter of an hour on two cores.

244,000 images of ResNet-20 for CIFAR-10.
"""
EPOCHS = 8  # at most: more of few images fit these images only
FEWEST_IMAGES = 256  # of fewer, training makes it worse


def training_for(graph: FloatGraph, images: int, options: Options) -> Finetuning | None:
    """Fine-tuning of ``graph`` on at most ``images`` within the budget, if it is likely to help.

    It is where trains or weights are coarse; None where not, where images would be few, and for
    neurons that it does not train.
    """
    if options.neuron.single_phase or not options.inverse_leak.doubles or not options.coarse:
        return None
    passes = BUDGET // max(multiply_adds(graph), 1)
    count = min(images, passes)
    if count < FEWEST_IMAGES:
        return None
    return Finetuning(epochs=min(EPOCHS, passes // count), images=count)


def multiply_adds(graph: FloatGraph) -> int:
    """Multiply-adds of ``graph`` for one image."""
    shapes = graph.shapes()
    return sum(
        int(np.count_nonzero(projection.weights)) * math.prod(shapes[node.name][1:])
        for node in graph.nodes
        if isinstance(node, Population)
        for projection in node.projections
    )
