"""Allocation of timesteps: few where a layer hardly matters, more where the logits are sensitive.

A network of L layers that fire gets at most ⌊L·mean⌋ timesteps in all: ``mean_timesteps`` is their
plain mean over these layers, whatever their sizes. The input has its own timesteps and does not
count, and neither does the readout, which sends no trains. Layers with timesteps of their own
(``layer_timesteps``) count, and keep them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from hwgen.conversion.calibration.sensitivity import Sensitivity
from hwgen.conversion.converted import Progress
from hwgen.conversion.float_graph import FloatGraph, Population
from hwgen.conversion.options import Options
from hwgen.errors import ConversionError

BEYOND = 3
"""Timesteps beyond the mean that a layer may get: a 64th of the squared error."""


def choose_timesteps(
    graph: FloatGraph, images: np.ndarray, options: Options, progress: Progress
) -> dict[str, int]:
    """Timesteps of every layer of ``graph`` that fires, by name.

    Raises :class:`.ConversionError` if those that are given exceed ``options.mean_timesteps``.
    """
    mean = options.mean_timesteps
    assert mean is not None
    names = [node.name for node in graph.nodes if isinstance(node, Population) and node.fires]
    given = {
        name: options.layer_timesteps[name] for name in names if name in options.layer_timesteps
    }
    free = [name for name in names if name not in given]
    budget = math.floor(len(names) * mean + 1e-9) - sum(given.values())
    if budget < len(free):
        raise ConversionError(
            f"mean_timesteps {mean:g} leaves {budget} timesteps for {len(free)} layers besides "
            f"{given}; give these fewer timesteps, or a larger mean"
        )
    highest = min(options.code.max_timesteps, math.ceil(mean) + BEYOND)
    sensitivity = Sensitivity(graph, images, options)
    losses = {}
    for done, name in enumerate(free):
        progress(done, len(free), f"sensitivity of {name}")
        losses[name] = sensitivity.losses(name, range(1, highest + 1))
    chosen = allocate(losses, budget) | given
    found = {name: chosen[name] for name in names}
    told = ", ".join(f"{name}={steps}" for name, steps in found.items())
    progress(len(free), len(free), f"timesteps {told}")
    return found


def allocate(losses: Mapping[str, list[float]], budget: int) -> dict[str, int]:
    """Timesteps by layer with the smallest sum of losses, and at most ``budget`` in all.

    ``losses`` are those of 1, 2, … timesteps. Exact: the smallest sum for each budget, layer by
    layer.
    """
    smallest = np.zeros(budget + 1)
    chosen: list[np.ndarray] = []
    for row in losses.values():
        tries = np.full((len(row), budget + 1), np.inf)
        for steps, loss in enumerate(row[:budget], start=1):
            tries[steps - 1, steps:] = smallest[:-steps] + loss
        chosen.append(tries.argmin(axis=0) + 1)
        smallest = tries.min(axis=0)
    left, timesteps = budget, dict[str, int]()
    for name, best in reversed(list(zip(losses, chosen, strict=True))):
        timesteps[name] = int(best[left])
        left -= timesteps[name]
    return timesteps
