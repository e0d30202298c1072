"""From the document of ``network.yaml`` and its arrays back to a network."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from hwgen.artefact.schema import (
    Conv2dModel,
    Document,
    HardResetModel,
    IdentityModel,
    InverseLeakyModel,
    LayerModel,
    LinearModel,
    MaxPool2dModel,
    NeuronModel,
    NodeModel,
    ProjectionModel,
    SoftmaxReadoutModel,
    SoftResetModel,
    TimeToFirstSpikeModel,
)
from hwgen.network import (
    DOUBLE,
    Conv2d,
    Flatten,
    HardResetNeuron,
    Identity,
    Input,
    InputCode,
    InverseLeak,
    InverseLeakyNeuron,
    Layer,
    Linear,
    MaxPool2d,
    Network,
    Neuron,
    Node,
    Projection,
    Readout,
    SoftmaxReadout,
    SoftResetNeuron,
    TimeToFirstSpikeNeuron,
)


class Builder:
    """Builds the parts; an array becomes the type that :mod:`hwgen.network` states for it."""

    def __init__(self, arrays: list[np.ndarray]) -> None:
        self._arrays = arrays

    def array(self, index: int, dtype: str) -> np.ndarray:
        return self._arrays[index].astype(dtype)

    def optional(self, index: int | None, dtype: str) -> np.ndarray | None:
        return None if index is None else self.array(index, dtype)

    def network(self, document: Document) -> Network:
        source = document.input
        probe = None if document.probe is None else self._arrays[document.probe]
        return Network(
            name=document.name,
            input=Input(
                name=source.name,
                shape=_triple(source.shape),
                timesteps=source.timesteps,
                code=cast(InputCode, source.code),
                pixel_bits=source.pixel_bits,
                gain=source.gain,
                seed=source.seed,
            ),
            nodes=tuple(self.node(node) for node in document.nodes),
            provenance=document.provenance,
            probe=probe,
        )

    def node(self, model: NodeModel) -> Node:
        if isinstance(model, LayerModel):
            return Layer(
                name=model.name,
                projections=tuple(self.projection(item) for item in model.projections),
                bias=self.array(model.bias, "int64"),
                neuron=self.neuron(model.neuron),
            )
        if isinstance(model, MaxPool2dModel):
            return MaxPool2d(
                name=model.name,
                source=model.source,
                kernel=_pair(model.kernel),
                stride=_pair(model.stride),
                padding=_quad(model.padding),
            )
        return Flatten(name=model.name, source=model.source)

    def projection(self, model: ProjectionModel) -> Projection:
        weights = self.array(model.weights, "int32")
        if isinstance(model, Conv2dModel):
            return Conv2d(
                source=model.source,
                weights=weights,
                stride=_pair(model.stride),
                padding=_quad(model.padding),
                groups=model.groups,
                pad_value=self.optional(model.pad_value, "int32"),
            )
        kinds: dict[type, Any] = {LinearModel: Linear, IdentityModel: Identity}
        built: Linear | Identity = kinds[type(model)](source=model.source, weights=weights)
        return built

    def neuron(self, model: NeuronModel) -> Neuron:
        if isinstance(model, InverseLeakyModel):
            return InverseLeakyNeuron(
                threshold=self.array(model.threshold, "int64"),
                timesteps=model.timesteps,
                threshold_frac_bits=model.threshold_frac_bits,
                leak=DOUBLE
                if model.leak is None
                else InverseLeak(n=model.leak[0], m=model.leak[1]),
            )
        if isinstance(model, SoftResetModel):
            return SoftResetNeuron(
                threshold=self.array(model.threshold, "int64"),
                timesteps=model.timesteps,
                two_phase=model.two_phase,
                initial=self.optional(model.initial, "int64"),
                floor=self.optional(model.floor, "int64"),
                threshold_frac_bits=model.threshold_frac_bits,
            )
        if isinstance(model, HardResetModel):
            return HardResetNeuron(
                threshold=self.array(model.threshold, "int64"),
                timesteps=model.timesteps,
                reset=self.optional(model.reset, "int64"),
                initial=self.optional(model.initial, "int64"),
                floor=self.optional(model.floor, "int64"),
            )
        if isinstance(model, TimeToFirstSpikeModel):
            return TimeToFirstSpikeNeuron(
                threshold=self.array(model.threshold, "int64"),
                timesteps=model.timesteps,
                threshold_frac_bits=model.threshold_frac_bits,
            )
        if isinstance(model, SoftmaxReadoutModel):
            return SoftmaxReadout(
                timesteps=model.timesteps,
                shift=model.shift,
                table=self.array(model.table, "int64"),
                random_bits=model.random_bits,
                seed=model.seed,
            )
        return Readout(frac_bits=model.frac_bits)


def _pair(items: list[int]) -> tuple[int, int]:
    return (items[0], items[1])


def _triple(items: list[int]) -> tuple[int, int, int]:
    return (items[0], items[1], items[2])


def _quad(items: list[int]) -> tuple[int, int, int, int]:
    return (items[0], items[1], items[2], items[3])
