"""Rules of a network, checked node by node while the types of its trains are inferred."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from hwgen.errors import NetworkError
from hwgen.network.checks import require, require_integers, require_text, require_windows
from hwgen.network.joined import JoinedTrains
from hwgen.network.network import Network
from hwgen.network.nodes import Flatten, Layer, MaxPool2d
from hwgen.network.trains import TrainType


def infer_train_types(network: Network) -> dict[str, TrainType]:
    """TrainType of each node by name; raises :class:`.NetworkError` at the first broken rule."""
    source = network.input
    for name in (network.name, source.name):
        require(
            isinstance(name, str) and bool(name),
            f"a network and its input need names that are not empty, not {name!r}",
        )
        require_text(name)
    source.verify()
    train_types = {source.name: source.train_type}
    require(bool(network.nodes), f"{network.name}: a network needs at least one layer")
    used: set[str] = set()
    for node in network.nodes:
        where = f"{network.name}.{node.name}"
        require(
            isinstance(node.name, str) and bool(node.name) and node.name not in train_types,
            f"{where}: node names must be unique and not empty",
        )
        require_text(node.name)
        for name in node.sources:
            require(
                name in train_types,
                f"{where}: source {name!r} must be an earlier node; available: "
                f"{', '.join(train_types)}",
            )
            used.add(name)
        train_types[node.name] = infer_node(node, train_types, where=where)
    _verify_ends(network, set(train_types) - used)
    _verify_probe(network)
    return train_types


def infer_node(
    node: Layer | MaxPool2d | Flatten, train_types: Mapping[str, TrainType], *, where: str
) -> TrainType:
    """Type of the trains that ``node`` sends; ``train_types`` are those of its sources, by name."""
    match node:
        case Layer():
            return _infer_layer(node, train_types, where=where)
        case MaxPool2d():
            return _infer_pool(node, train_types[node.source], where=where)
        case Flatten():
            given = train_types[node.source]
            return replace(given, shape=node.output_shape(given.shape))
    raise NetworkError(f"{where}: unknown kind of node {type(node).__name__}")


def _infer_layer(layer: Layer, train_types: Mapping[str, TrainType], *, where: str) -> TrainType:
    require(bool(layer.projections), f"{where}: a layer needs at least one projection")
    for projection in layer.projections:
        given = train_types[projection.source]
        projection.verify(given.shape, given.q_max, where=where)
    joined = JoinedTrains.of(layer, train_types)
    _verify_joined(joined, layer, where=where)
    shapes = {p.output_shape(train_types[p.source].shape) for p in layer.projections}
    require(len(shapes) == 1, f"{where}: projections give different shapes {sorted(shapes)}")
    shape = shapes.pop()
    require_integers(layer.bias, 1, where=where, what="bias", bits=48)
    require(
        layer.bias.shape == shape[:1],
        f"{where}: {layer.bias.size} biases do not fit {shape[0]} channels",
    )
    if layer.neuron.is_decoder:
        require(
            shape[1:] == (1, 1),
            f"{where}: the readout must give one value per class, but its map is "
            f"{shape[1]}×{shape[2]}; flatten before it",
        )
    layer.neuron.verify(shape[0], joined.longest, where=where)
    return layer.neuron.train_type(shape, joined.longest)


def _verify_joined(joined: JoinedTrains, layer: Layer, *, where: str) -> None:
    """Trains add up in one membrane if it decodes all of them alike."""
    codes = {given.label for given in joined.types}
    require(
        len(codes) == 1,
        f"{where}: all projections must bring trains of one code, not {', '.join(sorted(codes))}",
    )
    leaks = {given.leak.k for given in joined.types}
    require(
        len(leaks) == 1,
        f"{where}: all projections must bring trains of one leak, not k = {sorted(leaks)}",
    )
    lengths = sorted({given.steps for given in joined.types})
    require(
        len(lengths) == 1 or layer.neuron.two_phase,
        f"{where}: trains of {' and '.join(map(str, lengths))} timesteps add up only in two-phase "
        f"neurons, which decode whole trains before they fire; give all sources of a single-phase "
        f"neuron the same timesteps",
    )


def _infer_pool(pool: MaxPool2d, given: TrainType, *, where: str) -> TrainType:
    require(
        min(*pool.kernel, *pool.stride) >= 1,
        f"{where}: kernel and stride must be positive, not {pool.kernel} and {pool.stride}",
    )
    require_windows(given.shape, pool.kernel, pool.padding, source=pool.source, where=where)
    return replace(given, shape=pool.output_shape(given.shape))


def _verify_ends(network: Network, unused: set[str]) -> None:
    last = network.nodes[-1]
    require(
        isinstance(last, Layer) and last.neuron.is_decoder,
        f"{network.name}.{last.name}: the last node must be a layer with a Readout or a "
        f"SoftmaxReadout",
    )
    for layer in network.layers:
        require(
            layer is last or not layer.neuron.is_decoder,
            f"{network.name}.{layer.name}: only the last layer may be a Readout or a "
            f"SoftmaxReadout",
        )
    extra = sorted(unused - {last.name})
    require(not extra, f"{network.name}: nothing reads the output of {', '.join(extra)}")


def _verify_probe(network: Network) -> None:
    probe, source = network.probe, network.input
    if probe is None:
        return
    require(
        isinstance(probe, np.ndarray)
        and probe.dtype.kind == "u"
        and probe.shape[1:] == source.sample_shape
        and len(probe) > 0,
        f"{network.name}.probe: must be unsigned integer images of shape "
        f"(images, {', '.join(map(str, source.sample_shape))}), not "
        f"{getattr(probe, 'dtype', type(probe).__name__)} {getattr(probe, 'shape', '')}",
    )
    require(
        int(probe.max()) < 1 << source.pixel_bits,
        f"{network.name}.probe: pixels must fit {source.pixel_bits} bits, not {probe.max()}",
    )
