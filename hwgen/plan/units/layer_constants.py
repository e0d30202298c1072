"""Constants that layer processing units hold: integers per channel, and rows of weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwgen.network import (
    JoinedTrains,
    Layer,
    Network,
    SoftmaxReadout,
    ThresholdNeuron,
    TrainType,
)
from hwgen.plan.units import widths
from hwgen.plan.units.hardware_plan import HardwarePlan
from hwgen.plan.units.weight_rows import pack_weights

Integers = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class NeuronConstants:
    """Constants of a membrane unit; arrays of shape (channels,) unless stated otherwise.

    Parameters
    ----------
    first, later
        Added in the first step and in every other step: of Phase II for two-phase neurons, of
        integration for single-phase neurons.
    restored
        Added after a step of Phase II without a spike; only in layers with a leak k < 2.
    threshold, floor, restart
        θ, V_min and V_reset of single-phase neurons; None for those that a neuron does not have.
    table : shape (entries,)
        Terms of a softmax by the distance from the largest membrane.
    """

    first: Integers
    later: Integers
    restored: Integers | None = None
    threshold: Integers | None = None
    floor: Integers | None = None
    restart: Integers | None = None
    table: Integers | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class LayerConstants:
    """Constants of a layer processing unit.

    Parameters
    ----------
    weights : tuple of integer arrays, shape (scanners, weight_depth, lanes)
        Rows of the weight memories of each synaptic path.
    """

    neuron: NeuronConstants
    weights: tuple[Integers, ...]


def neuron_constants(layer: Layer, given: TrainType) -> NeuronConstants:
    """Constants of the membrane unit of ``layer``, which reads trains of the type ``given``."""
    neuron = layer.neuron
    if neuron.two_phase:
        first, later, restored = widths.firing_constants(layer, given)
        is_fractional = widths.is_fractional(layer, given)
        return NeuronConstants(
            first=first, later=later, restored=restored if is_fractional else None
        )
    # The first step takes V as 0, so that V₀ is added with the bias.
    bias = layer.bias.astype(np.int64)
    return NeuronConstants(
        first=bias if neuron.initial is None else bias + neuron.initial,
        later=bias,
        threshold=neuron.threshold if isinstance(neuron, ThresholdNeuron) else None,
        floor=neuron.floor,
        restart=neuron.restart,
        table=neuron.table if isinstance(neuron, SoftmaxReadout) else None,
    )


def layer_constants(network: Network, plan: HardwarePlan) -> dict[str, LayerConstants]:
    """Constants of each layer of ``plan``, by the name of its node."""
    return {
        layer.name: LayerConstants(
            neuron=neuron_constants(layer, JoinedTrains.of(layer, network.train_types).longest),
            weights=tuple(
                pack_weights(projection, path, stage, plan.stream(path.source))
                for projection, path in zip(layer.projections, stage.paths, strict=True)
            ),
        )
        for layer, stage in zip(network.layers, plan.layers, strict=True)
    }
