"""The figures of a build folder: what follows from cycles and clock, what is missing, the page."""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from hwgen.artefact.evaluation_file import EvaluationFile
from hwgen.commands.report import print_summary
from hwgen.errors import ArtefactError
from hwgen.generation import generate
from hwgen.plan.timing.predict import PredictedCycles
from hwgen.report import gather, write
from hwgen.report.figures import Performance
from hwgen.report.html import render, show
from hwgen.simulation.options import StallPattern
from hwgen.simulation.report import SimulationReport
from hwgen.synthesis import BuildReport
from tests.support.conversion import convert
from tests.support.cores.tiny_core import write_tiny_core
from tests.support.float_models import pixels, tiny_cnn
from tests.support.reports import SYNTHESIS, simulation_report

NETWORK_HASH = "ab" * 32
SIMULATION = simulation_report(network_hash=NETWORK_HASH)
EVALUATION = EvaluationFile(
    network_hash=NETWORK_HASH,
    data="test.npz",
    images=360,
    accuracy=97.5,
    float_accuracy=98.0,
    float_images="same",
    spikes_per_neuron=0.5,
    synaptic_operations=1000.0,
    macs=4000,
)


def write_build(
    folder: Path,
    *,
    simulation: SimulationReport | None = None,
    synthesis: BuildReport | None = None,
    evaluation: EvaluationFile | None = None,
) -> Path:
    predicted = PredictedCycles(images=1, latency_cycles=480, interval_cycles=None, busy_cycles={})
    write_tiny_core(folder, network_hash=NETWORK_HASH, predicted=predicted)
    if simulation:
        simulation.write(folder)
    if evaluation:
        evaluation.write(folder)
    if synthesis:
        (folder / "synth").mkdir()
        synthesis.write(folder)
    return folder


def test_rates_follow_from_cycles_and_clock(tmp_path: Path) -> None:
    folder = write_build(tmp_path / "build", simulation=SIMULATION, synthesis=SYNTHESIS)
    assert gather(folder).performance == Performance(
        latency_cycles=500,
        interval_cycles=250,
        cycles_from="simulation",
        clock_mhz=100,
        latency_us=5,  # 500 cycles of 10 ns
        results_per_second=400_000,  # 100 MHz / 250
        results_per_second_per_klut=200_000,  # on 2,000 LUT4
    )


def test_a_clock_that_is_not_met_gives_the_rates_of_fmax(tmp_path: Path) -> None:
    slow = SYNTHESIS.model_copy(update={"fmax_mhz": 50.0})
    folder = write_build(tmp_path / "build", simulation=SIMULATION, synthesis=slow)
    assert gather(folder).performance.results_per_second == 200_000


def test_cycles_under_stalls_are_not_the_speed_of_the_core(tmp_path: Path) -> None:
    stalled = SIMULATION.model_copy(update={"backpressure": StallPattern.RANDOM})
    folder = write_build(tmp_path / "build", simulation=stalled)
    rates = gather(folder).performance
    assert (rates.latency_cycles, rates.cycles_from) == (480, "prediction")


def test_what_was_not_run_is_none(tmp_path: Path) -> None:
    figures = gather(write_build(tmp_path / "build"))
    assert figures.simulation is None
    assert figures.synthesis is None
    assert figures.performance.results_per_second is None


def test_a_simulation_of_another_network_is_refused(tmp_path: Path) -> None:
    other = SIMULATION.model_copy(update={"network_hash": "cd" * 32})
    folder = write_build(tmp_path / "build", simulation=other)
    with pytest.raises(ArtefactError, match="the last simulation was of another network"):
        gather(folder)


def test_an_evaluation_of_another_network_is_refused(tmp_path: Path) -> None:
    other = EVALUATION.model_copy(update={"network_hash": "cd" * 32})
    folder = write_build(tmp_path / "build", evaluation=other)
    with pytest.raises(ArtefactError, match="the last evaluation was .*run `hwgen evaluate` again"):
        gather(folder)


def test_two_accuracies_have_two_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """97.5 % of the 360 evaluated images, 100 % of the two simulated ones."""
    simulation = SIMULATION.model_copy(update={"accuracy": 100.0})
    folder = write_build(tmp_path / "build", simulation=simulation, evaluation=EVALUATION)
    figures = gather(folder)
    print_summary(figures)
    printed = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "│ accuracy, % │ 97.50 (360 images, test.npz) │" in printed
    assert (
        f"│ accuracy of the simulated images, % │ 100.00 ({SIMULATION.samples} images) │" in printed
    )
    _, page = write(folder, figures)
    text = " ".join(page.read_text().split())
    assert "accuracy, % of 360 images</span> <b>97.5</b>" in text
    assert f"Accuracy of these {SIMULATION.samples} images: 100 %." in text


def test_a_damaged_report_is_refused(tmp_path: Path) -> None:
    folder = write_build(tmp_path / "build", synthesis=SYNTHESIS)
    (folder / "synth/report.json").write_text('{"board": ')
    with pytest.raises(ArtefactError, match=r"synth/report.json is damaged"):
        gather(folder)


def test_a_report_of_another_version_is_refused(tmp_path: Path) -> None:
    folder = write_build(tmp_path / "build", simulation=SIMULATION)
    old = json.loads((folder / "simulation.json").read_text()) | {"counters": {"": {"cycles": 3}}}
    (folder / "simulation.json").write_text(json.dumps(old))
    with pytest.raises(
        ArtefactError, match=r"another version of hwgen: counters: .*run `hwgen sim"
    ):
        gather(folder)


class Cells(HTMLParser):
    """The text of table cells, row by row; fails where a tag is not closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "meta":
            self._open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag == "td":
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "td" in self._open:
            self.rows[-1][-1] += data


def test_the_page_shows_the_figures(tmp_path: Path) -> None:
    folder = write_build(tmp_path / "build", simulation=SIMULATION, synthesis=SYNTHESIS)
    figures = gather(folder)
    as_json, page = write(folder, figures)
    assert json.loads(as_json.read_text()) == figures.to_json()
    cells = Cells()
    cells.feed(page.read_text())
    rows = [[cell.strip() for cell in row] for row in cells.rows]
    assert ["latency", "500", "499"] in rows
    assert ["interval", "250", "249.5"] in rows
    assert ["results per second", "400,000"] in rows
    assert ["shell", "250", "0", "0", "0", "0"] in rows
    # A name is text, never markup.
    assert ["<i>conv", "200", "5", "–", "–"] in rows
    assert "http" not in page.read_text()


def test_the_page_shows_what_the_conversion_measured(tmp_path: Path) -> None:
    network = convert(tiny_cnn(), pixels((2, 8, 8), samples=30), timesteps=4)
    fidelity = network.provenance["fidelity"]
    said = dict(network.provenance) | {"warnings": ["layer <b> is odd"]}
    build = generate(replace(network, provenance=said)).write(tmp_path / "build")
    figures = gather(build.folder)
    assert figures.conversion is not None
    assert figures.conversion.model_dump() == fidelity | {"warnings": ("layer <b> is odd",)}
    page = render(figures)
    assert "layer &lt;b&gt; is odd" in page
    cells = Cells()
    cells.feed(page)
    rows = [[cell.strip() for cell in row] for row in cells.rows]
    assert ["logits", show(fidelity["signal_to_error"])] in rows
    assert ["0", show(fidelity["layers"]["0"])] in rows


def test_the_page_is_written_for_a_fresh_build_folder_too(tmp_path: Path) -> None:
    folder = write_build(tmp_path / "build")
    _, page = write(folder, gather(folder))
    assert "Not simulated yet" in page.read_text()
    assert not list(folder.glob(".*"))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (1234567, "1,234,567"),
        (0.123456, "0.1235"),
        (250.0, "250"),
        (12345.6, "12,346"),
    ],
)
def test_figures_are_shown_as_a_person_reads_them(value: float | None, text: str) -> None:
    assert show(value) == text
