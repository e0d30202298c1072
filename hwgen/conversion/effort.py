"""``--effort best``: converts in several ways, and keeps the one closest to the float model.

What is tried are options that the user left open; and fine-tuning, where rounding costs most, if
there are images enough (:mod:`hwgen.conversion.calibration.training_budget`). The ways are compared
by the signal-to-error ratio of the logits on held-out calibration images, without labels. These are
images that the model was trained on, as those of the calibration are: to be kept, a way must be
closer than the one that "fast" takes by more than MARGIN, not by a detail of these images.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from hwgen.arguments import require_integer
from hwgen.conversion.calibration.fidelity import measure
from hwgen.conversion.calibration.finetuning import Finetuning
from hwgen.conversion.calibration.images import spread
from hwgen.conversion.choices import Effort, Rounding
from hwgen.conversion.converted import Converted
from hwgen.conversion.float_graph import FloatGraph
from hwgen.conversion.options import Options
from hwgen.conversion.provenance import Fidelity, Trial
from hwgen.conversion.stages import Graph, Stage, run_stages
from hwgen.conversion.task import Task
from hwgen.errors import ConversionError

CALIBRATION_IMAGES = {Effort.FAST: 1000, Effort.BEST: 3000}
"""More than 1,000 change no scale, but serve a fit of the weights."""

MARGIN = 0.5
"""In dB: an eighth of the power of the error."""

HELD_OUT_IMAGES = 512
HELD_OUT_SHARE = 5  # one image in five, where calibration would take all
FEWEST_IMAGES = 10  # fewer are not divided
FINE_TUNED = "fine-tuning"


@dataclass(frozen=True, kw_only=True, eq=False)
class Way:
    """One way to convert."""

    name: str
    options: Options
    finetuning: Finetuning | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcome:
    """What one way gave, and its fidelity."""

    way: Way
    converted: Converted
    fidelity: Fidelity

    @property
    def trial(self) -> Trial:
        return Trial(
            name=self.way.name,
            agreement=self.fidelity.agreement,
            signal_to_error=self.fidelity.signal_to_error,
        )


def divide(count: int, wanted: int | None, effort: Effort) -> tuple[np.ndarray, np.ndarray, bool]:
    """Indices of images to calibrate on, and to measure on; and whether the latter are held out.

    At most ``wanted`` calibrate; None takes CALIBRATION_IMAGES of the effort.
    Images that calibration does not need are held out. Where it would take all ``count``, effort
    "best" holds one in five back, and "fast" measures on those of the calibration.
    """
    if wanted is not None:
        require_integer("calibration_images", wanted, 1, error=ConversionError)
    chosen = spread(count, CALIBRATION_IMAGES[effort] if wanted is None else wanted)
    spare = np.setdiff1d(np.arange(count), chosen)
    if not len(spare) and effort is Effort.BEST and count >= FEWEST_IMAGES:
        spare = np.arange(HELD_OUT_SHARE - 1, count, HELD_OUT_SHARE)
        chosen = np.setdiff1d(chosen, spare)
    held_out = bool(len(spare))
    measured = spare if held_out else chosen
    return chosen, measured[spread(len(measured), HELD_OUT_IMAGES)], held_out


def ways(
    options: Options,
    effort: Effort,
    left_open: Iterable[str],
    *,
    finetuning: Finetuning | None = None,
    training: Finetuning | None = None,
) -> list[Way]:
    """Ways to convert: the first with ``options`` as they are.

    ``finetuning`` is the user's, which leaves nothing open: it judges its result itself.
    ``training`` is one that may be tried.
    """
    if finetuning is not None:
        return [Way(name=FINE_TUNED, options=options, finetuning=finetuning)]
    first = Way(name=f"{options.rounding} rounding", options=options)
    if effort is Effort.FAST:
        return [first]
    found = [first]
    if "rounding" in left_open:
        found += (
            Way(name=f"{rounding} rounding", options=replace(options, rounding=rounding))
            for rounding in Rounding
            if rounding is not options.rounding
        )
    if training is not None:
        found.append(Way(name=FINE_TUNED, options=options, finetuning=training))
    return found


def best_of(
    several: Sequence[Way],
    task: Task,
    before: Mapping[str, Graph],
    stages: Sequence[Stage],
    images: np.ndarray,
    *,
    held_out: bool,
    dump: Path | None = None,
) -> list[Outcome]:
    """Outcomes of all ways, the best one first.

    ``before`` are the graphs that all ways share, ``images`` those to measure on. Several ways
    have a folder each in ``dump``.
    """
    graph, fused = list(before.values())[-1], before["fuse"]
    assert isinstance(fused, FloatGraph)
    outcomes = []
    for way in several:
        folder = dump
        if dump is not None and len(several) > 1:
            folder = dump / way.name.replace(" ", "-")
        own = replace(task, options=way.options, finetuning=way.finetuning)
        _, graphs = run_stages(own, graph, stages, folder, done=len(before))
        converted = list(graphs.values())[-1]
        assert isinstance(converted, Converted)
        fidelity = measure(converted, fused, images, held_out=held_out)
        outcomes.append(Outcome(way=way, converted=converted, fidelity=fidelity))
    return ranked(outcomes)


def ranked(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """The best outcome first; that of the first way is ahead by MARGIN."""
    plain = outcomes[0]

    def ratio(outcome: Outcome) -> float:
        return outcome.fidelity.signal_to_error + MARGIN * (outcome is plain)

    return sorted(outcomes, key=ratio, reverse=True)
