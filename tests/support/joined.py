"""Networks with a layer that adds trains of unlike lengths."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hwgen.network import (
    Identity,
    Input,
    Layer,
    Linear,
    Network,
    Neuron,
    Readout,
)
from tests.support.tiny import ints


def joined(
    senders: Sequence[Neuron],
    weights: Sequence[int],
    *,
    bias: int,
    neuron: Neuron,
    pixel_bits: int = 4,
) -> Network:
    """A sender "s0", "s1", … for each pixel, "add", which sums their trains, and "out"."""
    pick = np.eye(len(senders), dtype=np.int32)
    layers = [
        Layer(
            name=f"s{n}",
            projections=(Linear(source="input", weights=pick[[n]]),),
            bias=ints(0),
            neuron=sender,
        )
        for n, sender in enumerate(senders)
    ]
    projections = tuple(
        Identity(source=f"s{n}", weights=np.array([weight], dtype=np.int32))
        for n, weight in enumerate(weights)
    )
    ones = np.ones((1, 1), dtype=np.int32)
    return Network(
        name="joined",
        input=Input(shape=(len(senders), 1, 1), timesteps=pixel_bits, pixel_bits=pixel_bits),
        nodes=(
            *layers,
            Layer(name="add", projections=projections, bias=ints(bias), neuron=neuron),
            Layer(
                name="out",
                projections=(Linear(source="add", weights=ones),),
                bias=ints(0),
                neuron=Readout(),
            ),
        ),
    )


def adds_unlike_trains(network: Network) -> bool:
    """Whether a layer reads trains of several lengths."""
    types = network.train_types
    return any(len({types[name].steps for name in node.sources}) > 1 for node in network.layers)
