"""Phase of a tool, from the lines of its log."""

from __future__ import annotations

import re

from hwgen.synthesis.tools import Watch

_PHASES = (
    (re.compile(r"^\d[\d.]*\. Executing (\w+) pass"), "{}"),
    (re.compile(r"^Info: Packing (\w+)"), "packing {}"),
    (re.compile(r"^Info: Creating initial analytic placement for (\d+) cells"), "placing {} cells"),
    (re.compile(r"^Info: *at iteration #(\d+), type ALL"), "placing, iteration {}"),
    (re.compile(r"^Info: Running Static placer"), "placing"),
    (re.compile(r"^Info: *iter=(\d*0) steplen"), "placing, iteration {}"),
    (re.compile(r"^Info: Strict legalising (\d+) cells"), "placing {} cells where they fit"),
    (re.compile(r"^Info: Running simulated annealing"), "refining the placement"),
    (re.compile(r"^Info: Max frequency for clock .*: ([\d.]+ MHz)"), "timing: {}"),
    (re.compile(r"^Info: *Routing globals"), "routing globals"),
    (re.compile(r"^Info: Routing (\d+) arcs"), "routing {} arcs"),
    (re.compile(r"^Info: *iter=(\d+) .*overused=(\d+)"), "routing, iteration {}, {} overused"),
    (re.compile(r"^Info: *(\d+) \| .*\| *(\d+)$"), "routing, {} arcs, {} left"),
)


class Phases:
    """Watcher of log lines that calls ``progress`` with each new phase, as "LABEL: PHASE"."""

    def __init__(self, label: str, progress: Watch | None) -> None:
        self._label = label
        self._progress = progress
        self._last = ""

    def __call__(self, line: str) -> None:
        if self._progress is None:
            return
        for pattern, text in _PHASES:
            if match := pattern.search(line):
                phase = f"{self._label}: {text.format(*match.groups())}"
                if phase != self._last:
                    self._last = phase
                    self._progress(phase)
                return
