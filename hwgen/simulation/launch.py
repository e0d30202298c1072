"""Runs cocotb's runner in a process of its own: ``python launch.py compile|run JOB.json``.

The runner changes its environment, exits on failure and behaves otherwise under pytest, all of
which is harmless here. The output of this process is the log that :mod:`.process` keeps.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from cocotb_tools.check_results import get_results
from cocotb_tools.runner import get_runner

from hwgen.simulation.jobs import CompileJob, RunJob


def compile_sources(job: CompileJob) -> None:
    """Compile the sources of ``job`` into its folder."""
    get_runner(job.simulator).build(
        sources=job.sources,
        hdl_toplevel=job.top,
        build_args=job.arguments,
        build_dir=job.folder,
        always=True,
        waves=job.waves,
    )


def run(job: RunJob) -> None:
    """Run the testbench; fails where cocotb's own report is missing or names a failure."""
    results = Path(job.results_xml)
    get_runner(job.simulator).test(
        test_module="hwgen_testbench",
        hdl_toplevel=job.top,
        hdl_toplevel_lang="verilog",
        build_dir=job.folder,
        test_dir=job.cwd,
        results_xml=str(results),
        seed=job.seed,
        extra_env={"HWGEN_SIM_JOB": job.testbench_job, "COCOTB_LOG_LEVEL": "WARNING"},
        plusargs=job.plusargs,
        test_args=job.arguments,
        waves=job.waves,
    )
    tests, failures = get_results(results)
    if tests != 1 or failures:
        sys.exit(f"cocotb reports {tests} tests and {failures} failures")


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    action, job_file = sys.argv[1:]
    if action == "compile":
        compile_sources(CompileJob.read(job_file))
    else:
        run(RunJob.read(job_file))
