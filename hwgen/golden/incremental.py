"""Networks that grow node by node: conversion runs each layer before it makes the next."""

from __future__ import annotations

import math

import numpy as np

from hwgen.golden.activity import Activity, input_activity, rearranged
from hwgen.golden.layers import PreparedLayer
from hwgen.network import Input, Layer, Node, TrainType
from hwgen.network.verify import infer_node

BATCH_BYTES = 1 << 26  # of one node's trains in one batch


class IncrementalRun:
    """What every node of a growing network sends for the same images.

    Parameters
    ----------
    source : Input
    images : unsigned integer array, shape (n, channels, height, width), or frames of events
    """

    def __init__(self, source: Input, images: np.ndarray) -> None:
        self.train_types: dict[str, TrainType] = {source.name: source.train_type}
        size = max(1, BATCH_BYTES // (source.timesteps * math.prod(source.shape)))
        self._batches: list[dict[str, Activity]] = [
            {source.name: input_activity(images[start : start + size], source)}
            for start in range(0, len(images), size)
        ]

    def add(self, node: Node) -> None:
        """Run ``node``, a layer that fires, a pool or a flatten, whose sources are still known.

        Raises :class:`hwgen.errors.NetworkError` if the node breaks a rule.
        """
        kind = infer_node(node, self.train_types, where=node.name)
        self.train_types[node.name] = kind
        if isinstance(node, Layer):
            layer = PreparedLayer(node, self.train_types, where=node.name, steps=False)
            for known in self._batches:
                activity, _ = layer.run(known)
                assert activity is not None
                known[node.name] = activity
        else:
            for known in self._batches:
                known[node.name] = rearranged(node, known[node.source], kind)

    def values(self, name: str) -> np.ndarray:
        """Values q of ``name``, unsigned (n, channels, height, width).

        Those of a leak k < 2 are the trains as binary numbers, of direct input the pixels.
        """
        parts = [known[name].get_values() for known in self._batches]
        return np.concatenate(parts).transpose(0, 3, 1, 2)

    def train(self, name: str) -> np.ndarray:
        """Trains of ``name``, uint8 (T, n, channels, height, width)."""
        parts = [known[name].get_train() for known in self._batches]
        return np.concatenate(parts, axis=1).transpose(0, 1, 4, 2, 3)

    def forget(self, name: str) -> None:
        """Drop what ``name`` sent, which no later node reads."""
        for known in self._batches:
            del known[name]
