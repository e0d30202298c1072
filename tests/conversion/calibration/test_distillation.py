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
    """Of two softmaxes; the temperature is half the standard deviation of all logits."""
    known = pixels((2, 3, 3), samples=40)
    with torch.no_grad():
        wanted = model()(torch.from_numpy(known).float() / 255).double().numpy()
    temperature, picks = 0.5 * wanted.std(ddof=1), np.array([3, 7, 8])
    given = np.random.default_rng(1).normal(size=(3, 4))

    def chances(logits: np.ndarray) -> np.ndarray:
        powers = np.exp(logits / temperature)
        return powers / powers.sum(axis=1, keepdims=True)

    p, q = chances(wanted[picks]), chances(given)
    expected = (p * np.log(p / q)).sum(axis=1).mean()
    measured = lessons().divergence(torch.from_numpy(given).float(), picks)
    assert float(measured) == pytest.approx(expected, rel=1e-4)


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
