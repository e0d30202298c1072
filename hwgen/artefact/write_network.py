"""From a network to the document of ``network.yaml`` and its arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from hwgen.artefact.schema import FORMAT
from hwgen.errors import ArtefactError
from hwgen.network import (
    Conv2d,
    Flatten,
    HardResetNeuron,
    Identity,
    InverseLeakyNeuron,
    Layer,
    Linear,
    MaxPool2d,
    Network,
    Neuron,
    Node,
    Projection,
    Readout,
    SoftmaxReadout,
    SoftResetNeuron,
    TimeToFirstSpikeNeuron,
)


class Arrays:
    """Collects arrays and gives each its index; each is held in the smallest type that fits."""

    def __init__(self) -> None:
        self.items: list[np.ndarray] = []

    def add(self, array: np.ndarray) -> int:
        names = ("u1", "u2") if array.dtype.kind == "u" else ("i1", "i2", "i4", "i8")
        low, high = int(array.min()), int(array.max())
        for name in names:
            kind = np.iinfo(name)
            if kind.min <= low and high <= kind.max:
                break
        self.items.append(np.ascontiguousarray(array, dtype=f"<{name}"))
        return len(self.items) - 1

    def add_optional(self, array: np.ndarray | None) -> int | None:
        return None if array is None else self.add(array)


def describe(network: Network, arrays: Arrays) -> dict[str, Any]:
    """The document of ``network`` without ``sha256`` and ``arrays``, which are filled in there."""
    source = network.input
    return {
        "format": FORMAT,
        "version": version_of(network),
        "name": network.name,
        "input": {
            "name": source.name,
            "shape": list(source.shape),
            "timesteps": source.timesteps,
            "code": str(source.code),
            "pixel_bits": source.pixel_bits,
            "gain": source.gain,
            "seed": source.seed,
        },
        "nodes": [_describe_node(node, arrays) for node in network.nodes],
        "probe": arrays.add_optional(network.probe),
        "provenance": dict(network.provenance),
    }


def version_of(network: Network) -> int:
    """The oldest version of the format that holds ``network``."""
    neurons = [layer.neuron for layer in network.layers]
    leaks = [neuron.leak for neuron in neurons if isinstance(neuron, InverseLeakyNeuron)]
    return 1 if all(leak.doubles for leak in leaks) else 2


def _describe_node(node: Node, arrays: Arrays) -> dict[str, Any]:
    match node:
        case Layer():
            return {
                "kind": "layer",
                "name": node.name,
                "projections": [_describe_projection(item, arrays) for item in node.projections],
                "bias": arrays.add(node.bias),
                "neuron": _describe_neuron(node.neuron, arrays),
            }
        case MaxPool2d():
            return {
                "kind": "max_pool2d",
                "name": node.name,
                "source": node.source,
                "kernel": list(node.kernel),
                "stride": list(node.stride),
                "padding": list(node.padding),
            }
        case Flatten():
            return {"kind": "flatten", "name": node.name, "source": node.source}


def _describe_projection(projection: Projection, arrays: Arrays) -> dict[str, Any]:
    common = {"source": projection.source, "weights": arrays.add(projection.weights)}
    match projection:
        case Conv2d():
            return {
                "kind": "conv2d",
                **common,
                "stride": list(projection.stride),
                "padding": list(projection.padding),
                "groups": projection.groups,
                "pad_value": arrays.add_optional(projection.pad_value),
            }
        case Linear():
            return {"kind": "linear", **common}
        case Identity():
            return {"kind": "identity", **common}


def _describe_neuron(neuron: Neuron, arrays: Arrays) -> dict[str, Any]:
    match neuron:
        case InverseLeakyNeuron():
            leak = neuron.leak
            return {
                "kind": "inverse_leaky",
                "threshold": arrays.add(neuron.threshold),
                "timesteps": neuron.timesteps,
                "threshold_frac_bits": neuron.threshold_frac_bits,
                **({} if leak.doubles else {"leak": [leak.n, leak.m]}),
            }
        case SoftResetNeuron():
            return {
                "kind": "soft_reset",
                "threshold": arrays.add(neuron.threshold),
                "timesteps": neuron.timesteps,
                "two_phase": neuron.two_phase,
                "initial": arrays.add_optional(neuron.initial),
                "floor": arrays.add_optional(neuron.floor),
                "threshold_frac_bits": neuron.threshold_frac_bits,
            }
        case HardResetNeuron():
            return {
                "kind": "hard_reset",
                "threshold": arrays.add(neuron.threshold),
                "timesteps": neuron.timesteps,
                "reset": arrays.add_optional(neuron.reset),
                "initial": arrays.add_optional(neuron.initial),
                "floor": arrays.add_optional(neuron.floor),
            }
        case TimeToFirstSpikeNeuron():
            return {
                "kind": "time_to_first_spike",
                "threshold": arrays.add(neuron.threshold),
                "timesteps": neuron.timesteps,
                "threshold_frac_bits": neuron.threshold_frac_bits,
            }
        case Readout():
            bits = neuron.frac_bits
            return {"kind": "read_out", **({"frac_bits": bits} if bits else {})}
        case SoftmaxReadout():
            return {
                "kind": "softmax_read_out",
                "timesteps": neuron.timesteps,
                "shift": neuron.shift,
                "table": arrays.add(neuron.table),
                "random_bits": neuron.random_bits,
                "seed": neuron.seed,
            }
    raise ArtefactError(f"neurons of {type(neuron).__name__} cannot be saved")
