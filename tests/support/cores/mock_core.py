"""Build folder with ``mock_core.v``, a core that plays back words packed by this module."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from math import ceil
from pathlib import Path

import numpy as np

from hwgen import artefact, golden
from hwgen.artefact.build_folder import (
    CounterEntry,
    InputEntry,
    InputKind,
    Manifest,
    Port,
    StreamEntry,
    write_manifest,
)
from hwgen.artefact.plain_files import hash_files, sha256
from hwgen.network import (
    Conv2d,
    Flatten,
    Input,
    InverseLeakyNeuron,
    Layer,
    Linear,
    Network,
    Readout,
)
from hwgen.plan.assembly import make_plan
from hwgen.plan.units.counters import CounterKind
from hwgen.plan.units.geometry import Schedule, WordLayout
from hwgen.plan.units.options import PlanOptions

CHANNELS, HEIGHT, WIDTH = 2, 5, 3
OUT_CHANNELS = 3
TIMESTEPS = 3
CLASSES = 4
INPUT_WIDTH = 32
TAP_WIDTHS = (2, 2)
SOURCE = Path(__file__).with_name("mock_core.v")

WRONG_BEATS = CounterKind.STALL
"""Kind of the counter of input beats that differ from the expected ones."""

FAULTS = {
    "none": 0, "flip": 1, "drop": 2, "repeat": 3, "stop": 4, "withdraw": 5, "finish": 6,
    "packet": 7,
}  # fmt: skip


def mock_network() -> Network:
    """A convolution and a linear read-out with random weights."""
    rng = np.random.default_rng(5)
    features = OUT_CHANNELS * HEIGHT * WIDTH
    return Network(
        name="mock",
        input=Input(shape=(CHANNELS, HEIGHT, WIDTH), timesteps=TIMESTEPS),
        nodes=(
            Layer(
                name="conv1",
                projections=(
                    Conv2d(
                        source="input",
                        weights=rng.integers(-20, 21, (OUT_CHANNELS, CHANNELS, 3, 3)).astype("i4"),
                        padding=(1, 1, 1, 1),
                    ),
                ),
                bias=np.full(OUT_CHANNELS, 30),
                neuron=InverseLeakyNeuron(threshold=np.full(OUT_CHANNELS, 25), timesteps=TIMESTEPS),
            ),
            Flatten(name="flat", source="conv1"),
            Layer(
                name="fc",
                projections=(
                    Linear(
                        source="flat",
                        weights=rng.integers(-20, 21, (CLASSES, features)).astype("i4"),
                    ),
                ),
                bias=np.zeros(CLASSES, dtype=np.int64),
                neuron=Readout(),
            ),
        ),
    )


def mock_images(samples: int) -> np.ndarray:
    rng = np.random.default_rng(6)
    return rng.integers(0, 256, (samples, CHANNELS, HEIGHT, WIDTH)).astype(np.uint8)


def write_mock_core(folder: Path, samples: int) -> np.ndarray:
    """Write a build folder whose core plays back the words of ``samples`` images; returns these."""
    network, images = mock_network(), mock_images(samples)
    gold = golden.run(network, images, trains=True)
    streams = [_pixel_words(gold.trains[node], 2) for node in ("input", "conv1")]
    results = [
        word
        for sample in range(samples)
        for word in (
            *(int(logit) & 0xFFFFFFFF for logit in gold.logits[sample]),
            int(gold.classes[sample]) | 1 << 32,
        )
    ]
    pixels = CHANNELS * HEIGHT * WIDTH
    beats = ceil(pixels / (INPUT_WIDTH // 8))
    folder.mkdir(parents=True)
    artefact.save(network, folder / "network")
    _write_hex(folder / "tap_0.hex", streams[0])
    _write_hex(folder / "tap_1.hex", streams[1])
    _write_hex(folder / "results.hex", results)
    _write_hex(folder / "beats.hex", _beats(images, INPUT_WIDTH // 8))
    _write_hex(folder / "fault.hex", [FAULTS["none"], 0, 0, 0])
    left = beats * INPUT_WIDTH - 8 * pixels
    sizes = {
        "INPUT_WIDTH": INPUT_WIDTH,
        "BEATS": beats,
        "INPUT_BEATS": beats * samples,
        "LAST_MASK": f"{INPUT_WIDTH}'h{(1 << (INPUT_WIDTH - left)) - 1:x}",
        "WIDTH_0": TAP_WIDTHS[0],
        "WORDS_0": len(streams[0]) // samples,
        "DEPTH_0": len(streams[0]),
        "WIDTH_1": TAP_WIDTHS[1],
        "WORDS_1": len(streams[1]) // samples,
        "DEPTH_1": len(streams[1]),
        "RESULTS": CLASSES + 1,
        "RESULTS_DEPTH": len(results),
    }
    verilog = re.sub(r"`(\w+)", lambda name: str(sizes[name[1]]), SOURCE.read_text())
    (folder / "mock_core.v").write_text(verilog)
    counters = [
        ("", CounterKind.CYCLES),
        ("", CounterKind.SAMPLES),
        ("input", CounterKind.SPIKES),
        ("conv1", CounterKind.SPIKES),
        ("input", WRONG_BEATS),
    ]
    manifest = Manifest(
        name="mock",
        top="mock",
        sources=("mock_core.v",),
        network_hash=artefact.content_hash(network),
        board=None,
        tools={"hwgen": "0"},
        ports=(
            Port(name="s_axis_tdata", direction="in", width=INPUT_WIDTH),
            Port(name="m_axis_tdata", direction="out", width=32),
            Port(name="counter_address", direction="in", width=3),
            Port(name="packet_errors", direction="out", width=8),
        ),
        input=InputEntry(kind=InputKind.PIXELS),
        streams=tuple(
            StreamEntry(
                tap=tap,
                node=node,
                shape=(channels, HEIGHT, WIDTH),
                timesteps=TIMESTEPS,
                width=TAP_WIDTHS[tap],
                layout=WordLayout.PIXEL,
                schedule=Schedule.TIME,
            )
            for tap, (node, channels) in enumerate((("input", CHANNELS), ("conv1", OUT_CHANNELS)))
        ),
        counters=tuple(
            CounterEntry(address=address, node=node, kind=kind)
            for address, (node, kind) in enumerate(counters)
        ),
        plan=make_plan(network, PlanOptions(input_width=INPUT_WIDTH)),
        files=hash_files(folder),
    )
    write_manifest(folder, manifest)
    return images


def set_fault(folder: Path, kind: str, *, stream: int = 0, word: int = 0, bit: int = 0) -> None:
    """Select the fault of the core in ``folder`` for the next simulation."""
    _write_hex(folder / "fault.hex", [FAULTS[kind], stream, word, bit])
    sign(folder)


def sign(folder: Path) -> None:
    """Give the manifest the hashes of the files that it names, as they are now."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["files"] = {name: sha256(folder / name) for name in manifest["files"]}
    path.write_text(json.dumps(manifest))


def _pixel_words(trains: np.ndarray, width: int) -> list[int]:
    """Layout `pixel` of docs/hardware.md, spelled out."""
    samples, timesteps, channels, height, columns = trains.shape
    words = []
    for sample in range(samples):
        for t in range(timesteps):
            for y in range(height):
                for x in range(columns):
                    for group in range(ceil(channels / width)):
                        word = 0
                        for j in range(width):
                            if group * width + j < channels:
                                word |= int(trains[sample, t, group * width + j, y, x]) << j
                        words.append(word)
    return words


def _beats(images: np.ndarray, beat_bytes: int) -> list[int]:
    """Pixels in the order y, x, c, the first in the lowest byte; a sample starts on a new beat."""
    beats = []
    for image in images:
        pixels = [int(image[c, y, x]) for y, x, c in np.ndindex(HEIGHT, WIDTH, CHANNELS)]
        for start in range(0, len(pixels), beat_bytes):
            beat = pixels[start : start + beat_bytes]
            beats.append(sum(pixel << 8 * n for n, pixel in enumerate(beat)))
    return beats


def _write_hex(path: Path, values: Iterable[int]) -> None:
    path.write_text("".join(f"{value:x}\n" for value in values))
