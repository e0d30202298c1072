"""From a trained PyTorch network to a :class:`hwgen.Network` of integers.

    trace        PyTorch → OpGraph: operators, or refusals that name them all
    fold         OpGraph → FloatGraph: populations, with batch norms and averages folded in
    calibrate    FloatGraph on calibration images
    thresholds   output scales with the least conversion error
    quantise     integer weights and thresholds
    METHODS      FloatGraph + calibration images → integers, one file a method

Importers of other formats make an OpGraph; everything after it is shared.
"""

from hwgen.convert.conversion import convert
from hwgen.convert.load import load_model, load_weights
from hwgen.convert.methods import METHODS
from hwgen.convert.options import CORRECTIONS, ERRORS, INPUTS, NEURONS, THRESHOLDS, Options

__all__ = [
    "CORRECTIONS",
    "ERRORS",
    "INPUTS",
    "METHODS",
    "NEURONS",
    "THRESHOLDS",
    "Options",
    "convert",
    "load_model",
    "load_weights",
]
