"""Shared helpers for command-line tests: a small network, and a command that must fail."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hwgen.cli import run
from hwgen.network import (
    Conv2d,
    Flatten,
    Input,
    InverseLeakyNeuron,
    Layer,
    Linear,
    Network,
    Readout,
)

Captured = pytest.CaptureFixture[str]


def small_network(name: str = "small", layer: str = "conv") -> Network:
    """2 channels of 3×3 from 4×4 pixels, then 3 classes; seeded weights."""
    rng = np.random.default_rng(5)

    def weights(*shape: int) -> np.ndarray:
        return rng.integers(-7, 8, shape).astype(np.int32)

    return Network(
        name=name,
        input=Input(shape=(1, 4, 4), timesteps=3),
        nodes=(
            Layer(
                name=layer,
                projections=(Conv2d(source="input", weights=weights(2, 1, 2, 2)),),
                bias=np.zeros(2, np.int64),
                neuron=InverseLeakyNeuron(threshold=np.array([5, 9], np.int64), timesteps=3),
            ),
            Flatten(name="flat", source=layer),
            Layer(
                name="fc",
                projections=(Linear(source="flat", weights=weights(3, 18)),),
                bias=np.zeros(3, np.int64),
                neuron=Readout(),
            ),
        ),
    )


def fails(capsys: Captured, code: int, *arguments: str | Path) -> str:
    """Run a command that must fail with exit code ``code``; returns its standard error."""
    assert run([str(argument) for argument in arguments]) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    messages = [line for line in printed.err.splitlines() if line.startswith("hwgen: error: ")]
    assert len(messages) == 1
    assert "Traceback" not in printed.err
    return printed.err
