"""A small legal network, and variants with one error each."""

from __future__ import annotations

from dataclasses import replace
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
    MaxPool2d,
    Network,
    Readout,
    SoftmaxReadout,
    SoftResetNeuron,
    exponentials,
)


def ints(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def weights(*shape: int) -> np.ndarray:
    return np.ones(shape, dtype=np.int32)


# The legal network that every test breaks: 2×4×5 → conv 3×3×4 → pool 3×1×2 → flatten 6 → 3.
INPUT = Input(shape=(2, 4, 5), timesteps=4)
CONV = Conv2d(source="input", weights=weights(3, 2, 2, 2))
NEURON = InverseLeakyNeuron(threshold=ints(1, 2, 3), timesteps=4)
LAYER = Layer(name="conv", projections=(CONV,), bias=ints(0, 0, 0), neuron=NEURON)
POOL = MaxPool2d(name="pool", source="conv", kernel=(2, 2), stride=(2, 2))
FLAT = Flatten(name="flat", source="pool")
LINEAR = Linear(source="flat", weights=weights(3, 6))
LAST = Layer(name="out", projections=(LINEAR,), bias=ints(0, 0, 0), neuron=Readout())
SOFT = SoftResetNeuron(threshold=ints(4, 4, 4), timesteps=4)
SINGLE = replace(SOFT, two_phase=False)


def net(*nodes: Any, **options: Any) -> Network:
    fields = {"name": "net", "input": INPUT, "nodes": nodes or (LAYER, POOL, FLAT, LAST)}
    return Network(**{**fields, **options})


def source(**changes: Any) -> Network:
    return net(input=replace(INPUT, **changes))


def conv(**changes: Any) -> Network:
    return net(replace(LAYER, projections=(replace(CONV, **changes),)), POOL, FLAT, LAST)


def neuron(of: Any = NEURON, **changes: Any) -> Network:
    layer = replace(LAYER, neuron=replace(of, **changes))
    return net(layer, POOL, FLAT, LAST)


def pool(**changes: Any) -> Network:
    return net(LAYER, replace(POOL, **changes), FLAT, LAST)


def linear(**changes: Any) -> Network:
    return net(LAYER, POOL, FLAT, replace(LAST, projections=(replace(LINEAR, **changes),)))


def single(code: str = "rate", timesteps: int = 4, **changes: Any) -> Network:
    layer = replace(LAYER, neuron=replace(SINGLE, **changes))
    return net(
        layer, replace(FLAT, source="conv"),
        replace(LAST, projections=(replace(LINEAR, weights=weights(3, 36)),)),
        input=replace(INPUT, code=code, timesteps=timesteps),
    )  # fmt: skip


def softmax(code: str = "rate", steps: int = 4, **changes: Any) -> Network:
    softmax = SoftmaxReadout(timesteps=4, shift=1, table=exponentials(1.0))
    layer = replace(LAYER, neuron=replace(SOFT, timesteps=steps))
    return net(
        replace(layer, neuron=replace(NEURON, timesteps=steps)) if code == "radix" else layer,
        POOL, FLAT, replace(LAST, neuron=replace(softmax, **changes)),
    )  # fmt: skip


def identity(size: int) -> Network:
    add = Layer(
        name="add",
        projections=(Identity(source="conv", weights=weights(size)),),
        bias=ints(0, 0, 0),
        neuron=NEURON,
    )
    return net(LAYER, add, replace(POOL, source="add"), FLAT, LAST)


def two_projections(first: Any, second: Any) -> Network:
    return net(replace(LAYER, projections=(first, second)), POOL, FLAT, LAST)
