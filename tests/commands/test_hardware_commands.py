"""``generate``, ``simulate`` and ``report`` in sequence, and the report of a mismatch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

from hwgen import golden
from hwgen.cli import run
from hwgen.errors import MismatchError
from hwgen.plan.units.counters import CounterKind
from hwgen.simulation.report import CounterValue, SimulationReport
from tests.support.command_line import Captured, small_network
from tests.support.reports import simulation_report

REPORT = simulation_report(
    bit_exact=False,
    difference="conv, sample 1",
    predicted_latency_cycles=495.0,
    counters=(
        CounterValue(node="", kind=CounterKind.CYCLES, value=300),
        CounterValue(node="conv", kind=CounterKind.BUSY, value=77),
    ),
)


def test_a_network_becomes_verilog_that_is_bit_exact(
    capsys: Captured, net: Path, data: Path, tmp_path: Path
) -> None:
    build = str(tmp_path / "build")
    assert run(["generate", str(net), "-o", build, "--board", "icebreaker", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["board"] == "icebreaker"
    options = ["--samples", "4", "--idle", "random", "--backpressure", "adversarial", "--json"]
    assert run(["simulate", build, "--data", str(data), *options]) == 0
    report = SimulationReport.model_validate_json(capsys.readouterr().out)
    assert (report.bit_exact, report.samples) == (True, 4)
    # The spike counter equals golden's count.
    images = np.load(data)["images"][:4, None]
    spikes = golden.run(small_network(), images).spikes["conv"]
    assert report.counter(CounterKind.SPIKES, node="conv") == int(spikes.sum())
    assert run(["report", build, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["simulation"] == report.to_json()


@pytest.mark.parametrize("as_json", [False, True])
def test_a_mismatch_is_printed_and_gives_exit_code_1(
    monkeypatch: pytest.MonkeyPatch,
    capsys: Captured,
    net: Path,
    data: Path,
    tmp_path: Path,
    as_json: bool,
) -> None:
    def differs(folder: Path, *_: object, **__: object) -> NoReturn:
        REPORT.write(folder)
        raise MismatchError("small differs from golden: conv, sample 1")

    monkeypatch.setattr("hwgen.simulation.runner.simulate", differs)
    build = str(tmp_path / "build")
    assert run(["generate", str(net), "-o", build]) == 0
    capsys.readouterr()
    arguments = ["simulate", build, "--data", str(data), *(["--json"] if as_json else [])]
    assert run(arguments) == 1
    printed = capsys.readouterr()
    assert "hwgen: error: small differs from golden: conv, sample 1\n" in printed.err
    assert "bit-exact" not in printed.err
    if as_json:
        assert json.loads(printed.out) == REPORT.to_json()
    else:
        assert "-1.00 %" in printed.out  # 495 predicted, 500 measured
        assert "77" in printed.out
