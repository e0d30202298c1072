"""Runs a network on images, batch by batch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hwgen.golden.engine import Engine
from hwgen.golden.images import check_images
from hwgen.golden.result import Result
from hwgen.golden.threads import map_batches, workers
from hwgen.network import Network

Progress = Callable[[int], None]


def run(
    network: Network,
    images: np.ndarray,
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
    images : unsigned integer array, shape (N, channels, height, width)
        Pixels 0 … 2^pixel_bits − 1; of address events frames of 0 and 1, (N, T, channels, height,
        width).
    steps : bool
        Run every neuron step by step. Otherwise two-phase layers take the closed form,
        q = clip(⌊(2^f·(W·q_in) + B) / θ⌋, 0, q_max), which gives the same spikes.
    trains : bool
        Keep values, trains and membranes; implies ``steps``. Their memory grows with N·T.
    batch : int
        Most images at once in each worker; fewer where maps are large, so that memory stays
        bounded whatever N is.
    progress : callable, or None
        Told how many images are done, after each batch.

    Raises :class:`DataError` for images that do not fit, :class:`NetworkError` for a network that
    breaks a rule or whose membranes could exceed 62 bits.
    """
    engine = Engine(network, steps=steps or trains, keep=trains)
    images = check_images(network, images)
    size = max(1, min(batch, engine.images_at_once(), -(-len(images) // workers())))
    batches = [images[start : start + size] for start in range(0, len(images), size)]
    parts, done = [], 0
    for part in map_batches(engine.run, batches):
        parts.append(part)
        done += len(part["logits"])
        if progress is not None:
            progress(done)
    return engine.collect(parts)


def classify(
    network: Network, images: np.ndarray, *, batch: int = 256, progress: Progress | None = None
) -> np.ndarray:
    """Classes of ``images``, int64 (N,): :func:`run` without the rest."""
    return run(network, images, batch=batch, progress=progress).classes
