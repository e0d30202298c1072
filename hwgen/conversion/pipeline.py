"""``convert``: checks its arguments, runs the stages, and verifies the network."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn
from torch.export import ExportedProgram

from hwgen.arguments import require_integer, require_type
from hwgen.conversion import choices
from hwgen.conversion.calibration.finetuning import Finetuning
from hwgen.conversion.calibration.float_run import run_float
from hwgen.conversion.calibration.images import as_frames, require_range, spread
from hwgen.conversion.calibration.input_decoding import counts_of
from hwgen.conversion.converted import Converted, Progress
from hwgen.conversion.float_graph import FloatGraph
from hwgen.conversion.frontend.float_model import Numbers, normalisation
from hwgen.conversion.frontend.torch_program import export
from hwgen.conversion.methods.registry import METHODS
from hwgen.conversion.op_graph import INPUT
from hwgen.conversion.options import Options
from hwgen.conversion.provenance import Provenance
from hwgen.conversion.stages import STAGES, run_stages
from hwgen.conversion.task import Task
from hwgen.datasets.images import as_array, as_images, as_labels
from hwgen.errors import ConversionError
from hwgen.network import InputCode, Network
from hwgen.suggest import require_known
from hwgen.version import version

CALIBRATION_IMAGES = 1000  # more change no scale, but serve a fit of the weights
PROBE_IMAGES = 8


def convert(
    model: nn.Module | ExportedProgram,
    images: np.ndarray,
    *,
    labels: np.ndarray | None = None,
    mean: Numbers | None = None,
    std: Numbers | None = None,
    scale: float | None = None,
    timesteps: int = 8,
    layer_timesteps: Mapping[str, int] | None = None,
    mean_timesteps: float | None = None,
    weight_bits: int = 8,
    method: str = "spikeconverter",
    neuron: choices.NeuronKind | str | None = None,
    leak: float | str = 2.0,
    thresholds: choices.ThresholdRule | str | None = None,
    threshold_scale: float | None = None,
    eta: float | None = None,
    error: choices.ErrorNorm | str | None = None,
    percentile: float | None = None,
    channel_scales: bool = False,
    bias_correction: choices.BiasCorrection | str = choices.BiasCorrection.NONE,
    rounding: choices.Rounding | str = choices.Rounding.NEAREST,
    decoder: choices.DecoderKind | str = choices.DecoderKind.MEMBRANE,
    temperature: float = 1.0,
    pixel_bits: int | None = None,
    input_code: InputCode | str | None = None,
    input_gain: int = Options.input_gain,
    input_seed: int = Options.input_seed,
    floor: float | None = None,
    drive: float = 0.0,
    search_images: int = Options.search_images,
    search_rounds: int = Options.search_rounds,
    search_step: float = Options.search_step,
    search_stop: float = Options.search_stop,
    calibration_images: int = CALIBRATION_IMAGES,
    finetuning: Finetuning | None = None,
    name: str = "network",
    dump: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Network:
    """Convert ``model`` to a spiking network of integers.

    Parameters
    ----------
    model : torch.nn.Module or torch.export.ExportedProgram
        From float images (samples, channels, height, width) to logits (samples, classes). A module
        is copied and put into eval mode.
    images : unsigned integer array, shape (samples, channels, height, width)
        Calibration images: raw pixels of training data; a few hundred are enough. Or frames of
        address events, 0 and 1, shape (samples, timesteps, channels, height, width): the model's
        pixels are then the number of events in all timesteps.
    labels : integer array, shape (samples,), or None
        With them, provenance holds the float accuracy on the calibration images. Method "feedback"
        needs them.
    mean, std, scale : float, or one per channel
        The model gets (scale · pixel − mean) / std; ``scale`` is 1/255 by default, and 1/T for
        frames of events.
    method : str
        Name in :data:`hwgen.conversion.METHODS`.
    timesteps, layer_timesteps, mean_timesteps, weight_bits, neuron, …, search_stop
        See :class:`hwgen.conversion.Options`. None takes the method's default.
    calibration_images : int
        Maximum number of images to calibrate on, evenly spread over ``images``.
    finetuning : :class:`hwgen.conversion.Finetuning` or None
        Train the fused network for its short trains first, on all of ``images``.
    name : str
        Name of the network.
    dump : path or None
        Folder for the graph after each stage, NN-stage.yaml and NN-stage.npz.
    progress : callable (layers done, number of layers, name of the layer in work), or None

    Raises
    ------
    ConversionError
        The model or an option cannot be converted; the message lists all reasons at once, each with
        its place and remedy.
    DataError
        Images or labels are of the wrong type, shape or range.
    """
    arguments: dict[str, Any] = dict(locals())  # those of Options, and others
    require_known("method", method, METHODS, error=ConversionError)
    chosen_method = METHODS[method]
    neurons = chosen_method.neurons
    chosen_neuron = neurons[0] if neuron is None else choices.NeuronKind.parse("neuron", neuron)
    if chosen_neuron not in neurons:
        raise ConversionError(
            f"neuron must be one of {', '.join(neurons)} for method {method!r}, not {neuron!r}"
        )
    if finetuning is not None:
        remedy = "use hwgen.conversion.Finetuning(epochs=3)"
        require_type("finetuning", finetuning, Finetuning, remedy, error=ConversionError)
    if not name or not isinstance(name, str):
        raise ConversionError(
            f"the network's name must be a string that is not empty, not {name!r}"
        )
    images = as_array(images, where="calibration images")
    frames = images.ndim == 5
    if frames:
        pixels = as_frames(images, timesteps=(layer_timesteps or {}).get(INPUT, timesteps))
    else:
        pixels = as_images(images, where="calibration images", channels_first=True)
    require_integer("calibration_images", calibration_images, 1, error=ConversionError)
    chosen = spread(len(pixels), calibration_images)
    classes = None
    if labels is not None:
        classes = as_labels(labels, len(pixels), where="calibration labels")[chosen]
    elif chosen_method.load_tuner is not None:
        raise ConversionError(f"method {method!r} needs labels; pass those of the images")
    input_code = input_code or ("events" if frames else None)
    if (input_code == "events") != frames:
        raise ConversionError(
            "input_code 'events' goes with frames (samples, timesteps, channels, height, width), "
            f"and other codes with images; here is {input_code!r} with shape {images.shape}"
        )
    scale = scale if scale is not None else 1 / images.shape[1] if frames else 1 / 255
    bits = 1 if frames else 8 * pixels.dtype.itemsize
    every, pixels = pixels, pixels[chosen]
    arguments |= {"neuron": chosen_neuron, "input_code": input_code}
    by_user = {
        item.name: arguments[item.name]
        for item in fields(Options)
        if arguments[item.name] is not None
    }
    options = Options(**{"pixel_bits": bits, **chosen_method.defaults, **by_user})
    require_range(pixels if finetuning is None else every, options)
    values = counts_of(pixels)
    factor, offset = normalisation(values.shape[1], scale, mean, std)
    tuner = None if chosen_method.load_tuner is None else chosen_method.load_tuner()
    task = Task(
        images=pixels,
        all_images=every,
        labels=classes,
        scale=factor,
        offset=offset,
        options=options,
        finetuning=finetuning,
        tuner=tuner,
        progress=progress or (lambda *_: None),
    )
    _, channels, height, width = values.shape
    program = export(model, (channels, height, width))
    graphs = run_stages(task, program, STAGES, None if dump is None else Path(dump))
    fused, converted = graphs["fuse"], list(graphs.values())[-1]
    assert isinstance(fused, FloatGraph)
    assert isinstance(converted, Converted)
    hits = None if classes is None else run_float(fused, values).argmax(axis=1) == classes
    provenance = Provenance(
        method=method,
        options=options.plain(),
        eta=options.eta,
        scale=float(scale),
        mean=_list(mean),
        std=_list(std),
        calibration_images=len(pixels),
        finetuning=None if finetuning is None else vars(finetuning) | {"images": len(every)},
        figures=converted.figures,
        hwgen=version(),
        float_accuracy=None if hits is None else 100 * float(hits.mean()),
    )
    return replace(
        converted.network(name),
        provenance=provenance.plain(),
        probe=pixels[spread(len(pixels), PROBE_IMAGES)],
    )


def _list(numbers: Numbers | None) -> list[float] | None:
    return None if numbers is None else [float(x) for x in np.ravel(np.asarray(numbers))]
