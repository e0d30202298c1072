"""From a trained PyTorch network to a :class:`hwgen.Network` of integers.

    trace        PyTorch → OpGraph: operators, or refusals that name them all
    fuse         OpGraph → FloatGraph: populations, with batch norms and averages folded in
    finetune     FloatGraph → one that is trained for few timesteps; left out unless asked for
    calibrate    FloatGraph on calibration images
    thresholds   output scales with the least conversion error
    quantise     integer weights and thresholds
    METHODS      FloatGraph + calibration images → integers, one file a method

    best_threshold, best_leak, conversion_error    SpikeConverter's Eq. 13, with no network

Importers of other formats make an OpGraph; everything after it is shared.
"""

from hwgen.conversion.calibration.conversion_error import (
    Optimum,
    best_leak,
    best_threshold,
    conversion_error,
)
from hwgen.conversion.calibration.finetuning import Finetuning
from hwgen.conversion.combinations import DECODERS, combinations
from hwgen.conversion.frontend.model_files import load_model, load_weights
from hwgen.conversion.methods.adjustment import adjust
from hwgen.conversion.methods.registry import METHODS
from hwgen.conversion.options import (
    CORRECTIONS,
    ERRORS,
    INPUTS,
    NEURONS,
    THRESHOLDS,
    Options,
)
from hwgen.conversion.pipeline import convert

__all__ = [
    "CORRECTIONS",
    "DECODERS",
    "ERRORS",
    "INPUTS",
    "METHODS",
    "NEURONS",
    "Optimum",
    "THRESHOLDS",
    "Finetuning",
    "Options",
    "adjust",
    "combinations",
    "best_leak",
    "best_threshold",
    "conversion_error",
    "convert",
    "load_model",
    "load_weights",
]
