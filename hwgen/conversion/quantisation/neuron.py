"""The neuron of a layer, from its integers.

A two-phase neuron gets the whole bias when Phase I closes. A single-phase one gets B / T + L in
every step and η·θ as its initial membrane; L and the floor V_min are shares of its threshold.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hwgen.conversion.choices import NeuronKind
from hwgen.conversion.options import Options
from hwgen.conversion.quantisation.integers import Quantised
from hwgen.errors import ConversionError
from hwgen.network import (
    HardResetNeuron,
    IntegrateAndFireNeuron,
    InverseLeakyNeuron,
    Layer,
    Readout,
    SoftResetNeuron,
    ThresholdNeuron,
    TimeToFirstSpikeNeuron,
)


def make_neuron(
    name: str, quantised: Quantised, units: np.ndarray, full: np.ndarray, options: Options
) -> tuple[ThresholdNeuron, np.ndarray]:
    """The neuron of layer ``name``, and the bias of the layer.

    Parameters
    ----------
    quantised : with a threshold
    units : float64 array, shape (channels,)
        The bias of a whole train, in membrane units.
    full : int64 array, shape (channels,)
        The same with the rounding offset and the zero point, in threshold units.
    """
    threshold, timesteps = quantised.threshold, options.steps(name)
    assert threshold is not None
    match options.neuron:
        case NeuronKind.ILIF:
            return InverseLeakyNeuron(
                threshold=threshold,
                timesteps=timesteps,
                threshold_frac_bits=quantised.frac_bits,
                leak=options.inverse_leak,
            ), full
        case NeuronKind.IF2:
            return SoftResetNeuron(
                threshold=threshold,
                timesteps=timesteps,
                threshold_frac_bits=quantised.frac_bits,
            ), full
        case NeuronKind.TTFS:
            return TimeToFirstSpikeNeuron(
                threshold=threshold,
                timesteps=timesteps,
                threshold_frac_bits=quantised.frac_bits,
            ), full
    bias = whole_numbers(units / timesteps, name) + leak(threshold, options)
    return single_phase(threshold, options), bias


def single_phase(threshold: np.ndarray, options: Options) -> IntegrateAndFireNeuron:
    """The single-phase neuron of these thresholds, int64 (channels,)."""
    initial = np.minimum(np.round(options.eta * threshold), threshold - 1).astype(np.int64)
    floor = None
    if options.floor is not None:
        floor = np.round(options.floor * threshold).astype(np.int64)
    if options.neuron is NeuronKind.IF_HARD:
        return HardResetNeuron(
            threshold=threshold, timesteps=options.timesteps, initial=initial, floor=floor
        )
    return SoftResetNeuron(
        threshold=threshold,
        timesteps=options.timesteps,
        two_phase=False,
        initial=initial,
        floor=floor,
    )


def leak(threshold: np.ndarray, options: Options) -> np.ndarray:
    """L of each timestep, int64 (channels,)."""
    return np.asarray(np.round(options.drive * threshold).astype(np.int64))


def moved(layer: Layer, octaves: float, upstream: float, options: Options) -> Layer:
    """``layer`` with a threshold 2^octaves as high, after layers that moved by 2^upstream in all.

    Parameters
    ----------
    layer : as the conversion made it, with ``options``
    """
    neuron = layer.neuron
    if isinstance(neuron, Readout):
        bias = whole_numbers(layer.bias * 2.0**-upstream, layer.name)
        return replace(layer, bias=bias)
    assert isinstance(neuron, IntegrateAndFireNeuron)
    own = layer.bias - leak(neuron.threshold, options)
    threshold = np.maximum(np.round(neuron.threshold * 2.0**octaves), 1).astype(np.int64)
    bias = whole_numbers(own * 2.0**-upstream, layer.name) + leak(threshold, options)
    return replace(layer, bias=bias, neuron=single_phase(threshold, options))


def whole_numbers(values: np.ndarray, name: str) -> np.ndarray:
    """``values`` rounded to int64; a :class:`ConversionError` where a bias is out of range."""
    if not np.isfinite(values).all() or np.abs(values).max() >= 2.0**47:
        raise ConversionError(
            f"{name}: a bias is out of range beside the weights; are they trained?"
        )
    return np.round(values).astype(np.int64)
