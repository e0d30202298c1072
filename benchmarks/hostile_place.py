"""A place with data, a network and a build folder, and what must be true of it whatever happens."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hwgen import artefact, boards, generate
from hwgen.artefact.build_folder import read_manifest
from hwgen.errors import HwgenError
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

BOARD = "ulx3s-85f"
MODEL = """
import torch
from torch import nn

def make():
    torch.manual_seed(1)
    return nn.Sequential(nn.Conv2d(1, 2, 2), nn.ReLU(), nn.Flatten(), nn.Linear(18, 3)).eval()
"""
# Instead of yosys, nextpnr and the packer: each writes what the next one and hwgen read.
YOSYS = """#!/bin/sh
echo "1. Executing HIERARCHY pass" > "$2"
echo '{"modules": {"hwgen_board_shell": {"cells": {}}}}' > synth/netlist.json
"""
NEXTPNR = """#!/bin/sh
while [ $# -gt 1 ]; do [ "$1" = --report ] && report=$2; shift; done
echo '{"fmax": {}, "utilization": {"TRELLIS_COMB": {"used": 9, "available": 99}},
       "critical_paths": []}' > "$report"
"""
PACKER = """#!/bin/sh
for last; do :; done
echo bitstream > "$last"
"""
# Starts a program of its own, as yosys does with ABC, and never ends.
STUCK = """#!/bin/sh
sleep 100000 &
echo "1. Executing HIERARCHY pass"
exec sleep 100000
"""
EARLIER = "an earlier bitstream"


PLAIN: dict[str, dict[str, str]] = {
    "ascii": {"PYTHONIOENCODING": "ascii"},
    "latin-1": {"PYTHONIOENCODING": "latin-1"},
    "LANG=C": {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
}
# Shell commands before the program, in a mount namespace of its own; $1 is the place.
MOUNTS = {
    "read-only disk": 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1"',
    "full disk": 'mount -t tmpfs -o size=4m none "$1" && cp -a "$1-full/." "$1" && '
    '{ cat /dev/zero > "$1/zeros" 2> /dev/null || true; }',
    "read-only HOME": 'mount -t tmpfs -o ro none "$1/home"',
    # The user has no entry in the list of users either, as in a container.
    "no HOME": "unset HOME && mount --bind /dev/null /etc/passwd",
}


@dataclass(frozen=True)
class Command:
    """A command on a place, and whether it writes what another one must not write too."""

    name: str
    words: tuple[str, ...]
    writes: bool = False  # fails on a disk that cannot be written
    claims: bool = False  # refused while another process does the same

    @property
    def long_words(self) -> tuple[str, ...]:
        """The command on folders with names that no file system takes."""
        name, *words = self.words
        return (name, *("n" * 300 if word in ("net", "build") else word for word in words))


COMMANDS = {
    command.name: command
    for command in (
        Command("methods", ("methods", "spikeconverter")),
        Command(
            "convert",
            ("convert", "model.py:make", "--data", "data.npz", "--timesteps", "3", "--effort",
             "fast", "-o", "net"),
            writes=True, claims=True,
        ),
        Command("evaluate", ("evaluate", "net", "--data", "data.npz")),
        Command(
            "generate", ("generate", "net", "-o", "build", "--force"), writes=True, claims=True
        ),
        Command(
            "simulate", ("simulate", "build", "--data", "data.npz", "--samples", "2"), writes=True
        ),
        Command("build", ("build", "build", "--board", BOARD), writes=True, claims=True),
        Command("report", ("report", "build"), writes=True),
    )
}  # fmt: skip


def variables(place: Path, command: Command, *, stuck: bool = False) -> dict[str, str]:
    """Variables that name the scripts of the place as the tools of `build`."""
    if command.name != "build":  # `generate` uses yosys too
        return {}
    names = {"YOSYS": "stuck" if stuck else "yosys", "NEXTPNR_ECP5": "nextpnr", "ECPPACK": "pack"}
    return {variable: str(place / "tools" / name) for variable, name in names.items()}


def fill(place: Path) -> None:
    """Make the data, the network, the build folder, an earlier bitstream and a foreign file."""
    rng = np.random.default_rng(1)
    images = rng.integers(0, 256, (12, 4, 4)).astype(np.uint8)
    np.savez(place / "data.npz", images=images, labels=np.arange(12) % 3)
    (place / "model.py").write_text(MODEL, encoding="utf-8")
    artefact.save(_network(rng), place / "net")
    generate(artefact.load(place / "net"), board=boards.load(BOARD).name).write(place / "build")
    (place / "build/synth").mkdir()
    (place / "build/synth/bitstream.bit").write_text(EARLIER, encoding="utf-8")
    (place / "build/notes.txt").write_text("mine", encoding="utf-8")
    (place / "tools").mkdir()
    scripts = {"yosys": YOSYS, "nextpnr": NEXTPNR, "pack": PACKER, "stuck": STUCK}
    for name, text in scripts.items():
        (place / "tools" / name).write_text(text, encoding="utf-8")
        (place / "tools" / name).chmod(0o755)


def _network(rng: np.random.Generator) -> Network:
    def weights(*shape: int) -> np.ndarray:
        return rng.integers(-7, 8, shape).astype(np.int32)

    neuron = InverseLeakyNeuron(threshold=np.array([5, 9], np.int64), timesteps=3)
    first, last = Conv2d(source="input", weights=weights(2, 1, 2, 2)), weights(3, 18)
    return Network(
        name="small",
        input=Input(shape=(1, 4, 4), timesteps=3),
        nodes=(
            Layer(name="conv", projections=(first,), bias=np.zeros(2, np.int64), neuron=neuron),
            Flatten(name="flat", source="conv"),
            Layer(
                name="fc",
                projections=(Linear(source="flat", weights=last),),
                bias=np.zeros(3, np.int64),
                neuron=Readout(),
            ),
        ),
    )


def faults(place: Path, command: Command, output: str, *, done: bool) -> Iterator[str]:
    """What is wrong with a place after a command; ``done``: it ended by itself."""
    if "Traceback" in output:
        yield f"traceback: {output.strip().splitlines()[-1]}"
    if sum(line.startswith("hwgen: error:") for line in output.splitlines()) > 1:
        yield "more than one message"
    try:
        artefact.load(place / "net")
        read_manifest(place / "build")
        if (place / "build/notes.txt").read_text("utf-8") != "mine":
            yield "a foreign file was changed"
        routed = place / "build/synth/bitstream.bit"
        if command.name != "generate" and not routed.read_text("utf-8"):
            yield "the bitstream is empty"
    except (HwgenError, OSError) as error:
        yield f"lost: {error}"
    if done and (left := sorted(path.name for path in place.rglob(".*hwgen-*"))):
        yield f"left over: {', '.join(left)}"
    for name in running_in(place):
        yield f"still running: {name}"


def running_in(place: Path) -> Iterator[str]:
    """Command lines of processes that work in ``place``, other than this one."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal() or int(entry.name) == os.getpid():
            continue
        try:
            state = (entry / "stat").read_text("utf-8").rpartition(")")[2].split()[0]
            folder = os.readlink(entry / "cwd")
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if state != "Z" and Path(folder).is_relative_to(place):
            yield line[:80]
