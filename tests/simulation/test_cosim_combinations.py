"""Every legal combination of neuron, input code and decoder: convert, generate, simulate."""

from __future__ import annotations

from pathlib import Path

import pytest

from hwgen.conversion import legal_combinations
from hwgen.generation import generate
from hwgen.simulation.runner import simulate
from tests.support.combined import converted, images_for
from tests.support.rotation import rotating

LEGAL = list(legal_combinations())


@pytest.mark.parametrize(
    ("neuron", "code", "decoder"),
    rotating(LEGAL),
)
def test_combination_equals_golden_and_the_cycle_model(
    neuron: str, code: str, decoder: str, tmp_path: Path
) -> None:
    """Bit-exact with and without stalls; latency and interval as predicted without stalls."""
    number = LEGAL.index((neuron, code, decoder))
    build = generate(
        converted(neuron, code, decoder, weight_bits=5),
        schedule="time" if number % 2 or code == "events" else "row",
        pipeline=("alternate", "overlap")[number // 2 % 2],
        lanes=(1, 2, 3)[number % 3],
        counters=False,
    ).write(tmp_path / "build")
    images = images_for(code)[:3]
    free = simulate(build, images)
    assert free.bit_exact
    assert free.samples == 3
    assert free.latency_cycles == free.predicted_latency_cycles
    assert free.interval_cycles == free.predicted_interval_cycles
    stalled = simulate(build, images, idle="random", backpressure="adversarial", seed=number)
    assert stalled.bit_exact
