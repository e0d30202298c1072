"""What every stream of the core must carry: golden's trains and logits as words, in files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np

from hwgen import golden
from hwgen.errors import ArtefactError
from hwgen.golden.images import check_images
from hwgen.network import Input, Network
from hwgen.simulation.core import Build
from hwgen.simulation.layout import ResultLayout

BATCH = 64
"""Samples whose trains are held at once."""


@dataclass(kw_only=True)
class Expected:
    """What was written into a folder, by :func:`write_expected`.

    Parameters
    ----------
    beats : list of int
        Beats of each input packet.
    results : ResultLayout
    classes : int array, shape (samples,)
    packets : uint8 array, shape (samples, bytes of an output packet)
    spikes : one int a stream
        Bits set in all its words.
    """

    beats: list[int]
    results: ResultLayout
    classes: np.ndarray
    packets: np.ndarray
    spikes: list[int] = field(default_factory=list)

    @property
    def samples(self) -> int:
        return len(self.classes)


def beats_file(folder: Path) -> Path:
    """Where the input goes: a record a beat, for ``packet_feeder.v``."""
    return folder / "beats.bin"


def packets_file(folder: Path) -> Path:
    """Where the input goes as bare bytes, for the bus models."""
    return folder / "packets.bin"


def stream_file(folder: Path, tap: int) -> Path:
    """Where the words of a stream go, for ``stream_checker.v``."""
    return folder / f"expected_{tap}.bin"


def results_file(folder: Path) -> Path:
    """Where the words of the output packets go, ``last`` as their highest bit."""
    return folder / "expected_results.bin"


def write_expected(
    build: Build,
    network: Network,
    images: np.ndarray,
    folder: Path,
    *,
    told: Callable[[int], None] | None = None,
) -> Expected:
    """Run golden on ``images`` and write what goes in, what each stream carries and what comes out.

    Parameters
    ----------
    images : unsigned integer array, shape (samples, channels, height, width), or frames of events
    folder : an existing folder
    told : is called with the number of samples done
    """
    images = check_images(network, images)
    if network.input.code == "events":
        packets = pack_events(images, build.event_fields, build.input_width)
    else:
        packets = list(pack_images(images, network.input, build.input_width))
    write_beats(beats_file(folder), packets)
    packets_file(folder).write_bytes(b"".join(packet.tobytes() for packet in packets))
    results = ResultLayout(classes=network.classes, width=build.output_width)
    classes = np.empty(len(images), dtype=np.int64)
    out_packets: list[np.ndarray] = []
    spikes = [0] * len(build.streams)
    files = [stream_file(folder, layout.tap).open("wb") for layout in build.streams]
    try:
        with results_file(folder).open("wb") as result_file:
            for start in range(0, len(images), BATCH):
                part = slice(start, start + BATCH)
                gold = golden.run(network, images[part], trains=True)
                for index, (layout, file) in enumerate(zip(build.streams, files, strict=True)):
                    if layout.node not in gold.trains:
                        raise ArtefactError(
                            f"stream {layout.tap} carries {layout.node!r}, which the network does "
                            f"not have; generate the build folder again"
                        )
                    words = layout.pack(gold.trains[layout.node])
                    spikes[index] += int(words.sum(dtype=np.int64))
                    write_words(file, words)
                words = results.pack(gold.logits, gold.classes)
                write_words(result_file, words)
                classes[part] = gold.classes
                out_packets.append(results.as_bytes(words))
                if told is not None:
                    told(min(start + BATCH, len(images)))
    finally:
        for file in files:
            file.close()
    return Expected(
        beats=[len(packet) for packet in packets],
        results=results,
        classes=classes,
        packets=np.concatenate(out_packets),
        spikes=spikes,
    )


def remove_expected(folder: Path) -> None:
    """Remove what :func:`write_expected` wrote: it is large, and made again for the next run."""
    for path in folder.glob("*.bin"):
        path.unlink()


def pack_images(images: np.ndarray, source: Input, input_width: int) -> np.ndarray:
    """The beats of each image's packet.

    What is left of the last beat is filled with noise, for the core must not read it.

    Returns
    -------
    uint8 array, shape (samples, beats, input_width / 8), lowest byte first
    """
    pixel_type = "<u1" if source.pixel_bits <= 8 else "<u2"
    raster = np.ascontiguousarray(images.transpose(0, 2, 3, 1)).astype(pixel_type)
    pixels = raster.reshape(len(images), -1).view(np.uint8)
    beat_bytes = input_width // 8
    left = -pixels.shape[1] % beat_bytes
    noise = np.random.default_rng(0).integers(0, 256, (len(images), left), dtype=np.uint8)
    return np.concatenate([pixels, noise], axis=1).reshape(len(images), -1, beat_bytes)


def pack_events(
    frames: np.ndarray, fields: Mapping[str, tuple[int, int]], input_width: int
) -> list[np.ndarray]:
    """The beats of each sample's packet: its events in the order t, y, x, channel, one a beat; a
    null beat where it has none. The bits above the fields are noise.

    Parameters
    ----------
    frames : array of 0 and 1, shape (samples, timesteps, channels, height, width)
    fields : lowest bit and width of each field of a beat

    Returns
    -------
    uint8 arrays, shape (beats, input_width / 8), lowest byte first
    """
    rng = np.random.default_rng(0)
    used = sum(fields["null"])
    packets = []
    for sample in frames:
        places = np.argwhere(sample.transpose(0, 2, 3, 1))
        values = dict(zip(("t", "y", "x", "channel"), places.T))
        values["null"] = np.zeros(len(places), dtype=np.int64)
        if not len(places):
            values = {"null": np.ones(1, dtype=np.int64)}
        bits = rng.integers(0, 2, (len(values["null"]), input_width), dtype=np.uint8)
        bits[:, :used] = 0
        for name, column in values.items():
            low, width = fields[name]
            bits[:, low : low + width] = (column[:, None] >> np.arange(width)) & 1
        packets.append(np.packbits(bits, axis=1, bitorder="little"))
    return packets


def write_beats(path: Path, packets: Iterable[np.ndarray]) -> None:
    """Write packets, uint8 arrays (beats, bytes), as records for ``packet_feeder.v``."""
    with path.open("wb") as file:
        for packet in packets:
            beats, width = packet.shape
            records = np.empty((beats, 1 + width), dtype=np.uint8)
            records[:, 0] = np.arange(beats) == beats - 1
            records[:, 1:] = packet[:, ::-1]
            file.write(records.tobytes())


def write_words(file: BinaryIO, words: np.ndarray) -> None:
    """Append words, uint8 of 0 and 1 of shape (words, width), for ``stream_checker.v``."""
    file.write(np.packbits(words, axis=1, bitorder="little")[:, ::-1].tobytes())
