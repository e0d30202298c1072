"""What a document takes as given: files in the current folder, and names of Python."""

from __future__ import annotations

import os
import sys
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

MODEL = """
from torch import nn


def factory():
    return nn.Sequential(nn.Conv2d(2, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 10))
"""


class Serial:
    """A board that answers every sample with zeros."""

    def __init__(self, port: str, baudrate: int) -> None:
        self.sent = b""

    def write(self, data: bytes) -> int:
        self.sent += data
        return len(data)

    def read(self, size: int) -> bytes:
        assert self.sent[:1] == b"P"
        return bytes(size)


def digits() -> None:
    """Files of ``examples/digits.py``, from a network that is trained for one epoch."""
    from examples import digits

    training, _ = digits.digits_data()
    digits.write(Path("out/digits"), digits.train(*training, epochs=1))


def address_events() -> None:
    """Files of a network on address events: small, and random."""
    import torch

    Path("model.py").write_text(MODEL)
    space: dict[str, Any] = {}
    exec(MODEL, space)  # noqa: S102
    torch.manual_seed(0)
    torch.save(space["factory"]().state_dict(), "w.pt")
    rng = np.random.default_rng(0)
    for name in ("train", "test"):
        counts = rng.integers(40, 60, 8)
        events = int(counts.sum())
        np.savez(
            f"nmnist_{name}.npz",
            t=rng.integers(0, 1000, events).astype(np.uint32),
            x=np.append(rng.integers(0, 6, events - 1), 5).astype(np.uint8),
            y=np.append(rng.integers(0, 6, events - 1), 5).astype(np.uint8),
            p=rng.integers(0, 2, events).astype(np.uint8),
            offsets=np.cumsum([0, *counts]),
            labels=np.arange(8) % 10,
        )


def of_usage(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A model, images and labels; a serial port; the files that the commands take."""
    import torch
    from torch import nn

    digits()
    address_events()
    serial = ModuleType("serial")
    vars(serial)["Serial"] = Serial
    monkeypatch.setitem(sys.modules, "serial", serial)
    torch.manual_seed(0)
    layers = [("conv1", nn.Conv2d(1, 16, 3)), ("relu", nn.ReLU()), ("flatten", nn.Flatten())]
    model = nn.Sequential(OrderedDict([*layers, ("out", nn.Linear(64, 3))]))
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (12, 1, 4, 4)).astype(np.uint8)
    return {"model": model, "images": images, "labels": np.arange(12) % 3, "image": images[0]}


def of_artefact(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """An artefact in the folder ``net``."""
    import hwgen
    from hwgen.network import InverseLeakyNeuron
    from tests.support.tiny import ints, one_neuron

    neuron = InverseLeakyNeuron(threshold=ints(3), timesteps=2)
    network = one_neuron(neuron, weight=2, bias=1, timesteps=2, code="radix", pixel_bits=2)
    hwgen.save(network, "net")
    return {}


def of_hardware(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A build folder with images, and the page's bench as a file that a simulator finds."""
    from hwgen.generation import generate
    from hwgen.simulation.tools import environment
    from tests.docs.examples import ROOT, blocks
    from tests.support.random_networks import random_images, random_network

    network = random_network(11, neuron="radix", max_size=5, max_channels=4, max_timesteps=3)
    generate(network, lanes=4).write("build")
    np.savez("build/test.npz", images=random_images(11, network, 2))
    bench = next(block for block in blocks(ROOT / "docs/hardware.md") if "cocotb" in block.code)
    Path("bench.py").write_text(bench.code)
    monkeypatch.setenv("PATH", environment()["PATH"])
    monkeypatch.setenv("MAKEFLAGS", environment()["MAKEFLAGS"])
    monkeypatch.setenv("PYTHONPATH", f"{Path.cwd()}{os.pathsep}{environment()['PYTHONPATH']}")
    monkeypatch.syspath_prepend(Path.cwd())
    return {}


GIVEN: dict[str, Callable[[pytest.MonkeyPatch], dict[str, Any]]] = {
    "docs/artefact.md": of_artefact,
    "docs/hardware.md": of_hardware,
    "docs/usage.md": of_usage,
}
"""A document that is not listed takes nothing as given but the checkout."""
