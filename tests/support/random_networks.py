"""Random legal networks and images from a seed, small enough for RTL simulation.

Independent of :mod:`hwgen.golden`.
"""

from __future__ import annotations

import numpy as np

from hwgen.network import Network
from tests.support.random_blocks import BlockBuilder
from tests.support.random_values import random_pixels

DECODERS = ("membrane", "softmax", "spike_count", "first_spike")
KINDS = ("radix", "rate_single", "rate_two", None, "ttfs", "rate_hard", "fractional")


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
    """Random legal network; equal arguments give equal networks.

    Parameters
    ----------
    seed : int
    neuron : "radix", "rate_two", "rate_single", "rate_hard", "ttfs", "fractional", or None
        Neuron type of every layer; None mixes types where that is legal. "fractional" means
        inverse-leaky neurons with k < 2, sometimes with k = 2 among them.
    residual : bool
        Adds blocks whose paths split and join, depthwise convolutions, and averaging heads.
    decoder : of DECODERS
        Output decoder.
    code : "direct", "events" or None
        Input code; None draws another one at random. "direct" needs ``neuron`` "rate_single" or
        "rate_hard"; "events" also takes "rate_two" and None.
    max_timesteps, max_size, max_channels : int
        Upper limits for every train, for each side of a map, and for every layer.
    """
    rng = np.random.default_rng([seed, KINDS.index(neuron), residual])
    builder = BlockBuilder(rng, neuron, max_timesteps, max_size, max_channels, code)
    builder.decoder = decoder
    if code is not None and rng.random() < 0.2:
        builder.add_pool()
    if code == "direct" and residual:  # a constant current cannot join a train
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
    """``n`` images for ``network``: noise, smooth gradients, and sometimes all black or white."""
    return random_pixels(np.random.default_rng([seed, 1]), network.input, n)
