"""The networks that training starts from, and is compared with."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from hwgen.conversion.calibration.distillation import Lessons
from hwgen.conversion.calibration.float_run import preactivation, run_float, run_nodes
from hwgen.conversion.calibration.starting_point import Start, with_steps
from hwgen.conversion.float_graph import FloatGraph, Population
from hwgen.conversion.options import Options
from tests.support.conversion import PLAIN, convert
from tests.support.float_models import Forward, fused, pixels

INPUT = {"layer_timesteps": {"input": 8}}


def model() -> nn.Module:
    def forward(m: nn.Module, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(m.first(x))
        x = torch.relu(m.second(x) + x)
        return m.last(x.flatten(1))

    torch.manual_seed(4)
    return Forward(
        forward, first=nn.Conv2d(1, 6, 3, padding=1), second=nn.Conv2d(6, 6, 3, padding=1),
        last=nn.Linear(96, 4),
    ).eval()  # fmt: skip


KNOWN = pixels((1, 4, 4), samples=300)


def start(**options: object) -> tuple[FloatGraph, Start]:
    graph, chosen = fused(model(), (1, 4, 4)), Options(timesteps=2, **PLAIN | INPUT | options)
    return graph, Start(graph, Lessons(graph, KNOWN, chosen, 0), chosen)


def steps_of(graph: FloatGraph) -> dict[str, np.ndarray]:
    nodes = [node for node in graph.nodes if isinstance(node, Population)]
    return {node.name: node.steps.scale for node in nodes if node.steps is not None}


def layers(one: FloatGraph, other: FloatGraph) -> list[tuple[Population, Population]]:
    return [
        (a, b)
        for a, b in zip(one.nodes, other.nodes)
        if isinstance(a, Population) and isinstance(b, Population)
    ]


@pytest.mark.parametrize("channel_scales", [False, True])
def test_scales_are_those_of_a_conversion_without_training(channel_scales: bool) -> None:
    network = convert(model(), KNOWN, timesteps=2, channel_scales=channel_scales, **INPUT)
    chosen = Options(timesteps=2, channel_scales=channel_scales, **INPUT)
    found = steps_of(with_steps(fused(model(), (1, 4, 4)), KNOWN, chosen))
    wanted = network.provenance["output_scales"]
    assert found.keys() == wanted.keys()
    for name, scale in found.items():
        np.testing.assert_allclose(scale, wanted[name], rtol=1e-5)


def logit_error(graph: FloatGraph, made: FloatGraph) -> float:
    return float(np.square(run_float(made, KNOWN) - run_float(graph, KNOWN)).mean())


def test_fitted_weights_are_nearer_to_the_float_network() -> None:
    graph, made = start(bias_correction="mean", channel_scales=True, error="squared")
    assert logit_error(graph, made.fitted) < 0.8 * logit_error(graph, made.untrained)


def test_corrected_biases_keep_the_mean_sums() -> None:
    """λ and the mean are over the images that are not held out: 270 of 300."""
    graph, made = start(bias_correction="mean")
    wanted, found = run_nodes(graph, KNOWN), run_nodes(made.untrained, KNOWN)
    plain = run_nodes(start()[1].untrained, KNOWN)
    for model_node, node in layers(graph, made.untrained):
        sums = preactivation(model_node, {n: torch.from_numpy(v) for n, v in wanted.items()})
        reached = preactivation(node, {n: torch.from_numpy(v) for n, v in found.items()})
        spread = float(sums.std())
        error = (reached - sums).mean(dim=(0, 2, 3)).abs().max()
        assert float(error) < 0.02 * spread, node.name
    assert not np.allclose(plain["last"], found["last"], rtol=1e-3)


def test_untrained_follows_the_options() -> None:
    graph, made = start()
    for old, new in layers(graph, made.untrained):
        np.testing.assert_array_equal(old.bias, new.bias)
    assert start(rounding="fitted")[1].untrained.nodes[-1].bias == pytest.approx(
        made.fitted.nodes[-1].bias
    )
    graph, made = start(bias_correction="mean")
    for old, new in layers(graph, made.untrained):
        assert all(
            np.array_equal(a.weights, b.weights) for a, b in zip(old.projections, new.projections)
        )


def test_steps_of_an_earlier_training_stay() -> None:
    graph, made = start()
    lessons = Lessons(graph, KNOWN, Options(timesteps=2, **INPUT), 0)
    again = Start(made.fitted, lessons, Options(timesteps=2, **INPUT))
    assert again.fitted is again.untrained is made.fitted


def test_training_starts_from_the_better_network() -> None:
    """With many images the fit; with few, and many inputs, none."""
    graph, made = start(channel_scales=True)
    assert made.best is made.fitted
    options = Options(timesteps=8, **PLAIN | INPUT)
    few = Start(graph, Lessons(graph, KNOWN[:20], options, 0), options)
    assert few.best is few.untrained
