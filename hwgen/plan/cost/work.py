"""Cycles per sample of a layer, from recorded spikes: fast enough for many candidates.

The parts of a layer work in parallel, each on its share of a sample::

    scan        Σ over windows of max(slowest scanner, membrane words of a group), in each round:
                scanners synchronise at the end of each window
    read        one cycle per chunk, in each window, timestep and round
    membrane    one cycle per word, in each timestep of accumulation and of firing
    words       one cycle per input word
    softmax     several cycles per class and timestep, in a spiking softmax

The slowest part determines the layer. :mod:`hwgen.plan.timing.predict` is exact, and slower.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil

import numpy as np
from numpy.typing import NDArray

from hwgen.plan.cost.activity import scan_cycles, window_costs
from hwgen.plan.timing.membrane import Grants, takes_turns
from hwgen.plan.units.encoder import EncoderPlan
from hwgen.plan.units.geometry import StreamPlan, WindowPlan
from hwgen.plan.units.layer import LayerPlan
from hwgen.plan.units.pool import PoolPlan
from hwgen.plan.units.synaptic_path import PathKind, SynapticPathPlan

Trains = Mapping[str, NDArray[np.uint8]]
"""Spike trains by node, shape (samples, timesteps, channels, height, width)."""
Streams = Sequence[StreamPlan]


@dataclass(frozen=True, kw_only=True)
class Work:
    """Cycles per sample of the parts of a layer.

    ``spikes`` and ``scanners`` are those of its busiest projection.
    """

    scan: float
    read: int
    membrane: int
    words: int
    spikes: float
    scanners: int
    softmax: int = 0

    @property
    def cycles(self) -> float:
        return max(self.scan, self.read, self.membrane, self.words, self.softmax)

    @property
    def limited_by(self) -> str:
        units = ("scan", "read", "membrane", "words", "softmax")
        return max(units, key=lambda unit: getattr(self, unit))


class Workload:
    """Measures layer plans on recorded spike trains.

    ``streams`` of a method are the streams that the layer reads, one for each path.
    """

    def __init__(self, trains: Trains) -> None:
        self._trains = trains
        self._windows: dict[object, tuple[NDArray[np.float64], float, int]] = {}
        self._orders: dict[object, tuple[int, ...]] = {}

    def measure(self, plan: LayerPlan, streams: Streams) -> Work:
        """Work per sample, averaged over all samples."""
        counts, spikes, scanners = self._count_windows(plan, streams)
        cycles = np.arange(len(counts))
        windows = plan.passes * plan.positions * plan.rounds
        words = plan.passes * plan.membrane_depth
        fire = 0 if plan.is_single_phase else plan.timesteps_out * words
        work = Work(
            scan=sum(
                float(counts @ np.maximum(cycles, apart)) / plan.rounds
                for apart in window_distances(plan)
            ),
            read=max(
                windows * path.window.timesteps * path.window.window_chunks for path in plan.paths
            ),
            membrane=plan.timesteps_in * words + fire,
            softmax=0 if plan.softmax is None else plan.softmax.sample_cycles,
            words=max(map(self._words, plan.paths)),
            spikes=spikes,
            scanners=scanners,
        )
        # With one bank, a layer does not accumulate while it fires.
        return work if plan.banks == 2 else replace(work, scan=work.scan + fire)

    def balance(self, plan: LayerPlan, streams: Streams) -> LayerPlan:
        """The plan with the bits of chunks dealt out so that scanners find equally many spikes."""
        paths = tuple(
            replace(path, window=replace(path.window, order=self._order(path, stream)))
            for path, stream in zip(plan.paths, streams, strict=True)
        )
        return replace(plan, paths=paths)

    def _words(self, path: SynapticPathPlan) -> int:
        window = path.window
        lines = window.rows * window.timesteps
        return lines * (window.columns * window.words + window.flush_chunks)

    def _count_windows(
        self, plan: LayerPlan, streams: Streams
    ) -> tuple[NDArray[np.float64], float, int]:
        """Number of windows and rounds per sample that take 0, 1, … cycles; and the spikes and the
        scanners of the busiest path."""
        masked = any(path.is_masked for path in plan.paths)
        key = (tuple(map(_shape, plan.paths)), plan.rounds if masked else 1)
        if key not in self._windows:
            self._windows[key] = self._scan(plan, streams)
        counts, spikes, scanners = self._windows[key]
        return (counts if masked else counts * plan.rounds), spikes, scanners

    def _scan(self, plan: LayerPlan, streams: Streams) -> tuple[NDArray[np.float64], float, int]:
        samples = len(self._trains[plan.paths[0].source])
        counts = np.zeros(1)
        spikes = [0.0] * len(plan.paths)
        for sample in range(samples):
            slowest: NDArray[np.int64] = np.zeros(1, dtype=np.int64)
            for index, (path, stream) in enumerate(zip(plan.paths, streams, strict=True)):
                costs = self._costs(sample, path, stream)
                cycles = scan_cycles(costs).max(axis=-1)
                silent = (plan.silent_steps(path), 0)
                cycles = np.pad(cycles, (silent, *[(0, 0)] * (cycles.ndim - 1)))
                slowest = np.maximum(slowest, cycles)
                spikes[index] += float(costs.sum()) / costs.shape[3] / samples
            found = np.bincount(slowest.ravel())
            counts = np.pad(counts, (0, max(0, len(found) - len(counts))))
            counts[: len(found)] += found
        busiest = int(np.argmax(spikes))
        return counts / samples, spikes[busiest], plan.paths[busiest].window.scanners

    def _costs(self, sample: int, path: SynapticPathPlan, stream: StreamPlan) -> NDArray[np.uint8]:
        return window_costs(self._trains[path.source][sample], stream, path)

    def _order(self, path: SynapticPathPlan, stream: StreamPlan) -> tuple[int, ...]:
        if path.window.scanners == 1:
            return ()
        key = _shape(path)
        if key not in self._orders:
            window = path.window
            single = replace(path, window=replace(window, scanners=window.chunk_width, order=()))
            spikes = sum(
                self._costs(sample, single, stream).sum(axis=(0, 1, 2, 3, 4), dtype=np.int64)
                for sample in range(len(self._trains[path.source]))
            )
            self._orders[key] = deal(np.asarray(spikes), window.scanners)
        return self._orders[key]


def window_distances(plan: LayerPlan) -> list[int]:
    """Minimum cycles from a window's last spike indices to the next window's, in each round."""
    grants = Grants(plan)
    if not plan.is_single_phase:
        return [grants.apart] * plan.rounds
    if not takes_turns(plan):
        return plan.words_by_round
    # The last word frees the unit at once; the next window's words arrive a latency later.
    latency = plan.membrane_latency
    return [
        max(latency * words, grants.latency + 1 + latency * (words - 1))
        for words in plan.words_by_round
    ]


def deal(spikes: NDArray[np.int64], scanners: int) -> tuple[int, ...]:
    """Deal bits out to scanners, the busiest bits first, each to the scanner with fewest spikes.

    ``spikes`` counts the spikes of each bit. All scanners own equally many bits, −1 for none.
    """
    size = ceil(len(spikes) / scanners)
    owned: list[list[int]] = [[] for _ in range(scanners)]
    load = [0] * scanners
    for bit in np.argsort(-spikes, kind="stable").tolist():
        chosen = min(
            (n for n in range(scanners) if len(owned[n]) < size), key=lambda n: (load[n], n)
        )
        owned[chosen].append(bit)
        load[chosen] += int(spikes[bit])
    return tuple(bit for bits in owned for bit in [*sorted(bits), *[-1] * (size - len(bits))])


def _shape(path: SynapticPathPlan) -> tuple[str, PathKind, WindowPlan]:
    """Everything that the spikes and cycles of a path depend on.

    Whole chunks hold the same bits, whatever the words are that they are packed from.
    """
    window = replace(path.window, rounds=path.window.rounds if path.is_masked else 1, slots=1)
    if window.words % window.pack == 0:
        window = replace(window, word_width=window.pixel_width, words=window.chunks, pack=1)
    return path.source, path.kind, window


def encoder_cycles(plan: EncoderPlan) -> int:
    """Cycles of the input per sample: its beats, its pixels or its words."""
    if plan.reads_address_events:
        return plan.output.words_per_sample
    pixels = ceil(plan.sample_pixels / plan.pixels_per_cycle)
    return max(pixels, plan.beats, plan.output.words_per_sample)


def pool_cycles(plan: PoolPlan) -> int:
    """Cycles of a max-pool per sample: one per candidate."""
    window = plan.window
    windows = window.out_rows * window.out_columns * window.timesteps * window.rounds
    return windows * plan.candidates
