"""Fixtures and environment of all tests."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.support import rotation

# cocotb and Verilator start `python` by name: the interpreter that runs the tests comes first.
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
os.environ.setdefault("OMP_NUM_THREADS", "1")  # one thread a worker of xdist

# Most simulators run for a second at most, and are compiled for ten times as long.
os.environ.setdefault("OPT_FAST", "-O0")


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Folder that HWGEN_DATA names (MNIST, CIFAR-10, weights); the test is skipped without it."""
    folder = os.environ.get("HWGEN_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("set HWGEN_DATA to the folder with mnist_test.npz to run this test")
    return Path(folder)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--turn",
        choices=rotation.CHOICES,
        help="cases that take turns: 0 to 9, or all (default: today's; all for a test named by ::)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Choose the turn once: the workers of xdist are started with the options of this process."""
    if config.option.turn is None:
        named = any("::" in argument for argument in config.args)
        config.option.turn = rotation.ALL if named else rotation.todays_turn()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items[:], later = rotation.split(items, config.option.turn)
    config.hook.pytest_deselected(items=later)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    turn = config.option.turn
    terminalreporter.write_line(f"cases that take turns: turn {turn}; repeat with --turn {turn}")
