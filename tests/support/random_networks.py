"""Small legal networks and images at random, the same for the same seed, small enough for RTL.

Nothing here comes from :mod:`hwgen.golden`.
"""

from __future__ import annotations

import numpy as np

from hwgen.network import Network
from tests.support.random_blocks import BlockBuilder
from tests.support.random_values import random_pixels

DECODERS = ("membrane", "softmax", "spike_count", "first_spike")
KINDS = ("radix", "rate_single", "rate_two", None, "ttfs", "rate_hard", "leaky")


def random_network(
    seed: int,
    *,
    neuron: str | None = None,
    residual: bool = False,
    decoder: str = "membrane",
    code: str | None = None,
    max_timesteps: int = 6,
    max_size: int = 9,
    max_channels: int = 12,
) -> Network:
    """A legal network.

    Parameters
    ----------
    seed : int
    neuron : "radix", "rate_two", "rate_single", "rate_hard", "ttfs", "leaky", or None
        The neuron of every layer; None mixes them where that is legal. "leaky" has leaks k < 2,
        now and then one of 2 among them.
    residual : bool
        Blocks whose paths part and join, depthwise convolutions, heads that take an average.
    decoder : of DECODERS
        What the logits are.
    code : "direct", "events" or None
        Of the input, where it is not chosen by chance among the others; "direct" goes with
        "rate_single" and "rate_hard", "events" with these, "rate_two" and None.
    max_timesteps, max_size, max_channels : int
        Of every train, side of a map, and layer.
    """
    rng = np.random.default_rng([seed, KINDS.index(neuron), residual])
    builder = BlockBuilder(rng, neuron, max_timesteps, max_size, max_channels, code)
    builder.decoder = decoder
    if code is not None and rng.random() < 0.2:
        builder.add_pool()
    if code == "direct" and residual:  # a constant current and trains do not meet
        builder.add_conv(first=True)
    for index in range(int(rng.integers(1 if residual else 0, 4))):
        if residual and rng.random() < 0.7:
            builder.add_block()
        else:
            builder.add_conv(first=index == 0)
        if rng.random() < 0.4:
            builder.add_pool()
    if residual and rng.random() < 0.4:
        builder.add_average()
    else:
        builder.add_head()
    network = Network(
        name=f"random_{seed}",
        input=builder.input,
        nodes=tuple(builder.nodes),
        provenance={"seed": seed},
        probe=builder.images,
    )
    network.verify()
    return network


def random_images(seed: int, network: Network, n: int) -> np.ndarray:
    """``n`` images for ``network``: noise, smooth ramps, and sometimes all black or white."""
    return random_pixels(np.random.default_rng([seed, 1]), network.input, n)
