"""What the stages of a conversion read besides the graph."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hwgen.conversion.calibration.finetuning import Finetuning
from hwgen.conversion.calibration.input_decoding import counts_of
from hwgen.conversion.converted import Progress, Tuner
from hwgen.conversion.op_graph import OpGraph
from hwgen.conversion.options import Options

CHECKED_IMAGES = 4
Check = Callable[[OpGraph], None]
"""Function that warns of models for which a method is not meant."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Task:
    """Images, options and functions of one conversion."""

    images: np.ndarray  # for calibration (samples, channels, height, width), or frames of events
    training_images: np.ndarray  # for fine-tuning: all that nothing is measured on
    labels: np.ndarray | None  # of ``images``
    scale: np.ndarray  # (channels,): the model gets scale · pixel + offset
    offset: np.ndarray
    options: Options
    finetuning: Finetuning | None
    tuner: Tuner | None  # of the method; needs labels
    check: Check | None  # of the method
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
