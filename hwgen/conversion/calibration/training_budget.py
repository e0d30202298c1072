"""How long fine-tuning may take that nobody asked for: minutes on a few cores."""

from __future__ import annotations

from hwgen.conversion.calibration.finetuning import Finetuning
from hwgen.conversion.float_graph import FloatGraph, Population
from hwgen.conversion.options import FEW_WEIGHT_BITS, Options
from hwgen.golden.costs import multiply_adds

BUDGET = 10**13
"""Multiply-adds of all forward passes: a quarter of an hour on two cores.

244,000 images of ResNet-20 for CIFAR-10.
"""
TIMESTEPS = 5  # more lose nothing to speak of
EPOCHS = 8  # at most: more of few images fit these images only
LARGEST_STEP = 0.04
"""Learning rate times levels: a weight moves by a share of what separates two values."""

FEWEST_LEVELS = 4
FEWEST_IMAGES = 256  # of fewer, training makes it worse


def training_for(graph: FloatGraph, images: int, options: Options) -> Finetuning | None:
    """Fine-tuning of ``graph`` on at most ``images`` within the budget, if it is likely to help.

    It is for up to TIMESTEPS or coarse weights; None for others, where images would be few, and for
    neurons that it does not train.
    """
    steps = options.mean_timesteps or options.timesteps
    if options.neuron.single_phase or not options.inverse_leak.doubles:
        return None
    if steps > TIMESTEPS and options.weight_bits > FEW_WEIGHT_BITS:
        return None
    levels = 2**steps if options.mean_timesteps else options.code.q_max(options.timesteps) + 1
    coarsest = min(levels, 2**options.weight_bits)
    passes = BUDGET // max(multiply_adds_of(graph), 1)
    count = min(images, passes)
    if count < FEWEST_IMAGES:
        return None
    return Finetuning(
        epochs=min(EPOCHS, passes // count),
        images=count,
        learning_rate=LARGEST_STEP / max(coarsest, FEWEST_LEVELS),
    )


def multiply_adds_of(graph: FloatGraph) -> int:
    """Multiply-adds of ``graph`` for one image."""
    shapes = graph.shapes()
    return sum(
        multiply_adds(node.projections, shapes[node.name])
        for node in graph.nodes
        if isinstance(node, Population)
    )
