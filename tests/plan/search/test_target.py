"""A plan made for a board fits it: planned resources against those of synthesis."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hwgen import boards
from hwgen.boards import Resource
from hwgen.errors import PlanError
from hwgen.generation.design import Design
from hwgen.generation.generator import generate
from hwgen.network import Flatten, Input, InverseLeakyNeuron, Layer, Linear, Network, Readout
from hwgen.resources import resource_dir
from hwgen.synthesis.netlist import synthesise_out_of_context, total


def perceptron() -> Network:
    """16 pixels, 8 hidden neurons, 4 classes: about what the logic of an iCE40 UP5K holds."""
    rng = np.random.default_rng(1)

    def linear(source: str, outputs: int, inputs: int) -> Linear:
        return Linear(source=source, weights=rng.integers(-7, 8, (outputs, inputs), np.int32))

    hidden = Layer(
        name="hidden",
        projections=(linear("flat", 8, 16),),
        bias=rng.integers(-9, 9, 8),
        neuron=InverseLeakyNeuron(threshold=np.full(8, 20), timesteps=3),
    )
    readout = Layer(
        name="out",
        projections=(linear("hidden", 4, 8),),
        bias=np.zeros(4, np.int64),
        neuron=Readout(),
    )
    return Network(
        name="perceptron",
        input=Input(shape=(1, 4, 4), timesteps=3),
        nodes=(Flatten(name="flat", source="input"), hidden, readout),
        probe=rng.integers(0, 256, (4, 1, 4, 4), np.uint8),
    )


def require_fit(design: Design, names: list[str], folder: Path) -> None:
    """Synthesis finds at most what is planned, and at most what each board has."""
    files = design.files()
    board = boards.load(names[0])
    used = total(synthesise_out_of_context(board, files, top=design.plan.name, folder=folder))
    planned = design.expected
    assert planned is not None
    assert planned.ff is not None
    assert used[Resource.LUT4] <= planned.lut4
    assert used[Resource.FF] <= planned.ff
    assert used[Resource.BLOCK_RAM] <= planned.block_ram
    for name in names:
        part = boards.load(name).resources
        assert all(used[resource] <= part.amount(resource) for resource in Resource)


@pytest.mark.slow
def test_a_small_network_fits_the_icebreaker(tmp_path: Path) -> None:
    design = generate(
        perceptron(), board="icebreaker", target_fps="max", input_width=8, counters=False
    )
    require_fit(design, ["icebreaker"], tmp_path)


@pytest.mark.slow
def test_the_network_of_the_demo_fits_every_board_that_it_is_planned_for(tmp_path: Path) -> None:
    """Boards with the same plan are compared with one synthesis."""
    pytest.importorskip("sklearn")
    pytest.importorskip("torch")
    from hwgen.conversion import convert
    from hwgen.conversion.frontend.model_files import run_file

    digits = run_file(resource_dir("examples") / "digits.py")
    (images, labels), _ = digits.digits_data()
    network = convert(
        digits.train(images, labels), images, labels=labels, timesteps=4, name="digits"
    )
    designs: dict[str, tuple[Design, list[str]]] = {}
    for name in boards.names():
        if name == "icebreaker":
            with pytest.raises(PlanError, match=r"logic cells of 4,752 .*block RAMs of 30 "):
                generate(network, board=name, target_fps="max")
            continue
        design = generate(network, board=name, target_fps="max")
        designs.setdefault(str(design.plan), (design, []))[1].append(name)
    for design, names in designs.values():
        folder = tmp_path / names[0]
        folder.mkdir()
        require_fit(design, names, folder)
