"""Verilog of a unit: it starts in every simulator, and every tool reads its names."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from amaranth import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hwgen.generation import generate
from hwgen.generation.verilog import plain_verilog, to_verilog
from hwgen.simulation import compile as compiling
from hwgen.simulation.options import Simulator
from hwgen.simulation.runner import simulate
from tests.support.random_networks import random_images, random_network

needs_icarus = pytest.mark.skipif(shutil.which("iverilog") is None, reason="no Icarus Verilog")
standards = pytest.mark.parametrize("standard", ["-g2005", "-g2012"])

BENCH = """
module bench;
    reg clk = 0;
    reg [1:0] index = 0;
    wire [7:0] value, chosen;
    unit dut(.clk(clk), .rst(1'b0), .index(index), .value(value), .chosen(chosen));
    initial begin
        #1 $display("%0d %0d", value, chosen);
        index = 3;
        #1 $display("%0d %0d", value, chosen);
    end
endmodule
"""


class Unit(wiring.Component):
    """Outputs that follow from constants and initial values, and one of three by index."""

    def __init__(self) -> None:
        super().__init__({"index": In(2), "value": Out(8), "chosen": Out(8)})

    def elaborate(self, platform):
        m = Module()
        idle, nothing = Signal(init=1), Signal(0, name="nothing")
        m.d.sync += idle.eq(0)
        m.d.comb += nothing.eq(self.index)
        with m.If(idle):
            m.d.comb += self.value.eq(77)
        with m.Switch(self.index):
            for index in range(3):
                with m.Case(index):
                    m.d.comb += self.chosen.eq(10 * index + 5)
        return m


@needs_icarus
@standards
def test_constants_arrive_without_an_event(tmp_path: Path, standard: str) -> None:
    """No clock edge and no change of an input: idle is 1 from the start."""
    (tmp_path / "unit.v").write_text(to_verilog(Unit(), name="unit") + BENCH)
    compiled = ["iverilog", standard, "-s", "bench", "-o", "bench.vvp", "unit.v"]
    subprocess.run(compiled, cwd=tmp_path, check=True)
    shown = subprocess.run(
        ["vvp", "bench.vvp"], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert shown.stdout == "77 5\n77 0\n"


def test_only_clocked_processes_are_left() -> None:
    text = to_verilog(Unit(), name="unit")
    assert re.findall(r"always @?\s*\(?\s*[\w*]+", text) == ["always @(posedge"]
    assert "nothing" not in text, "a signal of no bits would have two"


@needs_icarus
@standards
def test_a_core_under_icarus_equals_golden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, standard: str
) -> None:
    network = random_network(1, neuron="rate_two", max_size=5, max_channels=4, max_timesteps=3)
    monkeypatch.setitem(compiling._ARGUMENTS, Simulator.ICARUS, [standard])
    build = generate(network, lanes=2).write(tmp_path / "build")
    report = simulate(build, random_images(1, network, 2), simulator="icarus")
    assert report.bit_exact
    assert report.latency_cycles == report.predicted_latency_cycles


def test_lanes_have_a_point_instead_of_brackets() -> None:
    """ABC9 mistakes an escaped name with brackets for a bit; bits of other names stay."""
    text = "/* from */\nwire [3:0] \\total[12] ;\nassign \\a.total[12].x = b[3];\n"
    expected = "wire [3:0] \\total.12 ;\nassign \\a.total.12.x = b[3];\n"
    assert plain_verilog(text) == expected


def test_functions_do_not_start_with_a_dollar() -> None:
    """Icarus takes them for functions of the system; signals keep their names."""
    text = to_verilog(Unit(), name="unit")
    functions = re.findall(r"function \[7:0\] (\S+) ;", text)
    assert functions
    assert not [name for name in functions if name.startswith("\\$")]
    assert plain_verilog("wire \\$procmux$7_CMP ;\n") == "wire \\$procmux$7_CMP ;\n"
