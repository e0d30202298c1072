"""Layers with several projections, and with taps that share their weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hwgen.network import Conv2d, Identity, Input
from tests.support.rtl.layer_bench import random_layer, run, weights

JOINS: dict[str, tuple[tuple, int, tuple[str, ...], Any]] = {
    # shape of the input, lanes, kinds of the synaptic paths, projections
    "convolution and identity": (
        (4, 4, 3), 4, ("spikes", "masked"),
        lambda rng: (
            conv(rng, 4, 4, 3, 3, padding=(1, 1, 1, 1)), identity(rng, 4),
        ),
    ),
    "identity first, more channels than lanes": (
        (4, 3, 4), 2, ("spikes", "spikes"),
        lambda rng: (identity(rng, 4), conv(rng, 4, 4, 2, 3, padding=(1, 1, 0, 1))),
    ),
    "convolution and strided 1×1": (
        (3, 5, 5), 4, ("spikes", "spikes"),
        lambda rng: (
            conv(rng, 6, 3, 3, 3, stride=(2, 2), padding=(1, 1, 1, 1)),
            conv(rng, 6, 3, 1, 1, stride=(2, 2)),
        ),
    ),
    "strided, padded on one side": (
        (2, 4, 6), 2, ("spikes", "spikes"),
        lambda rng: (
            conv(rng, 2, 2, 1, 1, stride=(2, 2)),
            conv(rng, 2, 2, 3, 3, stride=(2, 2), padding=(0, 0, 1, 1)),
        ),
    ),
    "convolution, depthwise and identity": (
        (4, 4, 3), 4, ("spikes", "masked", "masked"),
        lambda rng: (
            conv(rng, 4, 4, 1, 1),
            conv(rng, 4, 1, 3, 3, padding=(1, 1, 1, 1), groups=4),
            identity(rng, 4),
        ),
    ),
}  # fmt: skip


def conv(rng: np.random.Generator, *shape: int, **options: Any) -> Conv2d:
    return Conv2d(source="input", weights=weights(rng, *shape), **options)


def identity(rng: np.random.Generator, channels: int) -> Identity:
    return Identity(source="input", weights=weights(rng, channels))


@pytest.mark.parametrize("pipeline", ["alternate", "overlap"])
@pytest.mark.parametrize("schedule", ["time", "row"])
@pytest.mark.parametrize("name", JOINS)
def test_all_projections_of_a_layer_add_up(name: str, schedule: str, pipeline: str) -> None:
    shape, lanes, kinds, make = JOINS[name]
    rng = np.random.default_rng(len(name))
    code, kind = ("radix", "radix") if pipeline == "overlap" else ("rate", "single")
    source = Input(shape=shape, timesteps=3, code=code)
    layer = random_layer(rng, source, make(rng), kind, 3)
    plan, *_ = run(
        layer, source, samples=2, stall=(0.4, 0.4), reset_at=(103,), lanes=lanes,
        scanners=2, pipeline=pipeline, schedule=schedule,
    )  # fmt: skip
    assert tuple(path.kind for path in plan.paths) == kinds


def test_equal_taps_share_their_weights() -> None:
    """A global average: one weight row per channel, independent of the map."""
    rng = np.random.default_rng(4)
    source = Input(shape=(4, 3, 3), timesteps=3)
    taps = np.broadcast_to(weights(rng, 3, 4, 1, 1), (3, 4, 3, 3)).copy()
    layer = random_layer(rng, source, Conv2d(source="input", weights=taps), "radix", 3)
    for schedule in ("time", "row"):
        plan, *_ = run(
            layer, source, samples=4, stall=(0.4, 0.4), lanes=2, scanners=2, schedule=schedule
        )
        (path,) = plan.paths
        assert path.tile == (3, 3)
        assert path.weight_depth == 2 * 2  # two rounds, two channels per scanner
