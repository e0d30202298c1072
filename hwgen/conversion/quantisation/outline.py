"""Outline of the integer network: every node with its trains, before there are any numbers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hwgen.conversion.calibration.input_decoding import Decoding, make_input
from hwgen.conversion.choices import DecoderKind
from hwgen.conversion.float_graph import (
    FloatFlatten,
    FloatGraph,
    FloatMaxPool,
    FloatNode,
    FloatProjection,
)
from hwgen.conversion.options import Options
from hwgen.conversion.quantisation.decoders import with_firing_end
from hwgen.conversion.quantisation.integers import MIN_THRESHOLD, Quantised
from hwgen.conversion.quantisation.neuron import make_neuron
from hwgen.conversion.quantisation.projections import integer_projection
from hwgen.errors import ConversionError, NetworkError
from hwgen.network import (
    Flatten,
    Layer,
    MaxPool2d,
    Neuron,
    Node,
    Projection,
    Readout,
    SoftmaxReadout,
    TrainType,
    exponentials,
)
from hwgen.network.verify import infer_node


def require_legal_trains(graph: FloatGraph, options: Options) -> None:
    """Raise :class:`.ConversionError` if a layer could not read the trains of its sources.

    The rules are the network's own; this finds a broken one before any calibration.
    """
    source = make_input(graph, options)
    types: dict[str, TrainType] = {source.name: source.train_type}
    ending = with_firing_end(graph) if options.decoder.fires else graph
    for node in ending.nodes:
        try:
            types[node.name] = infer_node(_outline(node, types, options), types, where=node.name)
        except NetworkError as error:
            raise ConversionError(f"the model gives no legal network: {error}") from error


def _outline(node: FloatNode, types: Mapping[str, TrainType], options: Options) -> Node:
    """Integer node of the shapes and trains of ``node``, with weights of 1."""
    if isinstance(node, FloatMaxPool):
        return MaxPool2d(**vars(node))
    if isinstance(node, FloatFlatten):
        return Flatten(name=node.name, source=node.source)
    projections = tuple(_projection(item, types[item.source]) for item in node.projections)
    zeros = np.zeros(len(node.bias))
    bias = zeros.astype(np.int64)
    neuron: Neuron = Readout()
    if node.fires:
        threshold = np.full(len(zeros), MIN_THRESHOLD)
        form = Quantised(weights=(), scale=zeros + 1, threshold=threshold)
        neuron, bias = make_neuron(node.name, form, zeros, bias, options)
    elif options.decoder is DecoderKind.SOFTMAX:
        steps = max(types[name].steps for name in node.sources)
        neuron = SoftmaxReadout(timesteps=steps, shift=0, table=exponentials(1.0))
    return Layer(name=node.name, projections=projections, bias=bias, neuron=neuron)


def _projection(projection: FloatProjection, given: TrainType) -> Projection:
    ones = np.ones(given.shape[0])
    weights = np.broadcast_to(np.int32(1), projection.weights.shape)
    decoding = Decoding(scale=ones, offset=0 * ones)
    return integer_projection(projection, weights, decoding, given.q_max)
