"""Fine-tuning after conversion, for trains of few timesteps (T ≤ 4, where rounding costs most).

The fused float network gets the activation of its spiking neurons,

::

    y = λ·min(⌊max(u, 0) / λ + η⌋, q_max),

and is trained for a few epochs towards its own logits without it (distillation, which needs no
labels). Gradients ignore the rounding (straight-through), and λ is trained, too
(:class:`hwgen.conversion.float_graph.Steps`). Inputs are the values of their codes. This activation
is the closed form of a two-phase neuron, so conversion keeps the λ found here; only the rounding of
the weights costs accuracy.

Training starts from fitted weights (:mod:`hwgen.conversion.calibration.starting_point`). Its result
is kept only if it is better than no training, on images that it has not seen. Values are trained in
units of about λ, so that the optimiser sees the same numbers whatever the scale of a layer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwgen.arguments import require_integer, require_number
from hwgen.conversion.calibration.distillation import Lessons, Schedule, distil
from hwgen.conversion.calibration.images import spread
from hwgen.conversion.calibration.rounded_weights import WeightRounding, with_pads_of
from hwgen.conversion.calibration.starting_point import Start
from hwgen.conversion.calibration.student import Student
from hwgen.conversion.calibration.units import in_units, inverse
from hwgen.conversion.converted import Progress
from hwgen.conversion.float_graph import FloatGraph
from hwgen.conversion.options import Options
from hwgen.errors import ConversionError


@dataclass(frozen=True, kw_only=True)
class Finetuning:
    """Parameters of fine-tuning.

    ``epochs`` are passes over the images, in the order of ``seed``, with ``batch`` images per step.
    ``learning_rate`` is Adam's, as a share of each tensor's root mean square; it decays to 0.
    At most ``images`` are trained on, evenly spread; None takes all.
    """

    epochs: int = 3
    learning_rate: float = 0.01
    batch: int = 64
    seed: int = 0
    images: int | None = None

    def __post_init__(self) -> None:
        for name in ("epochs", "batch", "images"):
            if (value := getattr(self, name)) is not None:
                require_integer(f"fine-tuning: {name}", value, 1, error=ConversionError)
        rule, what = "above 0, up to 1", "fine-tuning: learning_rate"
        rate = self.learning_rate
        require_number(what, rate, rule, lambda x: 0 < x <= 1, error=ConversionError)

    def count(self, given: int) -> int:
        """Number of images, of those ``given``, that are trained on."""
        return given if self.images is None else min(given, self.images)

    def plain(self, given: int) -> dict[str, int | float]:
        """Plain values by name; ``images`` is the number that is trained on, of those ``given``."""
        return vars(self) | {"images": self.count(given)}


def finetune(
    graph: FloatGraph,
    images: np.ndarray,
    options: Options,
    tuning: Finetuning,
    progress: Progress = lambda *_: None,
) -> FloatGraph:
    """Train the weights and biases of ``graph``, and a scale λ for every population that fires.

    The more training ``images`` (samples, channels, height, width), the better. If training does
    not help, the result is ``graph``. Raises :class:`.ConversionError` for a single-phase neuron:
    its spike count is not a function of the sum of its inputs.
    """
    if options.neuron.single_phase:
        raise ConversionError(
            f"fine-tuning trains the closed form of two-phase neurons, not {options.neuron!r}; use "
            f"neuron ilif, if2 or ttfs"
        )
    if not options.inverse_leak.doubles:
        raise ConversionError(
            "fine-tuning needs equidistant levels, so leak must be 2; leave it out"
        )
    images = images[spread(len(images), tuning.count(len(images)))]
    lessons = Lessons(graph, images, options, tuning.seed)
    start = Start(graph, lessons, options)
    largest = lessons.source.train_type.q_max * lessons.decoding.step
    rounding = WeightRounding(lessons.decoding, largest, options.weight_bits)
    student = Student(in_units(rounding.ready(start.best), start.units), rounding)
    batches = -(-len(lessons.known) // tuning.batch)
    schedule = Schedule(steps=tuning.epochs * batches, batch=tuning.batch, seed=tuning.seed)
    distil(
        student,
        lessons,
        schedule,
        rate=tuning.learning_rate,
        unit=start.units[graph.nodes[-1].name].item(0),
        report=lambda step: progress(step // batches, tuning.epochs, "fine-tuning"),
    )
    trained = with_pads_of(in_units(student.graph(), inverse(start.units)), graph)
    kept, what = lessons.better(start.untrained, trained)
    progress(tuning.epochs, tuning.epochs, f"fine-tuning {what}")
    return trained if kept else graph
