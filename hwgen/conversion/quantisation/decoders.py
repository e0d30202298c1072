"""What stands behind the last layer: counts and first spikes, or a softmax of membranes.

Counts and first spikes take no unit of their own: the last layer becomes one that fires, all its
classes with one output scale, through a ReLU, so that classes whose logit is not positive stay
silent. Behind it stands a read-out with an identity of weight 1, whose membranes are the values q
of the trains: the number of spikes of rate trains, and T + 1 − t* of ttfs trains, 0 for none. Where
all classes are silent all are equal, and the class is the first one.

A spiking softmax is one of the membranes themselves (Rueckauer et al., 2017; thReLU report, 3.1.4),
in units in which a spike in every timestep is the activation: then a timestep adds its share of
evidence, as large as the logits z on average, so that in timestep t

    p = softmax(V·s·T / temperature) ≈ softmax(t·z / temperature)

where s is what a membrane unit is of the logits once all T steps are in. With the temperature 1
this is Rueckauer's, soft at first and then ever harder; with T it ends at the float model's own.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from hwgen.conversion.float_graph import FloatGraph, Population
from hwgen.network import Identity, Layer, Readout, SoftmaxReadout, exponentials

_REACH = math.log(2 * 65535)  # from there on the table's entries round to 0
_STEPS = 255


def with_firing_end(graph: FloatGraph) -> FloatGraph:
    """The graph whose last layer fires."""
    *nodes, last = graph.nodes
    assert isinstance(last, Population)
    return replace(graph, nodes=(*nodes, replace(last, fires=True)))


def read_values(layer: Layer, taken: set[str]) -> Layer:
    """The read-out of the values of ``layer``; ``taken`` are the names of all nodes."""
    name = "decoder"
    while name in taken:
        name += "_"
    ones = np.ones(len(layer.bias), dtype=np.int32)
    return Layer(
        name=name,
        projections=(Identity(source=layer.name, weights=ones),),
        bias=np.zeros(len(ones), dtype=np.int64),
        neuron=Readout(),
    )


def softmax_of(scale: float, timesteps: int, temperature: float) -> tuple[SoftmaxReadout, float]:
    """The spiking softmax of membranes of which a unit is ``scale`` of the logits, and what a step
    of its table is of the softmax's argument: the finest one with which 256 reach far enough."""
    unit = scale * timesteps / temperature
    shift = min(62, max(0, math.ceil(math.log2(_REACH / (_STEPS * unit)))))
    step = unit * 2.0**shift
    table = exponentials(step)
    return SoftmaxReadout(timesteps=timesteps, shift=shift, table=table), step
