"""Mutated files of a build folder: each is read as it is, or refused in one line."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hwgen import artefact, golden
from hwgen.artefact.build_folder import Manifest, read_manifest
from hwgen.errors import ArtefactError, HwgenError
from hwgen.network import Network
from hwgen.report import gather
from hwgen.report.figures import _performance
from hwgen.report.html import render
from hwgen.simulation.difference import first_difference
from hwgen.simulation.expected import Expected
from hwgen.simulation.layout import ResultLayout, StreamLayout
from hwgen.simulation.read_log import read_sample_cycles, read_simulation_log
from hwgen.simulation.report import SimulationReport
from hwgen.simulation.simulation_log import (
    CheckerState,
    ExtraWord,
    SimulationLog,
    SinkState,
    WrongWord,
)
from hwgen.synthesis import BuildReport
from tests.support.cores.mock_core import mock_network, write_mock_core
from tests.support.mutations import mutate
from tests.support.reports import SYNTHESIS, simulation_report

SAMPLES = 2
MANY = pytest.mark.slow

seeds = st.integers(0, (1 << 32) - 1)


def runs(count: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return settings(
        max_examples=count,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mutations") / "build"
    write_mock_core(folder, SAMPLES)
    digest = read_manifest(folder).network_hash
    simulation_report(network_hash=digest, network="mock").write(folder)
    (folder / "synth").mkdir()
    SYNTHESIS.write(folder)
    return folder


def use_report(folder: Path) -> None:
    """All that `hwgen report` does but write."""
    figures = gather(folder)
    render(figures)
    figures.model_dump_json()


def outcome(path: Path, text: bytes, use: Callable[[], object]) -> str:
    """Whether ``use`` accepts ``text`` as the content of ``path``; anything else is raised."""
    before, message = path.read_bytes(), ""
    path.write_bytes(text)
    try:
        use()
    except HwgenError as error:
        message = str(error)
    finally:
        path.write_bytes(before)
    assert len(message) < 2000
    assert not message or message.isprintable()
    return "refused" if message else "accepted"


def use_one(folder: Path, name: str) -> Callable[[], object]:
    """All that `hwgen report` does with one file."""
    if name == "manifest.json":
        return lambda: use_report(folder)
    figures = gather(folder)

    def use() -> None:
        simulation, synthesis = SimulationReport.read(folder), BuildReport.read(folder)
        assert simulation is not None
        if simulation.network_hash != figures.network.hash:
            raise ArtefactError("of another network")
        shown = {
            "simulation": simulation,
            "synthesis": synthesis,
            "performance": _performance(None, simulation, synthesis),
        }
        render(figures.model_copy(update=shown))
        figures.model_copy(update=shown).model_dump_json()

    return use


FILES = ("manifest.json", "simulation.json", "synth/report.json")


@pytest.mark.parametrize("name", FILES)
def test_the_files_themselves_are_accepted(folder: Path, name: str) -> None:
    path = folder / name
    for use in (use_one(folder, name), lambda: use_report(folder)):
        assert outcome(path, path.read_bytes(), use) == "accepted"


@pytest.mark.parametrize("name", FILES)
@runs(12)
@given(seed=seeds)
def test_some_mutations_of_a_report(folder: Path, name: str, seed: int) -> None:
    path = folder / name
    outcome(path, mutate(path.read_bytes(), seed), lambda: use_report(folder))


@MANY
@pytest.mark.parametrize("name", FILES)
def test_many_mutations_of_a_report(folder: Path, name: str) -> None:
    path, use = folder / name, use_one(folder, name)
    text = path.read_bytes()
    found = Counter(outcome(path, mutate(text, seed), use) for seed in range(5000))
    assert found["refused"] > 2000, found


# --- logs of a simulation ------------------------------------------------------------------------


def expected_of(manifest: Manifest, network: Network) -> Expected:
    streams = tuple(map(StreamLayout, manifest.streams))
    images = np.zeros((SAMPLES, *network.input.shape), np.uint8)
    gold = golden.run(network, images)
    results = ResultLayout(logits=network.logits, width=manifest.output_width)
    words = results.pack(gold.logits, gold.classes)
    return Expected(
        beats=[8] * SAMPLES,
        streams=streams,
        results=results,
        classes=gold.classes,
        packets=results.as_bytes(words),
        spikes=[10, 20],
    )


def log_of(manifest: Manifest, expected: Expected) -> SimulationLog:
    """A log with something of everything that one may hold."""
    wrong = WrongWord(word=3, data="01", expected="11")
    return SimulationLog(
        cycles=500,
        quiet=3,
        stuck=False,
        beats=16,
        streams=(
            CheckerState(words=90, stalled=4),
            CheckerState(words=180, stalled=4, wrong=wrong, unstable=7),
        ),
        results=CheckerState(words=10, stalled=0, extra=ExtraWord(word=10, data="0" * 33)),
        sink=SinkState(packets=tuple(row.tobytes().hex() for row in expected.packets), empty=True),
        counters=(500, SAMPLES, 10, 20, 0),
        packet_errors=0,
    )


@pytest.fixture(scope="module")
def judged(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Callable[[], object]]:
    """The file of a log, and a function that reads it and names the first difference."""
    manifest, network = read_manifest(folder), mock_network()
    assert artefact.content_hash(network) == manifest.network_hash
    expected = expected_of(manifest, network)
    path = tmp_path_factory.mktemp("log") / "simulation_log.json"
    log_of(manifest, expected).write(path)

    def judge() -> str | None:
        return first_difference(manifest, expected, read_simulation_log(path, manifest, expected))

    difference = judge()
    assert difference is not None
    assert "spike is 1, expected 1" not in difference
    assert "layer 'conv1'" in difference
    return path, judge


@runs(25)
@given(seed=seeds)
def test_some_mutations_of_a_log(judged: tuple[Path, Callable[[], object]], seed: int) -> None:
    path, judge = judged
    outcome(path, mutate(path.read_bytes(), seed), judge)


@MANY
def test_many_mutations_of_a_log(judged: tuple[Path, Callable[[], object]]) -> None:
    path, judge = judged
    text = path.read_bytes()
    found = Counter(outcome(path, mutate(text, seed), judge) for seed in range(5000))
    assert found["refused"] > 2000, found


@pytest.mark.parametrize(
    "text",
    [
        b"i 5\no 9", b"i -5\n", b"i 5 \n", b"x 5\n", b"i " + b"9" * 5000 + b"\n", b"\xff", b"i\n",
        b"i 1\n" * 100, b"i 0x5\n", b"i 5\r\n", b"i \xd9\xa1\n", b"\0", b"i 1\n\no 2\n",
    ],
)  # fmt: skip
def test_cycles_that_no_bench_writes(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "cycles").write_bytes(text)
    with pytest.raises(HwgenError, match="cycles is damaged"):
        read_sample_cycles(tmp_path / "cycles", samples=3)


def test_mutations_repeat_and_differ() -> None:
    text = json.dumps({"a": [1, 2, {"b": "c"}], "d": 0.5}).encode()
    found = [mutate(text, seed) for seed in range(200)]
    assert found == [mutate(text, seed) for seed in range(200)]
    assert len(set(found)) > 50
    assert any(one != two for one, two in itertools.pairwise(found))
