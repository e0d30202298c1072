"""Training of a network with steps towards the logits of the float network. Needs no labels.

The loss is the divergence of the two softmaxes of the logits, at a temperature that shows the
float network's opinion of every class, not only of the first. Gradients are summed over parts of a
batch, in their order: the number of threads changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from hwgen.conversion.calibration import float_run as calibrate
from hwgen.conversion.calibration.input_decoding import counts_of, decode_input, encode, make_input
from hwgen.conversion.calibration.student import Student
from hwgen.conversion.float_graph import FloatGraph
from hwgen.conversion.options import Options
from hwgen.conversion.threads import map_batches

SOFTNESS = 1.0  # temperature of the softmaxes, in standard deviations of the logits
HELD_OUT = 512  # at most as many images are for judging
_HELD_OUT_SHARE = 10  # and at most one in as many
_PART = 16  # images of a batch on one thread


class Lessons:
    """Images, as values of their codes, and the logits of the float network for them.

    Some of the images are ``held_out``: no training sees them. ``seed`` is that of their choice.
    """

    def __init__(self, graph: FloatGraph, images: np.ndarray, options: Options, seed: int) -> None:
        pixels = counts_of(images)
        self.source = make_input(graph, options)
        self._images = images
        self.decoding = decode_input(pixels, self.source, graph)
        self.logits = torch.from_numpy(calibrate.run_float(graph, pixels))
        # In units of their own spread, so that small logits count as much as large ones.
        self._temperature = SOFTNESS * (float(self.logits.double().std()) or 1.0)
        order = np.random.default_rng(seed).permutation(len(images))
        apart = min(HELD_OUT, len(images) // _HELD_OUT_SHARE)
        self.held_out, self.known = np.sort(order[:apart]), np.sort(order[apart:])

    def pixels(self, picks: np.ndarray) -> np.ndarray:
        return counts_of(self._images[picks])

    def values(self, picks: np.ndarray) -> torch.Tensor:
        return self.decoding.of(calibrate.as_tensor(encode(self._images[picks], self.source)))

    def divergence(self, logits: torch.Tensor, picks: np.ndarray) -> torch.Tensor:
        """Mean divergence of ``logits`` for the images ``picks`` from the float network's."""
        wanted = F.log_softmax(_of_classes(self.logits[picks] / self._temperature), dim=1)
        given = F.log_softmax(_of_classes(logits / self._temperature), dim=1)
        return F.kl_div(given, wanted, log_target=True, reduction="batchmean")

    def better(self, before: FloatGraph, after: FloatGraph) -> tuple[bool, str]:
        """Whether ``after`` diverges less on images held out (all, if there are too few); a report.

        Not a number is never less.
        """
        picks = self.held_out if len(self.held_out) else self.known
        values = self.values(picks).numpy()
        old, new = (
            float(self.divergence(torch.from_numpy(calibrate.run_float(graph, values)), picks))
            for graph in (before, after)
        )
        kept = new < old
        return kept, f"{'kept' if kept else 'dropped'}: divergence {old:.4f} -> {new:.4f}"


def _of_classes(logits: torch.Tensor) -> torch.Tensor:
    """Logits of all classes: a single one is that of class 1, and class 0 has 0."""
    return F.pad(logits, (1, 0)) if logits.shape[1] == 1 else logits


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
        before: Callable[[int], None] = lambda step: None,
    ) -> None:
        """Minimise ``loss_of``, a mean over some ``picks``, by the parameter ``groups``.

        ``before`` is called before each step.
        """
        optimiser = torch.optim.Adam(groups)
        rates = [group["lr"] for group in groups]
        tensors = [tensor for group in groups for tensor in group["params"]]

        def gradients(part: np.ndarray, of: int) -> Sequence[torch.Tensor]:
            return torch.autograd.grad(loss_of(part) * (len(part) / of), tensors)

        for step, batch in enumerate(self.batches(picks)):
            before(step)
            share = (1 + math.cos(math.pi * step / self.steps)) / 2
            for group, rate in zip(optimiser.param_groups, rates):
                group["lr"] = rate * share
            parts = [batch[first : first + _PART] for first in range(0, len(batch), _PART)]
            found = map_batches(partial(gradients, of=len(batch)), parts)
            for tensor, *each in zip(tensors, *found):
                tensor.grad = torch.stack(each).sum(dim=0)
            optimiser.step()


def distil(
    student: Student,
    lessons: Lessons,
    schedule: Schedule,
    *,
    rate: float,
    unit: float,
    report: Callable[[int], None] = lambda step: None,
) -> None:
    """Train all of ``student``, whose logits are in ``unit``, towards the float network's."""

    def loss_of(picks: np.ndarray) -> torch.Tensor:
        return lessons.divergence(student.logits(lessons.values(picks)) * unit, picks)

    def before(step: int) -> None:
        report(step)
        student.refresh()

    schedule.train(student.groups(rate), lessons.known, loss_of, before)
