"""Fixtures and environment of all tests."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

# cocotb and Verilator start `python` by name: the interpreter that runs the tests comes first.
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
os.environ.setdefault("OMP_NUM_THREADS", "2")


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Folder that HWGEN_DATA names (MNIST, CIFAR-10, weights); the test is skipped without it."""
    folder = os.environ.get("HWGEN_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("set HWGEN_DATA to the folder with mnist_test.npz to run this test")
    return Path(folder)
