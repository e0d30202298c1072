"""Reads what a simulation left, and refuses what a testbench and a bench never write.

The core may have written it: its Verilog comes from the build folder and reaches every signal.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from hwgen.artefact.build_folder import Manifest
from hwgen.artefact.plain_files import read_json, read_plain
from hwgen.errors import ArtefactError, ToolError
from hwgen.simulation.expected import Expected
from hwgen.simulation.simulation_log import CheckerState, SampleCycles, SimulationLog
from hwgen.validation import first_problem

CYCLES_BYTES = 1 << 28
"""Greatest size of the log of sample cycles: millions of samples."""
_LINES = re.compile(rb"(?:[io] [0-9]{1,19}\n)*+")
_BITS = re.compile("[01XZUWLH-]+", re.IGNORECASE)
_PACKET = re.compile("(?:[0-9a-f]{2})*")
_LIMIT = 1 << 64


def read_simulation_log(path: Path, manifest: Manifest, expected: Expected) -> SimulationLog:
    """The testbench's log of a simulation; raises :class:`.ToolError` if it is none."""
    try:
        log = TypeAdapter(SimulationLog).validate_json(read_json(path))
    except (OSError, ValueError, ArtefactError) as error:
        problem = first_problem(error) if isinstance(error, ValidationError) else str(error)
        raise ToolError(f"{path} is damaged: {problem}") from error
    if what := next(_problems(log, manifest, expected), None):
        raise ToolError(f"{path} is damaged: {what}")
    return log


def _problems(log: SimulationLog, manifest: Manifest, expected: Expected) -> Iterator[str]:
    states = [*log.streams, log.results]
    widths = [stream.entry.width for stream in expected.streams] + [expected.results.width + 1]
    if len(states) != len(widths):
        yield f"it has {len(log.streams)} streams of {len(expected.streams)}"
        return
    if len(log.counters) != len(manifest.counters):
        yield f"it has {len(log.counters)} counters of {len(manifest.counters)}"
    numbers = [log.cycles, log.quiet, log.beats, log.packet_errors, *log.counters]
    for state, width in zip(states, widths, strict=True):
        numbers += [state.words, state.stalled, state.unstable or 0]
        for words in _words(state):
            if len(words) != width or not _BITS.fullmatch(words):
                yield f"a word of {width} bits is {words[:80]!a}"
        numbers += [found.word for found in (state.wrong, state.extra) if found]
        if state.wrong and state.wrong.data == state.wrong.expected:
            yield "a wrong word equals the expected one"
    if not all(0 <= number < _LIMIT for number in numbers):
        yield "a number is negative or has more than 64 bits"
    if log.quiet > log.cycles:
        yield "more cycles were quiet than there were"
    packets = log.sink.packets if log.sink else ()
    if not all(_PACKET.fullmatch(packet) for packet in packets):
        yield "a packet is not hexadecimal"


def _words(state: CheckerState) -> Iterator[str]:
    if state.wrong:
        yield from (state.wrong.data, state.wrong.expected)
    if state.extra:
        yield state.extra.data


def read_sample_cycles(path: Path, *, samples: int) -> SampleCycles:
    """The bench's log of cycles; raises :class:`.ToolError` if it is none."""
    try:
        text = read_plain(path, limit=CYCLES_BYTES)
    except (OSError, ArtefactError) as error:
        raise ToolError(f"{path} cannot be read: {error}") from error
    lines = _LINES.fullmatch(text)
    if not lines or text.count(b"\n") > 2 * samples + 2:
        raise ToolError(f"{path} is damaged: it holds more than the cycles of {samples} samples")
    return SampleCycles.of(text.decode("ascii").splitlines())
