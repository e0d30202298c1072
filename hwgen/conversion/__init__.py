"""Conversion of a trained PyTorch network to a :class:`hwgen.Network` of integers.

::

    trace         PyTorch → OpGraph: operations of the model, or refusals that list them all
    merge clamps  OpGraph: consecutive clamps become one
    fuse          OpGraph → FloatGraph: populations; batch norms and averages go into weights
    fine-tune     FloatGraph, trained for few timesteps (optional)
    quantise      FloatGraph and calibration images → integer weights, biases and thresholds
    tune          search of thresholds by labelled images (method "feedback")

Importers of other formats make an OpGraph and share all later stages. Names are imported on first
use, as most need torch; :mod:`choices`, :mod:`combinations`, :mod:`options`, :mod:`provenance` and
:mod:`methods.registry` do not.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hwgen.conversion.calibration.conversion_error import (
        Optimum,
        best_leak,
        best_threshold,
        conversion_error,
    )
    from hwgen.conversion.calibration.finetuning import Finetuning
    from hwgen.conversion.choices import (
        BiasCorrection,
        DecoderKind,
        ErrorNorm,
        NeuronKind,
        Rounding,
        ThresholdRule,
    )
    from hwgen.conversion.combinations import legal_combinations
    from hwgen.conversion.frontend.model_files import load_model
    from hwgen.conversion.frontend.weight_files import load_weights
    from hwgen.conversion.methods.adjustment import adjust
    from hwgen.conversion.methods.registry import METHODS
    from hwgen.conversion.options import Options
    from hwgen.conversion.pipeline import convert
    from hwgen.conversion.provenance import Provenance

_MODULES = {
    "calibration.conversion_error": "Optimum best_leak best_threshold conversion_error",
    "calibration.finetuning": "Finetuning",
    "choices": "BiasCorrection DecoderKind ErrorNorm NeuronKind Rounding ThresholdRule",
    "combinations": "legal_combinations",
    "frontend.model_files": "load_model",
    "frontend.weight_files": "load_weights",
    "methods.adjustment": "adjust",
    "methods.registry": "METHODS",
    "options": "Options",
    "pipeline": "convert",
    "provenance": "Provenance",
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names.split()}

__all__ = [
    "METHODS",
    "BiasCorrection",
    "DecoderKind",
    "ErrorNorm",
    "Finetuning",
    "NeuronKind",
    "Optimum",
    "Options",
    "Provenance",
    "Rounding",
    "ThresholdRule",
    "adjust",
    "best_leak",
    "best_threshold",
    "conversion_error",
    "convert",
    "legal_combinations",
    "load_model",
    "load_weights",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f"{__name__}.{_HOMES[name]}")
    globals()[name] = value = getattr(module, name)
    return value
