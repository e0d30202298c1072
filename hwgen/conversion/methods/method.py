"""What a conversion method is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hwgen.conversion.float_graph import FloatGraph
from hwgen.conversion.options import Converted, Options, Progress


@dataclass(frozen=True, kw_only=True)
class Method:
    """A way from a float network to a spiking one.

    Parameters
    ----------
    convert : function
        Of a float graph, calibration images (samples, channels, height, width), options, progress.
    paper : str
    neurons : tuple of str
        Names in :data:`hwgen.conversion.NEURONS` that it knows, the usual one first.
    needs : str
        What it is given besides the trained model.
    defaults : mapping
        Options that differ from those of :class:`hwgen.conversion.Options`.
    tune : function, or None
        Of the float graph, what ``convert`` gave, calibration images, their labels (samples,),
        options, progress: what a method does that needs labels.
    """

    convert: Callable[[FloatGraph, np.ndarray, Options, Progress], Converted]
    paper: str
    neurons: tuple[str, ...]
    needs: str
    defaults: Mapping[str, Any] = field(default_factory=dict)
    tune: (
        Callable[[FloatGraph, Converted, np.ndarray, np.ndarray, Options, Progress], Converted]
        | None
    ) = None
