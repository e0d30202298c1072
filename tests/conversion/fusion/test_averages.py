"""Averages before a linear layer: the hardware stores no more weights than the model has."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from torch import nn
from torch.nn import functional as F

from hwgen.conversion.float_graph import FloatConv2d, FloatLinear, Population
from hwgen.conversion.fusion import compose
from hwgen.network import equal_taps, stored_weights
from tests.support.float_models import Forward, assert_fuses, populations, randomised

S = nn.Sequential


def net(average: nn.Module, features: int, *between: nn.Module) -> Callable[[], nn.Module]:
    """Four maps of 10 × 10, their average, and a linear layer of 5 classes."""
    return lambda: S(
        nn.Conv2d(3, 4, 3), nn.ReLU(), average, *between, nn.Flatten(), nn.Linear(features, 5)
    )


MERGED = {
    "tiles": (net(nn.AvgPool2d(2), 100), (10, 10), (2, 2)),
    "uneven tiles": (net(nn.AvgPool2d((5, 2)), 40), (10, 10), (5, 2)),
    "last row and column left out": (net(nn.AvgPool2d(3), 36), (9, 9), (3, 3)),
    "padded": (net(nn.AvgPool2d(4, padding=1), 36), (12, 12), (4, 4)),
    "padded, no padding counts": (
        net(nn.AvgPool2d(4, padding=2, divisor_override=3), 36), (12, 12), (4, 4)
    ),
    "columns": (net(nn.AvgPool2d((1, 5)), 80), (10, 10), (1, 5)),
    "whole columns": (net(nn.AvgPool2d((10, 1)), 40), (10, 10), (10, 1)),
    "batch norm between": (net(nn.AvgPool2d(2), 100, nn.BatchNorm2d(4)), (10, 10), (2, 2)),
    "global": (net(nn.AdaptiveAvgPool2d(1), 4), (10, 10), (10, 10)),
    "of pixels": (lambda: S(nn.AvgPool2d(2), nn.Flatten(), nn.Linear(108, 5)), (12, 12), (2, 2)),
}  # fmt: skip


@pytest.mark.parametrize("name", MERGED)
def test_windows_that_tile_the_map_become_tiles_of_equal_taps(name: str) -> None:
    make, kernel, tile = MERGED[name]
    model = randomised(make())
    graph = assert_fuses(model)
    (projection,) = graph.nodes[-1].projections
    assert isinstance(projection, FloatConv2d)
    assert projection.weights.shape[2:] == kernel
    assert equal_taps(projection.weights) == tile
    assert stored_weights(projection.weights).size == model[-1].weight.numel()
    assert populations(graph) == (["2"] if name == "of pixels" else ["0", str(len(model) - 1)])


POPULATIONS = {
    "overlapping": net(nn.AvgPool2d(3, 2), 64),
    "with gaps": net(nn.AvgPool2d(2, 3), 36),
    "overlapping in one direction": net(nn.AvgPool2d(2, (2, 1)), 180),
    "overlapping, padded": net(nn.AvgPool2d(3, 2, padding=1), 100),
}


@pytest.mark.parametrize("name", POPULATIONS)
def test_other_windows_become_a_population(name: str) -> None:
    model = randomised(POPULATIONS[name]())
    graph = assert_fuses(model)
    average, classifier = (n for n in graph.nodes[1:] if isinstance(n, Population))
    assert stored_weights(average.projections[0].weights).size == 4
    (projection,) = classifier.projections
    assert isinstance(projection, FloatLinear)
    assert projection.weights.size == model[-1].weight.numel()


def test_a_merged_map_that_is_too_large_becomes_a_population(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(compose, "MAX_WEIGHTS", 5 * 4 * 100)
    assert len(populations(assert_fuses(randomised(MERGED["tiles"][0]())))) == 2
    monkeypatch.setattr(compose, "MAX_WEIGHTS", 5 * 4 * 100 - 1)
    assert len(populations(assert_fuses(randomised(MERGED["tiles"][0]())))) == 3


def test_a_map_with_two_readers_is_averaged_once_for_each() -> None:
    """One reads pixels, one reads averages; their sums are one layer."""
    model = Forward(
        lambda m, x: (lambda y: m.a(F.avg_pool2d(y, 2).flatten(1)) + m.b(y.flatten(1)))(
            F.relu(m.conv(x))
        ),
        conv=nn.Conv2d(3, 4, 3), a=nn.Linear(100, 5), b=nn.Linear(400, 5),
    ).eval()  # fmt: skip
    graph = assert_fuses(model)
    tiles = sorted(stored_weights(p.weights).size for p in graph.nodes[-1].projections)
    assert tiles == [5 * 100, 5 * 400]
    assert populations(graph)[0] == "conv"
    assert np.prod(graph.nodes[-1].bias.shape) == 5
