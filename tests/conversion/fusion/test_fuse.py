"""Every kind of operator, traced and fused, gives what PyTorch's own forward gives."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from hwgen.conversion.float_graph import FloatConv2d, FloatLinear, FloatMaxPool, Population
from tests.support.float_models import (
    Forward,
    assert_fuses,
    fused,
    populations,
    randomised,
)
from tests.support.fusion_cases import FORWARDS, MODELS, head

S = nn.Sequential


@pytest.mark.parametrize("linear", [True, False], ids=["linear", "merged"])
@pytest.mark.parametrize("name", MODELS)
def test_module_forms(name, linear):
    torch.manual_seed(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # PyTorch's, of an uneven "same"
        assert_fuses(randomised(MODELS[name]()), linear=linear)


@pytest.mark.parametrize("name", FORWARDS)
def test_functional_forms(name):
    forward, modules = FORWARDS[name]
    assert_fuses(randomised(Forward(forward, **modules)))


def test_core_aten_program_of_any_batch_size():
    """A program as torch.export users save it: decomposed, with a symbolic batch."""
    model = randomised(
        S(
            nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(4, 4, 3), nn.Hardtanh(0, 1), nn.AdaptiveAvgPool2d(2), head(16),
        )
    )  # fmt: skip
    shape = (3, 12, 12)
    program = torch.export.export(
        model, (torch.zeros(3, *shape),), dynamic_shapes=({0: torch.export.Dim("n")},), strict=False
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = program.run_decompositions()
    assert "convolution" in str(program.graph)
    graph, other = fused(program, shape), fused(model, shape)
    assert populations(graph) == populations(other)
    for node, expected in zip(graph.nodes, other.nodes):
        if isinstance(node, Population):
            np.testing.assert_allclose(
                node.projections[0].weights, expected.projections[0].weights, rtol=1e-6
            )
            np.testing.assert_allclose(node.bias, expected.bias, rtol=1e-5, atol=1e-6)


def test_nodes_are_named_as_in_the_model():
    torch.manual_seed(0)
    features = S(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.MaxPool2d(2))
    model = Forward(
        lambda m, x: m.fc(F.relu(F.conv2d(m.features(x), m.extra.weight)).flatten(1)),
        features=features, extra=nn.Conv2d(4, 4, 3), fc=nn.Linear(36, 5),
    )  # fmt: skip
    names = [node.name for node in fused(model.eval(), (3, 12, 12)).nodes]
    assert names == ["features.0", "features.2", "conv2d_1", "flatten", "fc"]


def test_a_module_named_input_and_one_called_twice_get_names_of_their_own():
    model = Forward(
        lambda m, x: m.fc(F.relu(m.get_submodule("input")(F.relu(m.get_submodule("input")(x))))
                          .flatten(1)),
        input=nn.Conv2d(3, 3, 3, padding=1), fc=nn.Linear(432, 5),
    )  # fmt: skip
    assert populations(fused(model.eval(), (3, 12, 12))) == ["input_2", "input_3", "fc"]


def test_batch_norm_before_a_padded_convolution_becomes_a_pad_value():
    model = randomised(
        S(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.BatchNorm2d(4), nn.Conv2d(4, 2, 3, padding=1),
          nn.ReLU(), head(200))
    )  # fmt: skip
    model[2].bias.data = -torch.tensor([0.5, 1.0, 0.25, 0.75])
    model[2].running_mean.zero_()
    graph = assert_fuses(model)
    projection = graph.nodes[1].projections[0]
    scale = model[2].weight / (model[2].running_var + model[2].eps).sqrt()
    np.testing.assert_allclose(
        projection.pad_value, (-model[2].bias / scale).detach().numpy(), rtol=1e-5
    )


def test_batch_norm_of_a_padded_map_shifts_its_padding_too():
    """The zeros around the map are silence, before the norm and in the code after it."""
    model = randomised(
        S(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.ZeroPad2d(1), nn.BatchNorm2d(4), nn.Conv2d(4, 2, 3),
          nn.ReLU(), head(200))
    )  # fmt: skip
    graph = assert_fuses(model)
    projection = graph.nodes[1].projections[0]
    assert (projection.padding, projection.pad_value) == ((1, 1, 1, 1), None)


def test_normalisation_becomes_a_pad_value_in_pixels():
    model = S(nn.Conv2d(1, 2, 3, padding=1), nn.ReLU(), head(72)).eval()
    graph = fused(model, (1, 6, 6), scale=1 / 255 / 0.3, offset=-0.13 / 0.3)
    np.testing.assert_allclose(graph.nodes[0].projections[0].pad_value, [0.13 * 255])


def test_an_average_joins_a_linear_layer_but_no_convolution():
    before_linear = MODELS["global average"]()
    assert len(populations(fused(before_linear.eval(), (3, 12, 12)))) == 2
    graph = fused(randomised(MODELS["average before conv"]()), (3, 12, 12))
    average = graph.nodes[1].projections[0]
    assert isinstance(average, FloatConv2d)
    assert average.groups == 4
    assert (average.weights == 0.25).all()


def test_a_saturation_behind_a_pool_goes_into_the_neuron():
    forward, modules = FORWARDS["relu, pool, clamp"]
    graph = fused(Forward(forward, **modules).eval(), (3, 12, 12))
    assert [type(n) for n in graph.nodes[:2]] == [Population, FloatMaxPool]
    assert graph.nodes[0].high == pytest.approx(0.3)
    assert fused(MODELS["stride"]().eval(), (3, 12, 12)).nodes[0].high == math.inf


def test_merged_linear_maps_are_one_projection():
    graph = fused(MODELS["conv before linear"]().eval(), (3, 12, 12), linear=False)
    assert len(populations(graph)) == 1
    assert isinstance(graph.nodes[-1].projections[0], FloatLinear)
    assert graph.nodes[-1].projections[0].weights.shape == (5, 432)


@pytest.mark.parametrize("size", [1e-12, 1.0, 1e12])
def test_padding_follows_the_scale_of_its_source(size: float) -> None:
    """y = 2·x − size / 2 is 0 where x is size / 4; 3·(x + 0.1) − 0.3 is 0 where x is."""
    shifted = Forward(
        lambda m, x: m.b(F.relu(m.a(x)) * 2 - size / 2).flatten(1),
        a=nn.Conv2d(3, 4, 3), b=nn.Conv2d(4, 2, 3, stride=9, padding=1),
    )  # fmt: skip
    graph = fused(shifted.eval(), (3, 10, 10))
    np.testing.assert_allclose(graph.nodes[1].projections[0].pad_value, size / 4)
    cancels = Forward(
        lambda m, x: m.b((F.relu(m.a(x)) / size + 0.1) * 3 - 0.3).flatten(1),
        a=nn.Conv2d(3, 4, 3), b=nn.Conv2d(4, 2, 3, stride=9, padding=1),
    )  # fmt: skip
    assert 0.1 * 3 - 0.3 != 0
    assert fused(cancels.eval(), (3, 10, 10)).nodes[1].projections[0].pad_value is None
