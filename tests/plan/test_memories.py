"""The cost of memories against yosys: what it made of each shape, and a few of them anew."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path

import pytest

from hwgen.plan.memories import KINDS, LUTS_PER_BLOCK, read_only, read_write, split_rows
from hwgen.synth.tools import run

# (rows, bits, kind): (block RAMs, LUT4) of `synth_ecp5`, yosys 0.70, random contents.
READ_ONLY = {
    (9, 32, "lut"): (0, 32),
    (27, 32, "lut"): (0, 64),
    (64, 128, "lut"): (0, 512),
    (72, 32, "lut"): (0, 256),
    (144, 32, "lut"): (0, 382),
    (256, 32, "lut"): (0, 585),
    (288, 32, "lut"): (0, 704),
    (72, 12, "block"): (1, 0),
    (144, 128, "block"): (4, 0),
    (576, 128, "block"): (8, 0),
    (700, 20, "block"): (2, 0),
    (1024, 36, "block"): (2, 0),
    (1152, 128, "block"): (11, 256),
    (1600, 30, "block"): (4, 0),
    (2304, 16, "block"): (3, 32),
    (2304, 128, "block"): (18, 384),
    (4608, 128, "block"): (32, 1152),
    (5000, 10, "block"): (3, 30),
    (20000, 8, "block"): (9, 87),
}
# LUT RAM counts six LUT4 for 16 × 4 bits.
READ_WRITE = {
    (16, 16, "lut"): (0, 24),
    (32, 16, "lut"): (0, 66),
    (48, 16, "lut"): (0, 107),
    (64, 16, "lut"): (0, 164),
    (128, 16, "lut"): (0, 296),
    (256, 76, "lut"): (0, 3440),
    (96, 32, "block"): (1, 0),
    (256, 76, "block"): (3, 0),
    (520, 32, "block"): (2, 0),
    (1024, 76, "block"): (5, 0),
    (1100, 20, "block"): (3, 0),
    (2304, 64, "block"): (10, 197),
    (5000, 9, "block"): (3, 21),
}


def near(estimate: int, measured: int) -> bool:
    """Within 15 %, or a handful of LUTs: those that decode an address."""
    return abs(estimate - measured) <= max(10, 0.15 * measured)


@pytest.mark.parametrize("shape", READ_ONLY)
def test_constants(shape: tuple) -> None:
    cost, (blocks, luts) = read_only(*shape), READ_ONLY[shape]
    assert cost.block_rams == blocks
    assert near(cost.luts, luts)


@pytest.mark.parametrize("shape", READ_WRITE)
def test_one_write_and_one_read_port(shape: tuple) -> None:
    cost, (blocks, luts) = read_write(*shape), READ_WRITE[shape]
    assert cost.block_rams == blocks
    assert near(cost.luts, luts)


@pytest.mark.parametrize("rows", [1, 16, 100, 512, 576, 1152, 2304])
@pytest.mark.parametrize("width", [8, 36, 128])
def test_auto_weighs_least(rows: int, width: int) -> None:
    best = read_only(rows, width)
    costs = [read_only(rows, width, kind) for kind in KINDS[: 3 if rows > 512 else 2]]
    weights = [cost.luts + LUTS_PER_BLOCK * cost.block_rams for cost in costs]
    assert best.luts + LUTS_PER_BLOCK * best.block_rams == min(weights)
    assert best in costs


def test_a_memory_just_over_a_power_of_two_is_split() -> None:
    """576 rows: 512 in four blocks of 36 bits, 64 rows of four LUT4 a bit, and an OR."""
    cost = read_only(576, 128)
    assert (cost.kind, cost.block_rams, cost.luts) == ("split", 4, 64 * 128 // 16 + 128)
    assert [split_rows(rows) for rows in (1, 512, 576, 1023)] == [1, 512, 512, 512]


@pytest.mark.parametrize("function", [read_only, read_write])
def test_another_kind_is_refused(function) -> None:
    with pytest.raises(ValueError, match="memory must be auto, .*, not 'flash'"):
        function(8, 8, "flash")


def test_yosys_agrees(tmp_path: Path) -> None:
    """A few narrow ones made anew, so that another yosys cannot go unnoticed."""
    rng = random.Random(0)
    shapes = [(27, 8, "lut"), (100, 8, "lut"), (576, 20, "block"), (1152, 24, "block")]
    text, ports = "", ""
    for number, (rows, width, kind) in enumerate(shapes):
        lines = [f"{rng.getrandbits(width):x}\n" for _ in range(rows)]
        (tmp_path / f"{number}.hex").write_text("".join(lines))
        style = "logic" if kind == "lut" else "block"
        text += (
            f"module m{number}(input clk, input [15:0] a, output reg [{width - 1}:0] q);\n"
            f'(* rom_style = "{style}" *) reg [{width - 1}:0] m [0:{rows - 1}];\n'
            f'initial $readmemh("{number}.hex", m);\n'
            f"always @(posedge clk) q <= m[a[{(rows - 1).bit_length() - 1}:0]];\nendmodule\n"
        )
        ports += f"m{number} u{number}(clk, a, q{number});\n"
    outputs = ", ".join(f"output [{s[1] - 1}:0] q{n}" for n, s in enumerate(shapes))
    text += f"module top(input clk, input [15:0] a, {outputs});\n{ports}endmodule\n"
    (tmp_path / "top.v").write_text(text)
    script = "read_verilog top.v; synth_ecp5 -noflatten -top top; write_json top.json"
    run("yosys", ["-q", "-p", script], folder=tmp_path, log=tmp_path / "yosys.out")
    modules = json.loads((tmp_path / "top.json").read_text())["modules"]
    for number, shape in enumerate(shapes):
        counts = Counter(cell["type"] for cell in modules[f"m{number}"]["cells"].values())
        cost = read_only(*shape)
        assert counts["DP16KD"] == cost.block_rams
        assert near(cost.luts, counts["LUT4"])
