"""The intermediate representation: a network of integers that all later stages read.

A network is a list of nodes in topological order. Every node sends spike trains of shape
(timesteps, channels, height, width); a flattened one has height = width = 1. The docstrings are
the specification, and :mod:`hwgen.golden` and :mod:`hwgen.rtl` each implement them. Facts that
follow from a code, leak or neuron (levels, bounds, constants) are methods here; no spike is
computed here.
"""

from hwgen.network.checks import MAX_WEIGHT_BITS
from hwgen.network.decision import class_count, decide
from hwgen.network.input import Input
from hwgen.network.inverse_leak import DOUBLE, MAX_LEAK_BITS, NO_LEAK, InverseLeak
from hwgen.network.joined import JoinedTrains
from hwgen.network.network import Network, require_network
from hwgen.network.neuron import FiringConstants, Neuron, ThresholdNeuron
from hwgen.network.nodes import Flatten, Layer, MaxPool2d, Node
from hwgen.network.projections import (
    Conv2d,
    Identity,
    Linear,
    Projection,
    equal_taps,
    stored_weights,
)
from hwgen.network.readouts import Readout, SoftmaxReadout, exponentials
from hwgen.network.summary import LayerSummary, Summary
from hwgen.network.threshold_neurons import (
    HardResetNeuron,
    IntegrateAndFireNeuron,
    InverseLeakyNeuron,
    SoftResetNeuron,
    TimeToFirstSpikeNeuron,
)
from hwgen.network.trains import (
    Code,
    InputCode,
    Integers,
    Pair,
    Quad,
    Shape,
    TrainType,
    value_dtype,
)

__all__ = [
    "DOUBLE", "MAX_LEAK_BITS", "MAX_WEIGHT_BITS", "NO_LEAK", "Code", "Conv2d", "FiringConstants",
    "Flatten", "HardResetNeuron", "Identity", "Input", "InputCode", "Integers",
    "IntegrateAndFireNeuron", "InverseLeak", "InverseLeakyNeuron", "JoinedTrains", "Layer",
    "LayerSummary", "Linear", "MaxPool2d", "Network", "Neuron", "Node", "Pair", "Projection",
    "Quad", "Readout", "Shape", "SoftResetNeuron", "SoftmaxReadout", "Summary", "ThresholdNeuron",
    "TimeToFirstSpikeNeuron", "TrainType", "class_count", "decide", "equal_taps", "exponentials",
    "require_network", "stored_weights", "value_dtype",
]  # fmt: skip
