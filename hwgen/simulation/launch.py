"""Runs cocotb's runner in a process of its own: ``python launch.py JOB.json``.

The runner changes its environment, exits on failure and behaves otherwise under pytest; here it
may. Its output is the log that :mod:`.process` keeps.
"""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Any

from cocotb_tools.check_results import get_results
from cocotb_tools.runner import get_runner


def build(job: dict[str, Any]) -> None:
    """Compile the sources of ``job`` into its folder."""
    get_runner(job["simulator"]).build(
        sources=job["sources"],
        hdl_toplevel=job["bench"],
        build_args=job["arguments"],
        build_dir=job["folder"],
        always=True,
        waves=job["waves"],
    )


def run(job: dict[str, Any]) -> None:
    """Run the testbench; fails where cocotb's own report is missing or says so."""
    results = Path(job["results_xml"])
    get_runner(job["simulator"]).test(
        test_module="hwgen_testbench",
        hdl_toplevel=job["bench"],
        hdl_toplevel_lang="verilog",
        build_dir=job["folder"],
        test_dir=job["cwd"],
        results_xml=str(results),
        seed=job["seed"],
        extra_env={"HWGEN_SIM_JOB": job["bench_job"], "COCOTB_LOG_LEVEL": "WARNING"},
        plusargs=job["plusargs"],
        test_args=job["arguments"],
        waves=job["waves"],
    )
    tests, failures = get_results(results)
    if tests != 1 or failures:
        sys.exit(f"cocotb reports {tests} tests and {failures} failures")


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    {"build": build, "run": run}[job["action"]](job)
