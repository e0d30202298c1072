"""``convert``: checks its arguments, runs the stages, and verifies the network."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from torch import nn
from torch.export import ExportedProgram

from hwgen import caution
from hwgen.arguments import require_type
from hwgen.conversion import choices
from hwgen.conversion.calibration.checks import check_batch_norms, check_figures, check_images
from hwgen.conversion.calibration.fidelity import check_fidelity
from hwgen.conversion.calibration.finetuning import Finetuning
from hwgen.conversion.calibration.float_run import run_float
from hwgen.conversion.calibration.images import as_calibration, bits_of, require_range, spread
from hwgen.conversion.calibration.input_decoding import counts_of
from hwgen.conversion.calibration.training_budget import training_for
from hwgen.conversion.converted import Progress
from hwgen.conversion.effort import best_of, divide, ways
from hwgen.conversion.float_graph import FloatGraph
from hwgen.conversion.frontend.float_model import Numbers, normalisation
from hwgen.conversion.frontend.torch_program import export
from hwgen.conversion.methods.registry import METHODS
from hwgen.conversion.op_graph import INPUT
from hwgen.conversion.options import Options
from hwgen.conversion.provenance import Provenance
from hwgen.conversion.stages import STAGES, run_stages
from hwgen.conversion.task import Task
from hwgen.conversion.threads import one_thread_per_operation
from hwgen.datasets.scaling import Scaling
from hwgen.errors import ConversionError
from hwgen.network import InputCode, Network, decide
from hwgen.suggest import require_known
from hwgen.version import version

PROBE_IMAGES = 8


@caution.recorded(error=ConversionError)
def convert(
    model: nn.Module | ExportedProgram,
    images: object,
    *,
    labels: object = None,
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
    channel_scales: bool | None = None,
    bias_correction: choices.BiasCorrection | str | None = None,
    rounding: choices.Rounding | str | None = None,
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
    calibration_images: int | None = None,
    effort: choices.Effort | str = choices.Effort.BEST,
    finetuning: Finetuning | Literal[False] | None = None,
    name: str = "network",
    strict: bool = False,
    dump: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Network:
    """Convert ``model`` to a spiking network of integers.

    Parameters
    ----------
    model : torch.nn.Module or torch.export.ExportedProgram
        From float images (samples, channels, height, width) to logits (samples, classes). A module
        is copied and put into eval mode.
    images : what :func:`hwgen.datasets.as_arrays` takes
        Calibration images, shape (samples, channels, height, width): raw pixels of training data; a
        few hundred are enough. Floats are pixels, scaled or normalised ones
        (:func:`hwgen.datasets.find_pixels`). Or frames of address events, 0 and 1, shape (samples,
        timesteps, channels, height, width): the model's pixels are then the number of events in all
        timesteps.
    labels : what :func:`hwgen.datasets.as_labels` takes, or None
        By default those of ``images``, if it has any. With them, provenance holds the float
        accuracy on the calibration images. Method "feedback" needs them.
    mean, std, scale : float, or one per channel
        The model gets (scale · pixel − mean) / std; ``scale`` is 1/255 by default, and 1/T for
        frames of events.
    method : str
        Name in :data:`hwgen.conversion.METHODS`.
    timesteps, layer_timesteps, mean_timesteps, weight_bits, neuron, …, search_stop
        See :class:`hwgen.conversion.Options`. None takes the method's default.
    calibration_images : int or None
        Maximum number of images to calibrate on, evenly spread over ``images``. None: 1,000, or
        3,000 with effort "best".
    effort : Effort
        "best" converts in every way that the options leave open, and keeps the one whose logits are
        closest to the float model's on images held out from ``images``, without labels; "fast"
        takes one way by rule (:mod:`hwgen.conversion.effort`).
    finetuning : :class:`hwgen.conversion.Finetuning`, False or None
        Train the fused network for its short trains first, on all of ``images`` that nothing is
        measured on. None: effort "best" tries it where it may help; False: never.
    name : str
        Name of the network.
    strict : bool
        Raise the first warning as a ConversionError. Otherwise warnings are given as
        :class:`.HwgenWarning`, and kept in the network's provenance, as notes are.
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
    asked = finetuning or None
    if asked is not None:
        remedy = "use hwgen.conversion.Finetuning(epochs=3)"
        require_type("finetuning", asked, Finetuning, remedy, error=ConversionError)
    if not name or not isinstance(name, str):
        raise ConversionError(
            f"the network's name must be a string that is not empty, not {name!r}"
        )
    given = layer_timesteps if isinstance(layer_timesteps, Mapping) else {}
    steps = given.get(INPUT, timesteps)
    given_scaling = Scaling(scale=scale, mean=mean, std=std)
    data = as_calibration(
        images, labels, model, timesteps=steps, input_code=input_code, scaling=given_scaling
    )
    pixels, scaling = data.pixels, data.scaling
    chosen_effort = choices.Effort.parse("effort", effort)
    chosen, measured, held_out = divide(len(pixels), calibration_images, chosen_effort)
    classes = None if data.labels is None else data.labels[chosen]
    if classes is None and chosen_method.load_tuner is not None:
        raise ConversionError(f"method {method!r} needs labels; pass those of the images")
    bits = bits_of(pixels)
    every, pixels = pixels, pixels[chosen]
    arguments |= {"neuron": chosen_neuron, "input_code": data.input_code}
    by_user = {
        item.name: arguments[item.name]
        for item in fields(Options)
        if arguments[item.name] is not None
    }
    options = Options(**{"pixel_bits": bits, **chosen_method.defaults, **by_user})
    require_range(every, options)
    check_images(pixels)
    values = counts_of(pixels)
    factor, offset = normalisation(values.shape[1], data.scale, scaling.mean, scaling.std)
    tuner = None if chosen_method.load_tuner is None else chosen_method.load_tuner()
    check = None if chosen_method.load_check is None else chosen_method.load_check()
    task = Task(
        images=pixels,
        training_images=every[np.setdiff1d(np.arange(len(every)), measured)] if held_out else every,
        labels=classes,
        scale=factor,
        offset=offset,
        options=options,
        finetuning=None,
        tuner=tuner,
        check=check,
        progress=progress or (lambda *_: None),
    )
    _, channels, height, width = values.shape
    program = export(model, (channels, height, width))
    check_batch_norms(program)
    folder = None if dump is None else Path(dump)
    with one_thread_per_operation():
        task, graphs = run_stages(task, program, [s for s in STAGES if not s.repeated], folder)
        fixed = {**chosen_method.defaults, **by_user}
        left_open = [item.name for item in fields(Options) if item.name not in fixed]
        fused = graphs["fuse"]
        assert isinstance(fused, FloatGraph)
        training = None
        if finetuning is None:
            training = training_for(fused, len(task.training_images), task.options)
        several = ways(task.options, chosen_effort, left_open, finetuning=asked, training=training)
        outcomes = best_of(
            several,
            task,
            graphs,
            [stage for stage in STAGES if stage.repeated],
            every[measured],
            held_out=held_out,
            dump=folder,
        )
        best = outcomes[0]
        converted, tuning = best.converted, best.way.finetuning
        check_fidelity(best.fidelity, fused)
        hits = None if classes is None else decide(run_float(fused, values)) == classes
    network = converted.network(name)
    check_figures(converted.figures.silent_layers, hits, logits=network.logits)
    provenance = Provenance(
        method=method,
        options=best.way.options.plain(),
        eta=options.eta,
        scale=float(data.scale),
        mean=_list(scaling.mean),
        std=_list(scaling.std),
        calibration_images=len(pixels),
        finetuning=None if tuning is None else tuning.plain(len(task.training_images)),
        figures=converted.figures,
        hwgen=version(),
        float_accuracy=None if hits is None else 100 * float(hits.mean()),
        effort=str(chosen_effort),
        fidelity=best.fidelity,
        trials=[outcome.trial for outcome in outcomes] if len(outcomes) > 1 else (),
        warnings=tuple(caution.record().warnings),
        notes=tuple(caution.record().notes),
    )
    return replace(
        network,
        provenance=provenance.plain(),
        probe=pixels[spread(len(pixels), PROBE_IMAGES)],
    )


def _list(numbers: Numbers | None) -> list[float] | None:
    return None if numbers is None else [float(x) for x in np.ravel(np.asarray(numbers))]
