"""Neurons of the layers, from their integers.

A two-phase neuron adds the whole bias when Phase I closes. A single-phase one adds B / T + L in
every timestep and starts at η·θ; L and the floor V_min are shares of its threshold.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from hwgen import network
from hwgen.conversion.choices import NeuronKind
from hwgen.conversion.options import Options
from hwgen.conversion.quantisation.integers import Quantised
from hwgen.errors import ConversionError
from hwgen.network import IntegrateAndFireNeuron, Layer, ThresholdNeuron


def make_neuron(
    name: str, quantised: Quantised, units: np.ndarray, full: np.ndarray, options: Options
) -> tuple[ThresholdNeuron, np.ndarray]:
    """The neuron of layer ``name``, and the bias of the layer.

    ``units`` (channels,) is the bias for a whole train, in membrane units; ``full``, int64, is the
    same with rounding offset and zero point, in threshold units.
    """
    threshold = quantised.threshold
    assert threshold is not None
    if options.neuron.single_phase:
        bias = whole_numbers(units / options.timesteps, name) + drive(threshold, options)
        return single_phase(threshold, options), bias
    form = {"threshold": threshold, "threshold_frac_bits": quantised.frac_bits}
    return _TWO_PHASE[options.neuron](options, form | {"timesteps": options.steps(name)}), full


_TWO_PHASE: dict[NeuronKind, Callable[[Options, dict[str, Any]], ThresholdNeuron]] = {
    NeuronKind.ILIF: lambda options, form: network.InverseLeakyNeuron(
        leak=options.inverse_leak, **form
    ),
    NeuronKind.IF2: lambda options, form: network.SoftResetNeuron(**form),
    NeuronKind.TTFS: lambda options, form: network.TimeToFirstSpikeNeuron(**form),
}
_SINGLE_PHASE: dict[NeuronKind, Callable[[dict[str, Any]], IntegrateAndFireNeuron]] = {
    NeuronKind.IF: lambda form: network.SoftResetNeuron(two_phase=False, **form),
    NeuronKind.IF_HARD: lambda form: network.HardResetNeuron(**form),
}


def single_phase(threshold: np.ndarray, options: Options) -> IntegrateAndFireNeuron:
    """Single-phase neuron with these thresholds, int64 (channels,)."""
    initial = np.minimum(np.round(options.eta * threshold), threshold - 1).astype(np.int64)
    form = {"threshold": threshold, "timesteps": options.timesteps, "initial": initial}
    if options.floor is not None:
        form["floor"] = np.round(options.floor * threshold).astype(np.int64)
    return _SINGLE_PHASE[options.neuron](form)


def drive(threshold: np.ndarray, options: Options) -> np.ndarray:
    """L, added in every timestep, int64 (channels,)."""
    return np.asarray(np.round(options.drive * threshold).astype(np.int64))


def moved(layer: Layer, octaves: float, upstream: float, options: Options) -> Layer:
    """``layer``, as quantisation made it with ``options``, with its threshold times 2^octaves.

    The layers before it have moved by 2^upstream in all.
    """
    neuron = layer.neuron
    if neuron.is_decoder:
        return replace(layer, bias=whole_numbers(layer.bias * 2.0**-upstream, layer.name))
    assert isinstance(neuron, IntegrateAndFireNeuron)
    own = layer.bias - drive(neuron.threshold, options)
    threshold = np.maximum(np.round(neuron.threshold * 2.0**octaves), 1).astype(np.int64)
    bias = whole_numbers(own * 2.0**-upstream, layer.name) + drive(threshold, options)
    return replace(layer, bias=bias, neuron=single_phase(threshold, options))


def whole_numbers(values: np.ndarray, name: str) -> np.ndarray:
    """``values`` rounded to int64; :class:`.ConversionError` if a bias is out of range."""
    if not np.isfinite(values).all() or np.abs(values).max() >= 2.0**47:
        raise ConversionError(
            f"{name}: a bias is out of range compared with the weights; check that they are trained"
        )
    return np.round(values).astype(np.int64)
