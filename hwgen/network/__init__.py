"""The network of integers that everything downstream reads: layers, projections and neurons.

A network is a list of nodes in topological order. Every node gives spike trains of shape
(timesteps, channels, height, width); a flattened one has height = width = 1. Nothing here
computes a spike: :mod:`hwgen.golden` and :mod:`hwgen.rtl` each implement the docstrings.
"""

from hwgen.network.checks import MAX_WEIGHT_BITS
from hwgen.network.inputs import INPUT_CODES, Input
from hwgen.network.inverse_leak import DOUBLE, MAX_LEAK_BITS, InverseLeak
from hwgen.network.network import Network
from hwgen.network.neurons import (
    Decoder,
    HardResetNeuron,
    InverseLeakyNeuron,
    Neuron,
    Readout,
    SinglePhase,
    SoftResetNeuron,
    TimeToFirstSpikeNeuron,
    TwoPhase,
)
from hwgen.network.nodes import Flatten, Layer, MaxPool2d, Node
from hwgen.network.projections import Conv2d, Identity, Linear, Projection
from hwgen.network.softmax import SoftmaxReadout, exponentials
from hwgen.network.train_type import CODES, MAX_TIMESTEPS, Pair, Shape, TrainType, code_max

__all__ = [
    "CODES",
    "DOUBLE",
    "INPUT_CODES",
    "MAX_LEAK_BITS",
    "MAX_TIMESTEPS",
    "MAX_WEIGHT_BITS",
    "Conv2d",
    "Decoder",
    "Flatten",
    "HardResetNeuron",
    "Identity",
    "Input",
    "InverseLeakyNeuron",
    "Layer",
    "InverseLeak",
    "Linear",
    "MaxPool2d",
    "Network",
    "Neuron",
    "Node",
    "Pair",
    "Projection",
    "Readout",
    "Shape",
    "TrainType",
    "SinglePhase",
    "SoftResetNeuron",
    "SoftmaxReadout",
    "TimeToFirstSpikeNeuron",
    "TwoPhase",
    "code_max",
    "exponentials",
]
