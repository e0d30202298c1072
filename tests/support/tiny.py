"""Networks of one or two neurons, for hand-computed vectors."""

from __future__ import annotations

import numpy as np

from hwgen.network import (
    Conv2d,
    Flatten,
    Input,
    Layer,
    Linear,
    Network,
    Neuron,
    Node,
    Readout,
)


def ints(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def one_neuron(
    neuron: Neuron, *, weight: int, bias: int, timesteps: int, code: str, pixel_bits: int
) -> Network:
    """One pixel, one neuron "n", and a readout that passes q on as the logit."""
    return Network(
        name="tiny",
        input=Input(shape=(1, 1, 1), timesteps=timesteps, code=code, pixel_bits=pixel_bits),
        nodes=(
            layer("n", "input", [[weight]], [bias], neuron),
            layer("out", "n", [[1]], [0], Readout()),
        ),
    )


def layer(name: str, source: str, weights: object, bias: object, neuron: Neuron) -> Layer:
    return Layer(
        name=name,
        projections=(Linear(source=source, weights=np.array(weights, dtype=np.int32)),),
        bias=np.array(bias, dtype=np.int64),
        neuron=neuron,
    )


def readout_of(conv: Conv2d, shape: tuple[int, int, int], timesteps: int = 2, **options: object):
    """A convolution "c" with thresholds of 1; each of its values becomes one logit."""
    from hwgen.network import InverseLeakyNeuron

    channels = conv.weights.shape[0]
    source = Input(shape=shape, timesteps=timesteps, **{"pixel_bits": timesteps, **options})
    neuron = InverseLeakyNeuron(threshold=np.ones(channels, dtype=np.int64), timesteps=8)
    _, height, width = conv.output_shape(shape)
    size = channels * height * width
    nodes: tuple[Node, ...] = (
        Layer(name="c", projections=(conv,), bias=np.zeros(channels, np.int64), neuron=neuron),
        Flatten(name="f", source="c"),
        layer("out", "f", np.eye(size), np.zeros(size), Readout()),
    )
    return Network(name="conv", input=source, nodes=nodes)
