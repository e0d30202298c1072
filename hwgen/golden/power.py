"""The power that a network would take on neuromorphic circuits: an estimate with a formula."""

from __future__ import annotations

from hwgen.golden.costs import connections
from hwgen.network import Network

SYNAPSE_ENERGY_J = 0.37e-12
"""α, joules a synapse and image: 0.37 pJ (Cruz-Albrecht et al.). Feedback thresholds, which cites
it, has "0.37 mJ" in print; the result of its Eq. 10 is that of 0.37 pJ."""


def synapse_count(network: Network) -> int:
    """Connections of all layers; those that share a weight are counted one by one."""
    train_types = network.train_types
    return sum(connections(layer, train_types[layer.name].shape) for layer in network.layers)


def power_estimate(
    synapses: float, images_per_second: float, *, synapse_energy_j: float = SYNAPSE_ENERGY_J
) -> float:
    """Watts: P = synapses · images a second · α (feedback thresholds, Eq. 9 – 10).

    It takes each synapse to be used once an image, and nothing else to take power. With the
    synaptic operations of an image (:class:`hwgen.golden.Result`) in place of ``synapses`` it is
    the same estimate for the spikes that there are, in all timesteps.

    Parameters
    ----------
    synapses : float
        Synapses that are used for an image.
    images_per_second : float
        Hz.
    synapse_energy_j : float
        α in joules.

    Raises
    ------
    ValueError
        One of them is negative.
    """
    if min(synapses, images_per_second, synapse_energy_j) < 0:
        raise ValueError(
            f"synapses, images_per_second and synapse_energy_j must not be negative, but are "
            f"{synapses}, {images_per_second} and {synapse_energy_j}"
        )
    return synapses * images_per_second * synapse_energy_j
