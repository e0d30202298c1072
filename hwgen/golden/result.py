"""What a run of the golden model gives."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True, kw_only=True, eq=False)
class Result:
    """Spikes and logits of N images; maps of one node have shape (channels, height, width).

    Parameters
    ----------
    classes : int64 array, shape (N,)
        Arg-max of the logits; the lowest index wins a tie.
    logits : int64 array, shape (N, classes)
        Membranes of the read-out in units of 2^−frac_bits, or counts of a spiking softmax.
    spikes : node → int64 array, shape (N,)
        Spikes that the node sends: the input, every layer but the read-out, pools and flattens.
    neurons : node → int
        Neurons, or pixels, of each of these nodes.
    synaptic_operations : layer → int64 array, shape (N,)
        Additions that spikes trigger in the layer (SpikeConverter, Eq. 14; ECC, Eq. 14).
    mac_operations : layer → int
        Operations of the same layer in a CNN, for one image (ECC, Eq. 13).
    values : node → int32 array, shape (N, channels, height, width)
        q of the trains (:data:`hwgen.network.CODES`). With ``trains=True`` only, as what follows.
    trains : node → uint8 array, shape (N, T, channels, height, width)
    membranes : layer → int64 array, shape (N, channels, height, width)
        V when Phase I closes, before the clamp, in units of 2^−threshold_frac_bits; the logits of
        a read-out; what the last step leaves in a single-phase neuron or a spiking softmax.
    """

    classes: np.ndarray
    logits: np.ndarray
    spikes: dict[str, np.ndarray]
    neurons: dict[str, int]
    synaptic_operations: dict[str, np.ndarray]
    mac_operations: dict[str, int]
    values: dict[str, np.ndarray] = field(default_factory=dict)
    trains: dict[str, np.ndarray] = field(default_factory=dict)
    membranes: dict[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.classes)

    def spikes_per_neuron(self, node: str) -> float:
        """Mean spikes of a neuron of ``node`` for one image."""
        return float(self.spikes[node].mean()) / self.neurons[node]
