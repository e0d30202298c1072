"""What nodes other than layers send: the input, pools and flattens."""

from __future__ import annotations

from functools import partial

import numpy as np

from hwgen.golden.codes import input_train, input_values
from hwgen.golden.layers import Activity
from hwgen.golden.pool import pool_counts, pool_train, pool_values
from hwgen.network import Flatten, Input, InputCode, MaxPool2d, TrainType


def input_activity(images: np.ndarray, source: Input, *, steps: bool = False) -> Activity:
    """Activity of the input for ``images`` (n, channels, height, width), or frames of events.

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


def _flatten(array: np.ndarray) -> np.ndarray:
    """(…, height, width, channels) → (…, 1, 1, channels·height·width), in the order of PyTorch."""
    first = np.moveaxis(array, -1, -3)
    return first.reshape(*array.shape[:-3], 1, 1, -1)
