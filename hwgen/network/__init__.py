"""The network of integers that everything downstream reads: layers, projections and neurons.

A network is a list of nodes in topological order. Every node gives spike trains of shape
(timesteps, channels, height, width); a flattened one has height = width = 1. Nothing here
computes a spike: :mod:`hwgen.golden` and :mod:`hwgen.rtl` each implement the docstrings.
"""

from hwgen.network.checks import MAX_WEIGHT_BITS
from hwgen.network.inputs import INPUT_CODES, Input
from hwgen.network.leaks import DOUBLE, MAX_LEAK_BITS, Leak
from hwgen.network.neurons import (
    Decoder,
    HardResetNeuron,
    InverseLeakyNeuron,
    Neuron,
    ReadOut,
    SinglePhase,
    SoftResetNeuron,
    TimeToFirstSpikeNeuron,
    TwoPhase,
)
from hwgen.network.nodes import Flatten, Layer, MaxPool2d, Node
from hwgen.network.projections import Conv2d, Identity, Linear, Projection
from hwgen.network.signals import CODES, MAX_TIMESTEPS, Pair, Shape, Signal, code_max
from hwgen.network.softmax import SoftmaxReadOut, exponentials
from hwgen.network.whole import Network

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
    "Leak",
    "Linear",
    "MaxPool2d",
    "Network",
    "Neuron",
    "Node",
    "Pair",
    "Projection",
    "ReadOut",
    "Shape",
    "Signal",
    "SinglePhase",
    "SoftResetNeuron",
    "SoftmaxReadOut",
    "TimeToFirstSpikeNeuron",
    "TwoPhase",
    "code_max",
    "exponentials",
]
