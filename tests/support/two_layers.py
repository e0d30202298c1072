"""Two consecutive layers of the same shape, with trains that a test sets directly."""

from __future__ import annotations

import numpy as np

from hwgen.network import (
    Conv2d,
    Flatten,
    Input,
    InverseLeakyNeuron,
    Layer,
    Linear,
    Network,
    Readout,
)

CHANNELS, SIZE, STEPS = 8, 8, 2


def network() -> Network:
    """8 channels of 8×8 pixels through the pointwise layers "quiet" and "busy" into 2 classes."""
    rng = np.random.default_rng(7)

    def pointwise(name: str, source: str) -> Layer:
        weights = rng.integers(-7, 8, (CHANNELS, CHANNELS, 1, 1)).astype(np.int32)
        return Layer(
            name=name,
            projections=(Conv2d(source=source, weights=weights),),
            bias=np.zeros(CHANNELS, np.int64),
            neuron=InverseLeakyNeuron(threshold=np.full(CHANNELS, 20), timesteps=STEPS),
        )

    features = CHANNELS * SIZE * SIZE
    head = Linear(source="flat", weights=rng.integers(-7, 8, (2, features)).astype(np.int32))
    return Network(
        name="two",
        input=Input(shape=(CHANNELS, SIZE, SIZE), timesteps=STEPS),
        nodes=(
            pointwise("quiet", "input"),
            pointwise("busy", "quiet"),
            Flatten(name="flat", source="busy"),
            Layer(name="fc", projections=(head,), bias=np.zeros(2, np.int64), neuron=Readout()),
        ),
    )


def trains(**set_channels: int) -> dict[str, np.ndarray]:
    """Trains of one sample: the first n channels of each named node spike everywhere and always."""
    made = {}
    for node in ("input", "quiet", "busy"):
        made[node] = np.zeros((1, STEPS, CHANNELS, SIZE, SIZE), dtype=np.uint8)
        made[node][:, :, : set_channels.get(node, 0)] = 1
    return made
