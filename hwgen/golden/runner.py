"""Runs a network on images, batch by batch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hwgen.arguments import require_integer
from hwgen.errors import DataError
from hwgen.golden.engine import Engine
from hwgen.golden.images import check_images
from hwgen.golden.result import Result, join
from hwgen.golden.threads import map_batches, workers
from hwgen.network import Network, require_network

Progress = Callable[[int], None]


def run(
    network: Network,
    images: object,
    *,
    steps: bool = False,
    trains: bool = False,
    batch: int = 256,
    progress: Progress | None = None,
) -> Result:
    """Classify ``images`` and count spikes; with ``trains`` keep every spike and membrane.

    Parameters
    ----------
    network : Network
    images : array, tensor, Dataset or DataLoader
        Pixels 0 … 2^pixel_bits − 1, or what the float model gets of them; shape (N, channels,
        height, width), (N, height, width, channels) or (N, height, width). For address events
        frames of 0 and 1, shape (N, T, channels, height, width).
    steps : bool
        Run every neuron step by step. Otherwise two-phase layers use the closed form,
        q = clip(⌊(2^f·(W·q_in) + B) / θ⌋, 0, q_max), which gives the same spikes.
    trains : bool
        Keep values, trains and membranes; implies ``steps``. Their memory grows with N·T.
    batch : int
        Maximum images at once in each worker; fewer if maps are large, so that memory stays
        bounded for any N.
    progress : callable, or None
        Called after each batch with the number of images done.

    Raises
    ------
    DataError
        The images do not fit the input of the network.
    NetworkError
        The network breaks a rule, or its membranes could exceed 62 bits.
    """
    require_network(network)
    require_integer("batch", batch, 1, error=DataError)
    engine = Engine(network, steps=steps or trains, keep=trains)
    pixels = check_images(network, images)
    size = max(1, min(batch, engine.images_at_once(), -(-len(pixels) // workers())))
    batches = [pixels[start : start + size] for start in range(0, len(pixels), size)]
    parts, done = [], 0
    for part in map_batches(engine.run, batches):
        parts.append(part)
        done += len(part)
        if progress is not None:
            progress(done)
    return join(parts)


def classify(
    network: Network, images: object, *, batch: int = 256, progress: Progress | None = None
) -> np.ndarray:
    """Classes of ``images``, int64 (N,): :func:`run` without the rest."""
    return run(network, images, batch=batch, progress=progress).classes
