"""Units with resets of their own: all come out of reset together, and nothing is lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from amaranth import Module, Signal
from amaranth.back import verilog
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl.reset import UnitResets
from hwgen.synth.tools import run
from tests.rtl.bench import Bench
from tests.rtl.streams import STALLS


class Numbered(wiring.Component):
    """Adds to each word how many came before it; holds one word."""

    def __init__(self) -> None:
        super().__init__({"i": In(stream.Signature(8)), "o": Out(stream.Signature(8))})

    def elaborate(self, platform):
        m = Module()
        count = Signal(8)
        m.d.comb += self.i.ready.eq(~self.o.valid | self.o.ready)
        with m.If(self.i.ready):
            m.d.sync += self.o.valid.eq(self.i.valid)
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [count.eq(count + 1), self.o.payload.eq(self.i.payload + count)]
        return m


class Chain(wiring.Component):
    """Three units one after the other."""

    def __init__(self) -> None:
        super().__init__({"i": In(stream.Signature(8)), "o": Out(stream.Signature(8))})

    def elaborate(self, platform):
        m = Module()
        resets = UnitResets(m)
        units = [Numbered() for _ in range(3)]
        for index, unit in enumerate(units):
            m.submodules[f"unit_{index}"] = resets(f"unit_{index}", unit)
            if index:
                wiring.connect(m, units[index - 1].o, unit.i)
        m.d.comb += [
            units[0].i.payload.eq(self.i.payload),
            units[0].i.valid.eq(self.i.valid & ~resets.active),
            self.i.ready.eq(units[0].i.ready & ~resets.active),
            self.o.payload.eq(units[-1].o.payload),
            self.o.valid.eq(units[-1].o.valid & ~resets.active),
            units[-1].o.ready.eq(self.o.ready),
        ]
        return m


@pytest.mark.parametrize("stall", STALLS)
@pytest.mark.parametrize("reset_at", [(), (17,), (0, 1, 23, 24, 31)])
def test_every_unit_starts_anew(reset_at: tuple, stall: tuple[float, float]) -> None:
    dut = Chain()
    bench = Bench(dut)
    words = [(5 * n) % 256 for n in range(40)]
    bench.send(dut.i, words, stall=stall[0])
    bench.expect(dut.o, [(word + 3 * n) % 256 for n, word in enumerate(words)], stall=stall[1])
    bench.run(reset_at=reset_at)


def test_each_unit_keeps_its_own_register(tmp_path: Path) -> None:
    """Equal registers are not merged again in synthesis, and each resets its own unit alone."""
    text = verilog.convert(Chain(), name="top", emit_src=False, strip_internal_attrs=True)
    (tmp_path / "top.v").write_text(text)
    script = "read_verilog top.v; synth_ecp5 -top top; write_json top.json"
    run("yosys", ["-q", "-p", script], folder=tmp_path, log=tmp_path / "yosys.out")
    module = json.loads((tmp_path / "top.json").read_text())["modules"]["top"]
    resets = {
        name: module["netnames"][name]["bits"][0]
        for name in ("reset_unit_0", "reset_unit_1", "reset_unit_2", "reset_ports")
    }
    assert len(set(resets.values())) == 4
    cells = [cell for cell in module["cells"].values() if cell["type"] == "TRELLIS_FF"]
    driven = [
        sum(cell["connections"]["LSR"] == [bit] for cell in cells) for bit in resets.values()
    ]
    assert driven[0] > 0
    assert driven == [driven[0]] * 3 + [0]
