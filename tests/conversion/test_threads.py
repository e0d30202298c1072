"""The number of threads changes no result, and a conversion leaves it as it was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from hwgen import artefact
from hwgen.conversion import Finetuning, threads
from hwgen.conversion.calibration import float_run
from hwgen.conversion.quantisation import weight_fitting
from hwgen.conversion.threads import map_batches, one_thread_per_operation
from tests.recorded.designs import Residual
from tests.support.conversion import convert, keep_training
from tests.support.float_models import pixels

IMAGES = pixels((3, 8, 8), samples=24)


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def use(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """Let PyTorch, and the batches of a conversion, have ``count`` threads."""
    monkeypatch.setattr(threads, "workers", lambda: count)
    torch.set_num_threads(count)


def wide() -> nn.Module:
    """Sums so long that PyTorch's own threads would share them."""
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 16, 3, padding=1), nn.ReLU(),
        nn.Flatten(), nn.Linear(1024, 5),
    ).eval()  # fmt: skip


@pytest.mark.parametrize("model", [wide, lambda: Residual(2).eval()])
@pytest.mark.parametrize(
    "options",
    [{}, {"rounding": "fitted", "error": "squared"},
     {"timesteps": 2, "finetuning": Finetuning(epochs=1, batch=20)}],
)  # fmt: skip
def test_any_number_of_threads_gives_the_same_integers(
    monkeypatch: pytest.MonkeyPatch, model: Any, options: dict[str, Any]
) -> None:
    monkeypatch.setattr(float_run, "_VALUES", 1 << 12)  # several batches
    monkeypatch.setattr(weight_fitting, "_PART", 500)
    keep_training(monkeypatch)
    torch.manual_seed(2)
    made, hashes = model(), set()
    for count in (1, 2, 4):
        use(monkeypatch, count)
        network = convert(made, IMAGES, **options)
        hashes.add(artefact.content_hash(replace(network, provenance={})))
        assert torch.get_num_threads() == count
    assert len(hashes) == 1


def test_each_operation_has_one_thread_on_every_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, 3)

    def state(item: int) -> tuple[int, int, bool]:
        return item, torch.get_num_threads(), torch.is_grad_enabled()

    with one_thread_per_operation():
        assert torch.get_num_threads() == 1
    with one_thread_per_operation(), torch.no_grad():
        assert map_batches(state, range(5)) == [(item, 1, False) for item in range(5)]
    with one_thread_per_operation():
        assert map_batches(state, range(5)) == [(item, 1, True) for item in range(5)]
    assert map_batches(state, range(2)) == [(0, 3, True), (1, 3, True)]


def test_batches_depend_on_shapes_only_and_give_all_samples(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(float_run, "_VALUES", 24)
    values = torch.arange(7 * 6, dtype=torch.float32).reshape(7, 3, 2, 1)
    sizes = []

    def square(part: float_run.Tensors) -> torch.Tensor:
        sizes.append(len(part["x"]))
        return part["x"].square()

    squares = float_run.by_batches(square, {"x": values})
    assert sizes == [4, 3]
    np.testing.assert_array_equal(squares, values.numpy() ** 2)
    means = float_run.channel_means(values, torch.square)
    np.testing.assert_allclose(means, (values.numpy() ** 2).mean(axis=(0, 2, 3)))
    assert float_run.by_batches(square, {"x": values}, out=values) is values
    np.testing.assert_array_equal(squares, values)
