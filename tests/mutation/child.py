"""Runs pytest in a scratch copy and writes what happened; started by its path, in the copy.

Arguments: the package that must come from the copy, the module that was mutated (or -), the file
for the outcome, and the arguments of pytest. It imports nothing of this repository, so that the
copy is all that counts.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest

NOT_NOTICED = (
    "ImportError",
    "ModuleNotFoundError",
    "NameError",
    "SyntaxError",
    "UnboundLocalError",
)
"""Exceptions that tell of source that cannot run, which is not what a mutation is to show."""


class Recorder:
    """Plugin that counts the tests by outcome."""

    def __init__(self) -> None:
        self.passed = 0
        self.failed: list[str] = []
        self.errors: list[str] = []

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.errors.append(f"{report.nodeid} is not collected: {cause(report)}")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
        report = yield
        kind = call.excinfo.type.__name__ if call.excinfo else ""
        if report.failed and report.when == "call" and kind not in NOT_NOTICED:
            self.failed.append(report.nodeid)
        elif report.failed:
            place = "" if report.when == "call" else f" in its {report.when}"
            self.errors.append(f"{report.nodeid}{place}: {cause(report)}")
        elif report.passed and report.when == "call":
            self.passed += 1
        return report


def cause(report: pytest.CollectReport | pytest.TestReport) -> str:
    """First line of the exception of a report."""
    crash = getattr(report.longrepr, "reprcrash", None)
    lines = (crash.message if crash else report.longreprtext).strip().splitlines()
    return lines[0] if crash else lines[-1]


def main(package: str, module: str, report: str, *arguments: str) -> None:
    """Import what was mutated, run the tests, and write the outcome."""
    recorder = Recorder()
    place = code = None
    try:
        place = importlib.import_module(package).__file__
        if module != "-":
            importlib.import_module(module)
    except Exception as error:  # noqa: BLE001 -- whatever the source raises goes into the report
        recorder.errors.append(f"{module} cannot be imported: {type(error).__name__}: {error}")
    else:
        code = int(pytest.main(list(arguments), plugins=[recorder]))
    outcome = {"place": place, "code": code, **vars(recorder)}
    Path(report).write_text(json.dumps(outcome), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
