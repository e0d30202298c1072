"""What training may change, and what stays as it is."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from hwgen.conversion.calibration.float_run import run_float
from hwgen.conversion.calibration.student import Student
from hwgen.conversion.float_graph import FloatConv2d, FloatGraph, Population
from tests.support.float_models import Forward, fused, pixels


def residual() -> nn.Module:
    """Padding of two sides; a shortcut of option A, a copy that drops pixels; a 1×1 convolution."""

    def forward(m: nn.Module, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(m.first(nn.functional.pad(x, (0, 2, 2, 0))))
        x = torch.relu(m.second(x) + nn.functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 1, 1)))
        x = torch.relu(m.third(x) + m.one(x))
        return m.last(nn.functional.avg_pool2d(x, 2).flatten(1))

    torch.manual_seed(1)
    return Forward(
        forward, first=nn.Conv2d(1, 4, 3), second=nn.Conv2d(4, 6, 3, 2, 1),
        third=nn.Conv2d(6, 6, 3, padding=1), one=nn.Conv2d(6, 6, 1), last=nn.Linear(6, 3),
    )  # fmt: skip


def convolutions(graph: FloatGraph) -> list[FloatConv2d]:
    nodes = [node for node in graph.nodes if isinstance(node, Population)]
    return [p for node in nodes for p in node.projections if isinstance(p, FloatConv2d)]


def test_a_student_computes_what_its_graph_does() -> None:
    graph, known = fused(residual(), (1, 4, 4)), pixels((1, 4, 4))
    student = Student(graph)
    with torch.no_grad():
        logits = student.logits(torch.from_numpy(known.astype(np.float32)))
    np.testing.assert_allclose(logits.numpy(), run_float(graph, known), rtol=1e-4, atol=1e-5)
    for old, new in zip(convolutions(graph), convolutions(student.graph())):
        np.testing.assert_array_equal(new.weights, old.weights.astype(np.float32))


def test_copies_stay() -> None:
    """An average and the linear layer after it are one readout, whose equal taps learn as one."""
    before = fused(residual(), (1, 4, 4))
    student = Student(before)
    optimiser = torch.optim.SGD(student.groups(0.1))
    values = torch.from_numpy(pixels((1, 4, 4)).astype(np.float32))
    torch.autograd.backward(student.logits(values).square().sum())
    optimiser.step()
    after = convolutions(student.graph())
    changed = {
        new.weights.shape: not np.allclose(old.weights, new.weights, rtol=1e-6)
        for old, new in zip(convolutions(before), after)
        if old.weights.shape != (6, 6, 3, 3)
    }
    assert changed == {
        (4, 1, 3, 3): True, (6, 4, 3, 3): True, (6, 4, 1, 1): False, (6, 6, 1, 1): True,
        (3, 6, 2, 2): True,
    }  # fmt: skip
