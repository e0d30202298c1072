"""The trains and values of a node for a batch of samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from hwgen.golden.inputs import input_train, input_values
from hwgen.golden.pool import pool_counts, pool_train, pool_values
from hwgen.network import Flatten, Input, InputCode, MaxPool2d, TrainType


@dataclass(kw_only=True)
class Activity:
    """The output of a node for a batch: values, a train, or both, each made on demand."""

    train_type: TrainType
    values: np.ndarray | None = None
    train: np.ndarray | None = None
    make_train: Callable[[], np.ndarray] | None = None

    @property
    def images(self) -> int:
        """n, the samples of the batch."""
        return len(self.values) if self.values is not None else self.get_train().shape[1]

    def get_values(self) -> np.ndarray:
        """q, unsigned (n, height, width, channels)."""
        if self.values is None:
            assert self.train is not None
            self.values = self.train_type.code.decode_train(self.train)
        return self.values

    def get_train(self) -> np.ndarray:
        """The train, uint8 (T, n, height, width, channels)."""
        if self.train is None and self.make_train is not None:
            self.train = self.make_train()
        if self.train is None:
            assert self.values is not None
            train_type = self.train_type
            self.train = train_type.code.encode_train(self.values, train_type.timesteps)
        return self.train


def input_activity(images: np.ndarray, source: Input, *, steps: bool = False) -> Activity:
    """Activity of the input for ``images``, shape (n, *source.sample_shape).

    With ``steps`` it is a train; otherwise it is values where they have a closed form.
    """
    pixels = np.ascontiguousarray(np.moveaxis(images, -3, -1))
    activity = Activity(
        train_type=source.train_type, make_train=partial(input_train, pixels, source)
    )
    if steps or source.code in (InputCode.POISSON, InputCode.EVENTS):
        activity.get_train()
    else:
        activity.values = input_values(pixels, source)
    return activity


def rearranged(
    node: MaxPool2d | Flatten, given: Activity, train_type: TrainType, *, steps: bool = False
) -> Activity:
    """Activity of a pool or flatten that reads ``given``; with ``steps`` it is a train."""
    if isinstance(node, MaxPool2d):
        if not given.train_type.in_order:
            return Activity(train_type=train_type, train=pool_counts(given.get_train(), node))
        if steps:
            return Activity(train_type=train_type, train=pool_train(given.get_train(), node))
        return Activity(train_type=train_type, values=pool_values(given.get_values(), node))
    if steps:
        return Activity(train_type=train_type, train=_flatten(given.get_train()))
    return Activity(
        train_type=train_type,
        values=_flatten(given.get_values()),
        make_train=lambda: _flatten(given.get_train()),
    )


def channels_first(array: np.ndarray) -> np.ndarray:
    """(…, height, width, channels) → (…, channels, height, width), contiguous."""
    return np.ascontiguousarray(np.moveaxis(array, -1, -3))


def _flatten(array: np.ndarray) -> np.ndarray:
    """(…, height, width, channels) → (…, 1, 1, channels·height·width), in the order of PyTorch."""
    first = np.moveaxis(array, -1, -3)
    return first.reshape(*array.shape[:-3], 1, 1, -1)
