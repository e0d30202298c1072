"""Plans of input encoders."""

from __future__ import annotations

import numpy as np

from hwgen.network import Conv2d, Flatten, Input, Layer, Linear, Network, Node, Readout
from hwgen.plan.assembly import make_plan
from hwgen.plan.units.encoder import EncoderPlan
from hwgen.plan.units.options import PlanOptions


def encoder_plan(
    source: Input, layout: str, input_width: int, schedule: str = "time"
) -> EncoderPlan:
    """Encoder of a network whose first layer is linear ("raster") or a convolution."""
    channels, height, width = source.shape
    if layout == "raster":
        size = channels * height * width
        linear = Linear(source="flat", weights=np.ones((1, size), np.int32))
        nodes: tuple[Node, ...] = (Flatten(name="flat", source="input"), _readout(linear))
    else:
        conv = Conv2d(source="input", weights=np.ones((1, channels, height, width), np.int32))
        nodes = (_readout(conv),)
    network = Network(name="n", input=source, nodes=nodes)
    return make_plan(network, PlanOptions(input_width=input_width, schedule=schedule)).encoder


def _readout(projection: Linear | Conv2d) -> Layer:
    bias = np.zeros(1, dtype=np.int64)
    return Layer(name="out", projections=(projection,), bias=bias, neuron=Readout())
