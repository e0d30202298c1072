"""Single layers with their hardware plans, and currents that drive their membranes."""

from __future__ import annotations

from typing import Any

import numpy as np

from hwgen.network import (
    Conv2d,
    Flatten,
    HardResetNeuron,
    Input,
    IntegrateAndFireNeuron,
    Layer,
    Linear,
    Network,
    Neuron,
    Node,
    Readout,
    SoftResetNeuron,
    TrainType,
)
from hwgen.plan.assembly import make_plan
from hwgen.plan.units.layer import LayerPlan
from hwgen.plan.units.options import PlanOptions


def make_layer(weights: Any, neuron: Neuron, *, bias: Any = 0, **conv: Any) -> Layer:
    """Linear layer for weights with two axes, otherwise a convolution with options ``conv``."""
    weights = np.array(weights, dtype=np.int32)
    projection: Linear | Conv2d
    if weights.ndim == 2:
        projection = Linear(source="input", weights=weights)
    else:
        projection = Conv2d(source="input", weights=weights, **conv)
    biases = np.zeros(len(weights), dtype=np.int64) + bias
    return Layer(name="n", projections=(projection,), bias=biases, neuron=neuron)


def network_of(layer: Layer, source: Input) -> Network:
    """A network of ``layer`` and, unless it is a readout, a readout after it."""
    nodes: list[Node] = [layer]
    if not isinstance(layer.neuron, Readout):
        size = int(np.prod(layer.projections[0].output_shape(source.shape)))
        nodes.append(Flatten(name="flat", source=layer.name))
        ones = Linear(source="flat", weights=np.ones((1, size), dtype=np.int32))
        zero = np.zeros(1, dtype=np.int64)
        nodes.append(Layer(name="out", projections=(ones,), bias=zero, neuron=Readout()))
    return Network(name="one", input=source, nodes=tuple(nodes))


def plan_one(layer: Layer, source: Input, **options: Any) -> tuple[LayerPlan, TrainType]:
    """The plan of ``layer`` after ``source``, and the type of its input trains."""
    network = network_of(layer, source)
    stage = make_plan(network, PlanOptions(**options)).stages[0]
    assert isinstance(stage, LayerPlan)
    return stage, network.train_types[source.name]


def single_phase_neuron(
    threshold: Any, steps: int, initial: Any = None, floor: Any = None, reset: Any = None
) -> IntegrateAndFireNeuron:
    """Single-phase neuron; with hard reset if ``reset`` is not None."""
    options = {
        name: None if value is None else np.array(value, dtype=np.int64)
        for name, value in (("initial", initial), ("floor", floor))
    }
    thresholds = np.array(threshold, dtype=np.int64)
    if reset is None:
        return SoftResetNeuron(threshold=thresholds, timesteps=steps, two_phase=False, **options)
    resets = np.array(reset, dtype=np.int64)
    return HardResetNeuron(threshold=thresholds, timesteps=steps, reset=resets, **options)


def current_range(layer: Layer) -> tuple[np.ndarray, np.ndarray]:
    """Minimum and maximum current of each channel."""
    weights = layer.projections[0].weights.astype(np.int64)
    weights = weights.reshape(len(weights), -1)
    return np.where(weights < 0, weights, 0).sum(1), np.where(weights > 0, weights, 0).sum(1)


def random_currents(
    rng: np.random.Generator, layer: Layer, steps: int, samples: int, height: int, width: int
) -> np.ndarray:
    """Legal currents (steps, samples, height, width, channels); some neurons at an extreme."""
    low, high = current_range(layer)
    shape = (steps, samples, height, width, len(low))
    currents = rng.integers(low, high, size=shape, endpoint=True)
    kind = rng.integers(0, 5, size=shape[1:])
    currents = np.where(kind == 0, low, currents)
    return np.where(kind == 1, high, currents)


def once_currents(
    rng: np.random.Generator, layer: Layer, steps: int, samples: int, height: int, width: int
) -> np.ndarray:
    """As :func:`random_currents`, but every input spikes at most once; for 1×1 convolutions."""
    weights = layer.projections[0].weights[:, :, 0, 0].astype(np.int64)
    shape = (samples, height, width, weights.shape[1])
    when = rng.integers(0, steps, size=shape, endpoint=True)  # ``steps`` means never
    kind = rng.integers(0, 5, size=shape[:-1])[..., None]
    when = np.where(kind == 0, np.where(weights.sum(0) < 0, 0, steps), when)
    when = np.where(kind == 1, np.where(weights.sum(0) > 0, 0, steps), when)
    trains = when == np.arange(steps).reshape(-1, 1, 1, 1, 1)
    return trains.astype(np.int64) @ weights.T


def mixed_weights(rng: np.random.Generator, fan_out: int) -> np.ndarray:
    """(fan_out, 2, 1, 1): one input that excites and one that inhibits."""
    return np.stack([rng.integers(1, 21, fan_out), rng.integers(-20, 0, fan_out)], 1)[
        ..., None, None
    ]


def fit(rng: np.random.Generator, drive: np.ndarray, q_max: int) -> tuple[np.ndarray, np.ndarray]:
    """Thresholds and biases for the membranes ``drive`` (..., channels).

    Most quotients lie between 0 and ``q_max``, some outside. The second threshold is 1.
    """
    flat = drive.reshape(-1, drive.shape[-1])
    low, high = np.quantile(flat, 0.2, axis=0), np.quantile(flat, 0.9, axis=0)
    threshold = np.maximum(1, np.rint((high - low) / q_max)).astype(np.int64)
    threshold[1:2] = 1
    return threshold, rng.integers(0, threshold) - low.astype(np.int64)
