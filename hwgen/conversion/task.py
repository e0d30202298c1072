"""What the stages of a conversion read besides the graph."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwgen.conversion.calibration.finetuning import Finetuning
from hwgen.conversion.calibration.input_decoding import counts_of
from hwgen.conversion.converted import Progress, Tuner
from hwgen.conversion.options import Options

CHECKED_IMAGES = 4


@dataclass(frozen=True, kw_only=True, eq=False)
class Task:
    """Images, options and functions of one conversion.

    Parameters
    ----------
    images : unsigned integer array
        Calibration images (samples, channels, height, width), or frames of events.
    all_images : the same, all that the user gave
    labels : integer array, shape (samples,), or None
        Labels of ``images``.
    scale, offset : float64 arrays, shape (channels,)
        The model gets scale · pixel + offset.
    options : Options
    finetuning : Finetuning or None
    tuner : function, or None
        Tuning of the method; needs labels.
    progress : function
    """

    images: np.ndarray
    all_images: np.ndarray
    labels: np.ndarray | None
    scale: np.ndarray
    offset: np.ndarray
    options: Options
    finetuning: Finetuning | None
    tuner: Tuner | None
    progress: Progress

    @property
    def few_pixels(self) -> np.ndarray:
        """Pixels for numerical checks."""
        return counts_of(self.images[:CHECKED_IMAGES])

    @property
    def few_ready(self) -> np.ndarray:
        """Inputs of the float model for ``few_pixels``, float32."""
        scale, offset = (array.reshape(-1, 1, 1) for array in (self.scale, self.offset))
        return np.asarray(self.few_pixels * scale + offset, np.float32)
