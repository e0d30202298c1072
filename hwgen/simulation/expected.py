"""Expected words of every stream of the core, in files: golden's trains and logits."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from hwgen import golden
from hwgen.artefact.build_folder import EventFields, Manifest
from hwgen.errors import ArtefactError
from hwgen.network import Input, Network
from hwgen.simulation.layout import ResultLayout, StreamLayout
from hwgen.simulation.work_folder import WorkFolder

BATCH = 64
"""Samples whose trains are in memory at once."""


@dataclass(frozen=True, kw_only=True)
class Expected:
    """Expected behaviour of the core, as :func:`write_expected` wrote it.

    ``beats`` counts those of each input packet, ``spikes`` those on each stream in all samples.
    ``classes`` has shape (samples,), ``packets`` (uint8) has (samples, bytes per output packet).
    """

    beats: list[int]
    streams: tuple[StreamLayout, ...]
    results: ResultLayout
    classes: np.ndarray
    packets: np.ndarray
    spikes: list[int]

    @property
    def samples(self) -> int:
        return len(self.classes)


def write_expected(
    manifest: Manifest, work: WorkFolder, network: Network, images: np.ndarray
) -> Expected:
    """Run golden on ``images`` and write the input and the expected words of every stream.

    ``images`` are what :func:`hwgen.golden.images.check_images` gives.
    """
    if fields := manifest.input.fields:
        packets = pack_events(images, fields, manifest.input_width)
    else:
        packets = list(pack_images(images, network.input, manifest.input_width))
    write_beats(work.beats, packets)
    work.packets.write_bytes(b"".join(packet.tobytes() for packet in packets))
    streams = tuple(map(StreamLayout, manifest.streams))
    results = ResultLayout(logits=network.logits, width=manifest.output_width)
    classes = np.empty(len(images), dtype=np.int64)
    out_packets: list[np.ndarray] = []
    spikes = [0] * len(streams)
    with ExitStack() as stack:
        files = [stack.enter_context(work.stream(s.entry.tap).open("wb")) for s in streams]
        result_file = stack.enter_context(work.results.open("wb"))
        for start in range(0, len(images), BATCH):
            part = slice(start, start + BATCH)
            gold = golden.run(network, images[part], trains=True)
            for index, (layout, file) in enumerate(zip(streams, files, strict=True)):
                if layout.node not in gold.trains:
                    raise ArtefactError(
                        f"stream {layout.entry.tap} carries {layout.node!r}, which the network "
                        f"does not have; generate the build folder again"
                    )
                words = layout.pack(gold.trains[layout.node])
                spikes[index] += int(words.sum(dtype=np.int64))
                write_words(file, words)
            words = results.pack(gold.logits, gold.classes)
            write_words(result_file, words)
            classes[part] = gold.classes
            out_packets.append(results.as_bytes(words))
    return Expected(
        beats=[len(packet) for packet in packets],
        streams=streams,
        results=results,
        classes=classes,
        packets=np.concatenate(out_packets),
        spikes=spikes,
    )


def pack_images(images: np.ndarray, source: Input, input_width: int) -> np.ndarray:
    """Pack each image into the beats of a packet.

    The unused bytes of the last beat are noise, because the core must ignore them. The result is
    uint8, shape (samples, beats, input_width / 8), lowest byte first.
    """
    pixel_type = "<u1" if source.pixel_bits <= 8 else "<u2"
    raster = np.ascontiguousarray(images.transpose(0, 2, 3, 1)).astype(pixel_type)
    pixels = raster.reshape(len(images), -1).view(np.uint8)
    beat_bytes = input_width // 8
    left = -pixels.shape[1] % beat_bytes
    noise = np.random.default_rng(0).integers(0, 256, (len(images), left), dtype=np.uint8)
    return np.concatenate([pixels, noise], axis=1).reshape(len(images), -1, beat_bytes)


def pack_events(frames: np.ndarray, fields: EventFields, input_width: int) -> list[np.ndarray]:
    """Pack the address events of each sample, one per beat, in the order t, y, x, channel.

    A sample without events is a single null beat. The bits above the fields are noise, because the
    core must ignore them.

    ``frames`` are 0 and 1, shape (samples, timesteps, channels, height, width); the packets are
    uint8, shape (beats, input_width / 8), lowest byte first.
    """
    rng = np.random.default_rng(0)
    columns = (fields.t, fields.y, fields.x, fields.channel)
    packets = []
    for sample in frames:
        events = np.argwhere(sample.transpose(0, 2, 3, 1))
        bits = rng.integers(0, 2, (max(1, len(events)), input_width), dtype=np.uint8)
        bits[:, : fields.null.low + fields.null.width] = 0
        for field, values in zip(columns, events.T, strict=True):
            place = slice(field.low, field.low + field.width)
            bits[: len(events), place] = (values[:, None] >> np.arange(field.width)) & 1
        if not len(events):
            bits[0, fields.null.low] = 1
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
