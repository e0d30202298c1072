"""From a trained PyTorch network to a :class:`hwgen.Network` of integers.

    trace        PyTorch → OpGraph: operators, or refusals that name them all
    fold         OpGraph → FloatGraph: populations, with batch norms and averages folded in
    finetune     FloatGraph → one that is trained for few timesteps; left out unless asked for
    calibrate    FloatGraph on calibration images
    thresholds   output scales with the least conversion error
    quantise     integer weights and thresholds
    METHODS      FloatGraph + calibration images → integers, one file a method

    best_threshold, best_leak, conversion_error    SpikeConverter's Eq. 13, with no network

Importers of other formats make an OpGraph; everything after it is shared.
"""

from hwgen.convert.adjustment import adjust
from hwgen.convert.combinations import DECODERS, combinations
from hwgen.convert.conversion import convert
from hwgen.convert.conversion_error import Optimum, best_leak, best_threshold, conversion_error
from hwgen.convert.finetune import Finetuning
from hwgen.convert.load import load_model, load_weights
from hwgen.convert.methods import METHODS
from hwgen.convert.options import CORRECTIONS, ERRORS, INPUTS, NEURONS, THRESHOLDS, Options

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
