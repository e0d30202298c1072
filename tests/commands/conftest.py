"""Fixtures for command-line tests: a saved network and a data set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hwgen import artefact
from tests.support.command_line import small_network


@pytest.fixture
def net(tmp_path: Path) -> Path:
    artefact.save(small_network(), tmp_path / "net")
    return tmp_path / "net"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rng = np.random.default_rng(6)
    path = tmp_path / "data.npz"
    images = rng.integers(0, 256, (6, 4, 4)).astype(np.uint8)
    np.savez(path, images=images, labels=np.arange(6) % 3)
    return path
