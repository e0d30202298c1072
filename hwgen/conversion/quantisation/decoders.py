"""Decoders of the last layer: membranes, spike counts, first spikes, or a spiking softmax.

Counts and first spikes need no hardware of their own: the last layer fires, with one output scale
for all classes and a ReLU, so that classes whose logit is not positive stay silent. It is followed
by a readout with an identity of weight 1, whose membranes are the values q of the trains: the
number of spikes of a rate train, and T + 1 − t* of a ttfs train, 0 for none. If all classes are
silent, the first one wins.

A spiking softmax is that of the membranes (Rueckauer et al., 2017; thReLU report, 3.1.4), in units
in which a spike in every timestep is the activation. Each timestep adds its share of evidence, on
average the logits z, so that in timestep t::

    p = softmax(V·s·T / temperature) ≈ softmax(t·z / temperature)

where s is the real value of a membrane unit after all T steps. Temperature 1 is Rueckauer's: soft
at first, then ever harder; with temperature T the last timestep has the float model's softmax.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from hwgen.caution import warn
from hwgen.conversion.calibration.known import Known
from hwgen.conversion.calibration.levels import readout_bits
from hwgen.conversion.choices import DecoderKind
from hwgen.conversion.float_graph import FloatGraph, Population
from hwgen.conversion.options import Options
from hwgen.conversion.provenance import Figures
from hwgen.conversion.quantisation.neuron import whole_numbers
from hwgen.errors import ConversionError
from hwgen.network import Identity, Layer, Projection, Readout, SoftmaxReadout, exponentials

_REACH = math.log(2 * 65535)  # from there on the table's entries round to 0
_STEPS = 255


def with_firing_end(graph: FloatGraph) -> FloatGraph:
    """The graph whose last layer fires."""
    *nodes, last = graph.nodes
    assert isinstance(last, Population)
    if len(last.bias) == 1:
        warn(
            f"{last.name}: the single logit fires from about half a spike's value on, so small "
            f"positive logits give class 0; use decoder 'membrane', which decides at 0"
        )
    return replace(graph, nodes=(*nodes, replace(last, fires=True)))


def read_values(layer: Layer, taken: set[str]) -> Layer:
    """Readout of the values of ``layer``; its name is none of ``taken``."""
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


def make_readout(
    node: Population,
    projections: tuple[Projection, ...],
    units: np.ndarray,
    loss: float,
    known: Known,
    figures: Figures,
    options: Options,
) -> Layer:
    """The last layer: membranes as logits, or a softmax that draws spikes.

    ``units`` (channels,) is the bias in membrane units, ``loss`` the mean loss by rounding in units
    of the membrane's fraction. The ``logit_scale`` of ``figures`` is that of a membrane unit, and
    becomes that of a logit; the counts of a softmax have none.
    """
    assert figures.logit_scale is not None
    if options.decoder is DecoderKind.SOFTMAX and len(units) == 1:
        raise ConversionError(
            f"{node.name}: a spiking softmax of a single logit always spikes; use decoder "
            f"'membrane', or a model with one logit per class"
        )
    largest = max(known.q_max[name] for name in node.sources)
    if options.decoder is DecoderKind.SOFTMAX:
        timesteps = int(largest)  # of a rate train
        softmax, figures.softmax_step = softmax_of(
            figures.logit_scale, timesteps, options.temperature
        )
        figures.logit_scale = None
        bias = whole_numbers(units / timesteps, node.name)  # its share in every timestep
        return Layer(name=node.name, projections=projections, bias=bias, neuron=softmax)
    fractional = any(known.decodings[name].levels is not None for name in node.sources)
    fractions = readout_bits(largest) if fractional else 0
    figures.logit_scale /= 1 << fractions
    return Layer(
        name=node.name,
        projections=projections,
        bias=whole_numbers(units * (1 << fractions) + loss, node.name),
        neuron=Readout(frac_bits=fractions),
    )


def softmax_of(scale: float, timesteps: int, temperature: float) -> tuple[SoftmaxReadout, float]:
    """The spiking softmax for membranes of real unit ``scale``, and the step of its table.

    The step, in units of the softmax's argument, is the finest with which 256 entries reach far
    enough.
    """
    unit = scale * timesteps / temperature
    shift = min(62, max(0, math.ceil(math.log2(_REACH / (_STEPS * unit)))))
    step = unit * 2.0**shift
    table = exponentials(step)
    return SoftmaxReadout(timesteps=timesteps, shift=shift, table=table), step
