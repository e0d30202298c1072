"""Fixed networks whose paths split and join.

Each starts with the input ``x``; its last layer before the readout is the join. With white images
every bit of ``x`` is a spike, so no chunk is dropped as silent, and rows are longer than the queue
of a reader: sixteen chunks, and fifteen spike indices.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from hwgen.network import (
    Conv2d,
    Flatten,
    Identity,
    Input,
    InverseLeakyNeuron,
    Layer,
    Linear,
    Network,
    Projection,
    Readout,
    SoftResetNeuron,
)

ROWS, STEPS = 6, 2


def three(source: str, **options: Any) -> Conv2d:
    weights = np.ones((2, 2, 3, 3), dtype=np.int32)
    weights[0, 1, 2, 2] = -2
    return Conv2d(source=source, weights=weights, **{"padding": (1, 1, 1, 1), **options})


def one(source: str, **options: Any) -> Conv2d:
    weights = np.array([[2, -1], [1, 1]], dtype=np.int32)[..., None, None]
    return Conv2d(source=source, weights=weights, **options)


def same(source: str) -> Identity:
    return Identity(source=source, weights=np.array([3, 5], dtype=np.int32))


def network_of(
    *layers: tuple[str, tuple[Projection, ...]],
    single: bool = False,
    columns: int = 20,
    lengths: Mapping[str, int] = MappingProxyType({}),
) -> Network:
    """``layers`` in turn, then a read-out of their last.

    ``lengths`` are timesteps of two-phase layers other than STEPS.
    """
    nodes: list[Any] = []
    code = "rate" if single else "radix"
    source = Input(shape=(2, ROWS, columns), timesteps=STEPS, code=code, name="x")
    shapes = {"x": source.shape}
    for name, projections in layers:
        neuron: Any = InverseLeakyNeuron(
            threshold=np.array([7, 9]), timesteps=lengths.get(name, STEPS)
        )
        if single:
            neuron = SoftResetNeuron(threshold=np.array([7, 9]), timesteps=STEPS, two_phase=False)
        bias = np.zeros(2, dtype=np.int64)
        nodes.append(Layer(name=name, projections=projections, bias=bias, neuron=neuron))
        shapes[name] = projections[0].output_shape(shapes[projections[0].source])
    nodes.append(Flatten(name="flat", source=nodes[-1].name))
    size = int(np.prod(shapes[nodes[-1].source]))
    matrix = (np.arange(3 * size) % 7 - 3).reshape(3, size).astype(np.int32)
    readout = Linear(source="flat", weights=matrix)
    zeros = np.zeros(3, dtype=np.int64)
    nodes.append(Layer(name="out", projections=(readout,), bias=zeros, neuron=Readout()))
    return Network(name="n", input=source, nodes=tuple(nodes))


def plain(**options: Any) -> Network:
    return network_of(("b", (three("x"),)), ("c", (three("b"), same("x"))), **options)


def strided() -> Network:
    two = {"stride": (2, 2)}
    return network_of(("b", (three("x", **two),)), ("c", (three("b"), one("x", **two))), columns=64)


def nested() -> Network:
    return network_of(
        ("b", (three("x"),)),
        ("c", (three("b"), same("x"))),
        ("d", (three("c"),)),
        ("e", (three("d"), same("x"))),
        columns=12,
    )


def by_way_of_a_join() -> Network:
    """A branch around a nested block: the buffer counts from ``a``, where the paths split."""
    return network_of(
        ("a", (one("x"),)),
        ("b", (three("a"),)),
        ("c", (three("b"), same("a"))),
    )


def three_ways() -> Network:
    return network_of(
        ("b", (three("x"),)),
        ("c", (three("b"),)),
        ("d", (three("c"), three("x"), same("b"))),
        columns=12,
    )


def upwards() -> Network:
    """A kernel that reads two rows above and none below, so it waits for no later row."""
    up = {"padding": (2, 1, 0, 1)}
    return network_of(("b", (three("x", **up),)), ("c", (three("b", **up), same("x"))))


def white(network: Network, samples: int) -> np.ndarray:
    return np.full((samples, *network.input.shape), 255, dtype=np.uint8)
