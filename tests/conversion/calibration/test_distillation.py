"""Distillation: what is held out, the divergence by hand, the order of batches."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from hwgen.conversion.calibration.distillation import Lessons, Schedule
from hwgen.conversion.float_graph import FloatGraph
from hwgen.conversion.options import Options
from tests.support.float_models import fused, pixels


def model() -> nn.Module:
    torch.manual_seed(2)
    return nn.Sequential(nn.Flatten(), nn.Linear(18, 8), nn.ReLU(), nn.Linear(8, 4)).eval()


def graph() -> FloatGraph:
    return fused(model(), (2, 3, 3))


def lessons(samples: int = 40) -> Lessons:
    return Lessons(graph(), pixels((2, 3, 3), samples=samples), Options(), 0)


def test_the_divergence_by_hand() -> None:
    """Of two softmaxes; the temperature is the standard deviation of all logits."""
    known = pixels((2, 3, 3), samples=40)
    with torch.no_grad():
        wanted = model()(torch.from_numpy(known).float() / 255).double().numpy()
    temperature, picks = wanted.std(ddof=1), np.array([3, 7, 8])
    given = np.random.default_rng(1).normal(size=(3, 4))

    def chances(logits: np.ndarray) -> np.ndarray:
        powers = np.exp(logits / temperature)
        return powers / powers.sum(axis=1, keepdims=True)

    p, q = chances(wanted[picks]), chances(given)
    expected = (p * np.log(p / q)).sum(axis=1).mean()
    measured = lessons().divergence(torch.from_numpy(given).float(), picks)
    assert float(measured) == pytest.approx(expected, rel=1e-4)


def test_a_single_logit_is_compared_with_zero() -> None:
    """Chances of class 1 are σ(z / temperature); a softmax over one class would teach nothing."""
    torch.manual_seed(2)
    made = nn.Sequential(nn.Flatten(), nn.Linear(18, 8), nn.ReLU(), nn.Linear(8, 1)).eval()
    known, picks = pixels((2, 3, 3), samples=40), np.array([1, 5])
    with torch.no_grad():
        wanted = made(torch.from_numpy(known).float() / 255).double().numpy()
    p = 1 / (1 + np.exp(-wanted[picks] / (wanted.std(ddof=1))))
    q = 1 / (1 + np.exp(-np.array([[0.3], [-0.1]]) / (wanted.std(ddof=1))))
    expected = (p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))).mean()
    lessons = Lessons(fused(made, (2, 3, 3)), known, Options(), 0)
    measured = lessons.divergence(torch.tensor([[0.3], [-0.1]]), picks)
    assert float(measured) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("factor", [2.0**-40, 2.0**40])
def test_the_divergence_does_not_depend_on_the_scale_of_logits(factor: float) -> None:
    *nodes, last = graph().nodes
    (projection,) = last.projections
    projection = replace(projection, weights=projection.weights * factor)
    scaled = replace(last, projections=(projection,), bias=last.bias * factor)
    known, picks = pixels((2, 3, 3), samples=40), np.arange(7)
    other = Lessons(replace(graph(), nodes=(*nodes, scaled)), known, Options(), 0)
    logits = torch.linspace(-1, 1, 28).reshape(7, 4)
    assert other.divergence(factor * logits, picks) == lessons().divergence(logits, picks)


def test_a_batch_has_the_mean_of_its_images_as_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    """20 images are parts of 16 and 4. The loss is w·x: one step is the mean of x."""
    monkeypatch.setattr(torch.optim, "Adam", torch.optim.SGD)
    x, w = torch.arange(20.0) ** 2, torch.zeros(1, requires_grad=True)
    schedule = Schedule(steps=1, batch=20, seed=0)
    schedule.train([{"params": [w], "lr": 1.0}], np.arange(20), lambda part: (w * x[part]).mean())
    assert w.item() == pytest.approx(-(19 * 20 * 39 / 6) / 20)


def test_a_tenth_of_the_images_is_held_out() -> None:
    made = lessons(40)
    assert (len(made.held_out), len(made.known)) == (4, 36)
    assert sorted([*made.held_out, *made.known]) == list(range(40))
    assert len(lessons(9).held_out) == 0
    assert len(lessons(6000).held_out) == 512


def test_the_better_network_is_the_nearer_one_on_images_held_out() -> None:
    made, near = lessons(), graph()

    def shifted(by: float) -> FloatGraph:
        *nodes, last = near.nodes
        return replace(near, nodes=(*nodes, replace(last, bias=last.bias + by * np.arange(4))))

    assert made.better(shifted(0.2), shifted(0.1))[0]
    kept, what = made.better(shifted(0.1), shifted(0.2))
    assert not kept
    assert what.startswith("dropped: divergence 0.")
    assert not made.better(near, near)[0]
    assert not made.better(near, shifted(np.nan))[0]
    made.logits[made.known] += 9 * torch.arange(4)  # what training saw judges nothing
    assert made.better(shifted(0.1), near)[0]


def test_batches_repeat_no_image_before_all_were_seen() -> None:
    picks = np.array([2, 3, 5, 7, 11])
    first, second, third, *_ = batches = list(Schedule(steps=5, batch=2, seed=1).batches(picks))
    assert [len(batch) for batch in batches] == [2, 2, 1, 2, 2]
    assert sorted(np.concatenate([first, second, third])) == picks.tolist()
    again = list(Schedule(steps=5, batch=2, seed=1).batches(picks))
    other = list(Schedule(steps=5, batch=2, seed=2).batches(picks))
    assert np.array_equal(np.concatenate(batches), np.concatenate(again))
    assert not np.array_equal(np.concatenate(batches), np.concatenate(other))
