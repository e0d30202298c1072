"""Runs networks that differ in a few layers on the same images, for searches of parameters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwgen.golden.activity import Activity
from hwgen.golden.engine import Engine
from hwgen.golden.images import check_images
from hwgen.golden.threads import map_batches, workers
from hwgen.network import Network


@dataclass(frozen=True, kw_only=True, eq=False)
class _Run:
    """A network, and for each batch its images and the activity of every node but the last."""

    network: Network
    batches: list[tuple[np.ndarray, dict[str, Activity]]]


class Trials:
    """Logits of networks whose nodes are mostly the same objects.

    Nodes before the first difference from the network that was kept last are not computed again:
    their activities are kept, for all images.

    Parameters
    ----------
    images : unsigned integer array, shape (N, channels, height, width)
    """

    def __init__(self, images: np.ndarray) -> None:
        self._images = images
        self._kept: _Run | None = None
        self._last: _Run | None = None

    def logits(self, network: Network) -> np.ndarray:
        """int64 (N, classes), as :func:`hwgen.golden.run` gives them.

        Raises :class:`.DataError` for images that do not fit, :class:`.NetworkError` for a network
        that breaks a rule.
        """
        engine = Engine(network, steps=False, keep=False)
        same = self._same(network)
        if self._kept is not None and same:
            batches = [
                (images, {name: known[name] for name in known if name in same})
                for images, known in self._kept.batches
            ]
        else:
            images = check_images(network, self._images)
            size = max(1, min(engine.images_at_once(), -(-len(images) // workers())))
            batches = [(images[start : start + size], {}) for start in range(0, len(images), size)]
        logits = list(map_batches(lambda batch: engine.forward(*batch), batches))
        self._last = _Run(network=network, batches=batches)
        return np.concatenate(logits)

    def keep(self) -> None:
        """Compare later networks with the one that was run last."""
        self._kept = self._last

    def values(self, name: str) -> np.ndarray:
        """q of the node ``name`` in the network that was run last, (N, channels, height, width)."""
        assert self._last is not None
        parts = [known[name].get_values() for _, known in self._last.batches]
        return np.concatenate(parts).transpose(0, 3, 1, 2)

    def _same(self, network: Network) -> set[str]:
        """Nodes whose activities are those of the network that is kept."""
        if self._kept is None or network.input is not self._kept.network.input:
            return set()
        before = {id(node) for node in self._kept.network.nodes}
        same = {network.input.name}
        for node in network.nodes:
            if id(node) in before and same.issuperset(node.sources):
                same.add(node.name)
        return same
