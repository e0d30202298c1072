"""Training of a network with steps towards the logits of the float network. Needs no labels.

The loss is the divergence of the two softmaxes of the logits, at a temperature that shows the
float network's opinion of every class, not only of the first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from hwgen.conversion.calibration import float_run as calibrate
from hwgen.conversion.calibration.input_decoding import counts_of, decode_input, encode, make_input
from hwgen.conversion.calibration.student import Student
from hwgen.conversion.float_graph import FloatGraph
from hwgen.conversion.options import Options

SOFTNESS = 0.5  # temperature of the softmaxes, in standard deviations of the logits
HELD_OUT = 512  # at most as many images are for judging
_HELD_OUT_SHARE = 10  # and at most one in as many
_BATCH = 256


class Lessons:
    """Images, as values of their codes, and the logits of the float network for them.

    Some of the images are ``held_out``: no training sees them. ``seed`` is that of their choice.
    """

    def __init__(self, graph: FloatGraph, images: np.ndarray, options: Options, seed: int) -> None:
        pixels = counts_of(images)
        self._source = make_input(graph, options)
        self._images = images
        self._decoding = decode_input(pixels, self._source, graph)
        every = np.arange(len(images))
        self.logits = _logits(graph, every, lambda part: calibrate.as_tensor(self.pixels(part)))
        # In units of their own spread, so that small logits count as much as large ones.
        self._temperature = SOFTNESS * self.logits.std().clamp(min=1e-6)
        order = np.random.default_rng(seed).permutation(len(images))
        apart = min(HELD_OUT, len(images) // _HELD_OUT_SHARE)
        self.held_out, self.known = np.sort(order[:apart]), np.sort(order[apart:])

    def pixels(self, picks: np.ndarray) -> np.ndarray:
        return counts_of(self._images[picks])

    def values(self, picks: np.ndarray) -> torch.Tensor:
        return self._decoding.of(calibrate.as_tensor(encode(self._images[picks], self._source)))

    def divergence(self, logits: torch.Tensor, picks: np.ndarray) -> torch.Tensor:
        """Mean divergence of ``logits`` for the images ``picks`` from the float network's."""
        wanted = F.log_softmax(self.logits[picks] / self._temperature, dim=1)
        given = F.log_softmax(logits / self._temperature, dim=1)
        return F.kl_div(given, wanted, log_target=True, reduction="batchmean")

    def better(self, before: FloatGraph, after: FloatGraph) -> tuple[bool, str]:
        """Whether ``after`` diverges less on images held out (all, if there are too few); a report.

        Not a number is never less.
        """
        picks = self.held_out if len(self.held_out) else self.known
        old, new = (
            float(self.divergence(_logits(graph, picks, self.values), picks))
            for graph in (before, after)
        )
        kept = new < old
        return kept, f"{'kept' if kept else 'dropped'}: divergence {old:.4f} -> {new:.4f}"


def _logits(
    graph: FloatGraph, picks: np.ndarray, values_of: Callable[[np.ndarray], torch.Tensor]
) -> torch.Tensor:
    student = Student(graph)
    parts = (picks[start : start + _BATCH] for start in range(0, len(picks), _BATCH))
    with torch.no_grad():
        return torch.cat([student.logits(values_of(part)) for part in parts])


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Random batches without repetition until all images were seen; rates fall by half a cosine."""

    steps: int
    batch: int
    seed: int

    def batches(self, picks: np.ndarray) -> Iterator[np.ndarray]:
        generator, left = torch.Generator().manual_seed(self.seed), np.empty(0, np.int64)
        for _ in range(self.steps):
            if not len(left):
                left = picks[torch.randperm(len(picks), generator=generator).numpy()]
            yield left[: self.batch]
            left = left[self.batch :]

    def train(
        self,
        groups: list[dict[str, Any]],
        picks: np.ndarray,
        loss_of: Callable[[np.ndarray], torch.Tensor],
        report: Callable[[int], None] = lambda step: None,
    ) -> None:
        """Minimise ``loss_of`` a batch of ``picks`` by the parameter ``groups``."""
        optimiser = torch.optim.Adam(groups)
        rates = [group["lr"] for group in groups]
        for step, batch in enumerate(self.batches(picks)):
            report(step)
            share = (1 + math.cos(math.pi * step / self.steps)) / 2
            for group, rate in zip(optimiser.param_groups, rates):
                group["lr"] = rate * share
            optimiser.zero_grad(set_to_none=True)
            torch.autograd.backward(loss_of(batch))
            optimiser.step()


def distil(
    student: Student,
    lessons: Lessons,
    schedule: Schedule,
    rate: float,
    report: Callable[[int], None] = lambda step: None,
) -> None:
    """Train all of ``student`` towards the logits of the float network."""
    schedule.train(
        student.groups(rate),
        lessons.known,
        lambda batch: lessons.divergence(student.logits(lessons.values(batch)), batch),
        report,
    )
