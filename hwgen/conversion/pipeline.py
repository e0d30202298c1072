"""``convert``: the stages in a row, with what comes in checked first."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import metadata
from typing import Any

import numpy as np
from torch import nn
from torch.export import ExportedProgram

from hwgen.conversion.calibration.finetuning import Finetuning, finetune
from hwgen.conversion.calibration.float_run import run_float
from hwgen.conversion.calibration.input_decoding import counts_of
from hwgen.conversion.float_graph import FloatGraph, Population
from hwgen.conversion.fusion.float_network import Numbers, float_graph, normalisation
from hwgen.conversion.methods.registry import METHODS
from hwgen.conversion.op_graph import INPUT
from hwgen.conversion.options import SIGNED_NEURONS, Options, Progress
from hwgen.conversion.quantisation.decoders import FIRING
from hwgen.datasets.images import as_images, as_labels
from hwgen.errors import ConversionError, DataError, NetworkError
from hwgen.network import Network
from hwgen.suggest import require_known

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
    weight_bits: int = 8,
    neuron: str | None = None,
    method: str = "spikeconverter",
    calibration_images: int = CALIBRATION_IMAGES,
    finetuning: Finetuning | None = None,
    name: str = "network",
    progress: Progress | None = None,
    **options: Any,
) -> Network:
    """A network of integers that does what ``model`` does.

    Parameters
    ----------
    model : torch.nn.Module or torch.export.ExportedProgram
        Takes float images (samples, channels, height, width), gives logits (samples, classes).
        A module is copied and put into eval mode.
    images : unsigned integer array, shape (samples, channels, height, width)
        Calibration images, raw pixels, of training data; a few hundred are enough. Or frames of
        address events, 0 and 1, shape (samples, timesteps, channels, height, width): the model's
        pixels are then the events of all timesteps together.
    labels : integer array, shape (samples,), or None
        With them, provenance tells the float accuracy on the calibration images. Method
        "feedback" needs them.
    mean, std, scale : float, or one a channel
        The model gets (scale · pixel − mean) / std; ``scale`` is 1/255 where it is not given, and
        1/T of events.
    timesteps, layer_timesteps, weight_bits, neuron, **options
        See :class:`hwgen.conversion.Options`; None is the method's own.
    method : str
        Name in :data:`hwgen.conversion.METHODS`.
    calibration_images : int
        Images that are used at most, evenly spread over ``images``.
    finetuning : :class:`hwgen.conversion.Finetuning` or None
        Train the folded network for its trains first, on all of ``images``.
    progress : callable (layers done, layers, name of the layer at work), or None

    Raises
    ------
    ConversionError
        Where the model cannot be converted: all reasons at once, each with its place and remedy.
    DataError
        Where images or labels are wrong.
    """
    require_known("method", method, METHODS, error=ConversionError)
    chosen_method = METHODS[method]
    neurons = chosen_method.neurons
    if neuron is not None and neuron not in neurons:
        raise ConversionError(
            f"neuron must be one of {', '.join(neurons)} for method {method!r}, not {neuron!r}"
        )
    if not name or not isinstance(name, str):
        raise ConversionError(
            f"the network's name must be a string that is not empty, not {name!r}"
        )
    images = np.asarray(images)
    frames = images.ndim == 5
    if frames:
        pixels = _as_frames(images, timesteps=(layer_timesteps or {}).get(INPUT, timesteps))
    else:
        pixels = as_images(images, where="calibration images", channels_first=True)
    if not isinstance(calibration_images, int) or calibration_images < 1:
        raise ConversionError(
            f"calibration_images must be an integer of at least 1, not {calibration_images!r}"
        )
    chosen = _spread(len(pixels), calibration_images)
    classes = None
    if labels is not None:
        classes = as_labels(np.asarray(labels), len(pixels), where="calibration labels")[chosen]
    elif chosen_method.tune is not None:
        raise ConversionError(f"method {method!r} needs labels; give those of the images")
    given = {name: value for name, value in options.items() if value is not None}
    if frames:
        given.setdefault("input_code", "events")
    if (given.get("input_code") == "events") != frames:
        raise ConversionError(
            "input_code 'events' goes with frames (samples, timesteps, channels, height, width), "
            f"and other codes with images; here is {given['input_code']!r} with shape "
            f"{images.shape}"
        )
    scale = scale if scale is not None else 1 / images.shape[1] if frames else 1 / 255
    given.setdefault("pixel_bits", 1 if frames else 8 * pixels.dtype.itemsize)
    every, pixels = pixels, pixels[chosen]
    told = _options(
        timesteps=timesteps,
        layer_timesteps=dict(layer_timesteps or {}),
        weight_bits=weight_bits,
        neuron=neuron or neurons[0],
        **{**chosen_method.defaults, **given},
    )
    _require_range(pixels if finetuning is None else every, told)
    values = counts_of(pixels)
    factor, offset = normalisation(values.shape[1], scale, mean, std)
    graph = float_graph(model, values, factor, offset, linear=told.neuron in SIGNED_NEURONS)
    _require_fit(graph, told)
    tell = progress or (lambda *_: None)
    tuned = graph if finetuning is None else finetune(graph, every, told, finetuning, tell)
    converted = chosen_method.convert(tuned, pixels, told, tell)
    if chosen_method.tune is not None and classes is not None:
        converted = chosen_method.tune(tuned, converted, pixels, classes, told, tell)
    provenance = {
        "method": method,
        "options": _plain(told),
        "eta": told.eta,
        "scale": float(scale),
        "mean": _list(mean),
        "std": _list(std),
        "calibration_images": len(pixels),
        "finetuning": None if finetuning is None else vars(finetuning) | {"images": len(every)},
        **converted.figures,
        "hwgen": _version(),
    }
    if classes is not None:
        hits = run_float(graph, values).argmax(axis=1) == classes
        provenance["float_accuracy"] = 100 * float(hits.mean())
    network = Network(
        name=name,
        input=converted.input,
        nodes=converted.nodes,
        provenance=provenance,
        probe=pixels[_spread(len(pixels), PROBE_IMAGES)],
    )
    try:
        network.verify()
    except NetworkError as error:
        raise ConversionError(f"the model gives no legal network: {error}") from error
    return network


def _as_frames(images: np.ndarray, *, timesteps: int) -> np.ndarray:
    """Frames of events as uint8, or :class:`DataError`."""
    where = "calibration frames of events"
    if images.dtype.kind not in "bu" or not images.size or int(images.max()) > 1:
        raise DataError(
            f"{where}: must be 0 and 1, unsigned, and not empty, not {images.dtype} of shape "
            f"{images.shape}"
        )
    if images.shape[1] != timesteps:
        raise DataError(
            f"{where}: are of {images.shape[1]} timesteps, but the input has {timesteps}; cut the "
            f"events into as many"
        )
    return images.astype(np.uint8)


def _spread(length: int, wanted: int) -> np.ndarray:
    """Indices of ``wanted`` items (all, where there are fewer), evenly spread over ``length``."""
    return np.linspace(0, length - 1, min(length, wanted)).round().astype(int)


def _options(**options: Any) -> Options:
    try:
        return Options(**options)
    except TypeError as error:
        known = ", ".join(sorted(Options.__dataclass_fields__))
        raise ConversionError(f"{error}; the options are {known}") from error


def _require_range(pixels: np.ndarray, options: Options) -> None:
    bits, largest = options.pixel_bits or 8, int(pixels.max())
    if largest >= 1 << bits:
        raise ConversionError(f"pixels must fit {bits} bits, but the largest is {largest}")


def _require_fit(graph: FloatGraph, options: Options) -> None:
    """Options that depend on the network: layers that exist."""
    populations = [node for node in graph.nodes if isinstance(node, Population)]
    ends = options.decoder in FIRING
    layers = [INPUT, *(node.name for node in populations if node.fires or ends)]
    unknown = [name for name in options.layer_timesteps if name not in layers]
    if unknown:
        raise ConversionError(
            f"timesteps are given for {', '.join(unknown)}, but the network has {', '.join(layers)}"
        )


def _plain(options: Options) -> dict[str, Any]:
    return {
        key: dict(value) if isinstance(value, Mapping) else value
        for key, value in vars(options).items()
    }


def _list(numbers: Numbers | None) -> list[float] | None:
    return None if numbers is None else [float(x) for x in np.ravel(np.asarray(numbers))]


def _version() -> str:
    try:
        return metadata.version("hwgen")
    except metadata.PackageNotFoundError:
        return "unknown"
