"""How long a layer's unit takes for a sample, from measured spikes: cheap, for many candidates.

Each unit of a layer works through its share of a sample beside the others:

    scan        Σ over windows of max(slowest scanner, membrane words of a group), in each round:
                scanners meet at the end of each window
    read        a cycle a chunk, in each window, timestep and round
    membrane    a cycle a word, once in each timestep of accumulation and of firing
    words       a cycle a word that comes in
    softmax     some cycles a class and timestep, in a spiking softmax

The largest of them is the layer's. :mod:`hwgen.plan.timing.predict` is exact, and slower.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import ceil

import numpy as np
from numpy.typing import NDArray

from hwgen.plan.cost.activity import scan_cycles, window_costs
from hwgen.plan.timing.membrane import SINGLE_LATENCY, Grants, takes_turns
from hwgen.plan.units.encoder import EncoderPlan
from hwgen.plan.units.geometry import StreamPlan, WindowPlan
from hwgen.plan.units.layer import LayerPlan
from hwgen.plan.units.pool import PoolPlan
from hwgen.plan.units.synaptic_path import PathKind, SynapticPathPlan

Trains = Mapping[str, NDArray[np.uint8]]
"""By node, shape (samples, timesteps, channels, height, width)."""


@dataclass(frozen=True, kw_only=True)
class Work:
    """Cycles a sample of a layer's units, and the spikes of its busiest projection.

    ``scanners`` are those of that projection.
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
    """Measures layer plans on golden's trains.

    Parameters
    ----------
    trains : Trains
    stream : function of a node's name
        The stream that carries its trains.
    """

    def __init__(self, trains: Trains, stream: Callable[[str], StreamPlan]) -> None:
        self._trains = trains
        self._stream = stream
        self._windows: dict[object, tuple[NDArray[np.float64], float, int]] = {}
        self._orders: dict[object, tuple[int, ...]] = {}

    def measure(self, plan: LayerPlan) -> Work:
        """The work of a sample, the mean over all."""
        counts, spikes, scanners = self._count_windows(plan)
        cycles = np.arange(len(counts))
        windows = plan.passes * plan.positions * plan.timesteps_in
        words = plan.passes * plan.membrane_depth
        fire = 0 if plan.is_single_phase else plan.timesteps_out * words
        work = Work(
            scan=sum(
                float(counts @ np.maximum(cycles, apart)) / plan.rounds
                for apart in window_distances(plan)
            ),
            read=max(plan.rounds * windows * path.window.window_chunks for path in plan.paths),
            membrane=plan.timesteps_in * words + fire,
            softmax=0 if plan.softmax is None else plan.softmax.sample_cycles,
            words=max(map(self._words, plan.paths)),
            spikes=spikes,
            scanners=scanners,
        )
        # With one bank nothing is summed while it fires.
        return work if plan.banks == 2 else replace(work, scan=work.scan + fire)

    def balance(self, plan: LayerPlan) -> LayerPlan:
        """The plan with each chunk's bits dealt out so that scanners have equally many spikes."""
        paths = tuple(
            replace(path, window=replace(path.window, order=self._order(path)))
            for path in plan.paths
        )
        return replace(plan, paths=paths)

    def _words(self, path: SynapticPathPlan) -> int:
        window = path.window
        lines = window.rows * window.timesteps
        return lines * (window.columns * window.words + window.flush_chunks)

    def _count_windows(self, plan: LayerPlan) -> tuple[NDArray[np.float64], float, int]:
        """How many windows and folds of a sample take 0, 1, … cycles; and the busiest path's
        spikes and scanners."""
        masked = any(path.is_masked for path in plan.paths)
        key = (tuple(map(_shape, plan.paths)), plan.rounds if masked else 1)
        if key not in self._windows:
            self._windows[key] = self._scan(plan)
        counts, spikes, scanners = self._windows[key]
        return (counts if masked else counts * plan.rounds), spikes, scanners

    def _scan(self, plan: LayerPlan) -> tuple[NDArray[np.float64], float, int]:
        samples = len(self._trains[plan.paths[0].source])
        counts = np.zeros(1)
        spikes = [0.0] * len(plan.paths)
        for sample in range(samples):
            slowest: NDArray[np.int64] = np.zeros(1, dtype=np.int64)
            for index, path in enumerate(plan.paths):
                costs = self._costs(sample, path)
                slowest = np.maximum(slowest, scan_cycles(costs).max(axis=-1))
                spikes[index] += float(costs.sum()) / costs.shape[3] / samples
            found = np.bincount(slowest.ravel())
            counts = np.pad(counts, (0, max(0, len(found) - len(counts))))
            counts[: len(found)] += found
        busiest = int(np.argmax(spikes))
        return counts / samples, spikes[busiest], plan.paths[busiest].window.scanners

    def _costs(self, sample: int, path: SynapticPathPlan) -> NDArray[np.uint8]:
        return window_costs(self._trains[path.source][sample], self._stream(path.source), path)

    def _order(self, path: SynapticPathPlan) -> tuple[int, ...]:
        if path.window.scanners == 1:
            return ()
        key = _shape(path)
        if key not in self._orders:
            window = path.window
            single = replace(path, window=replace(window, scanners=window.chunk_width, order=()))
            spikes = sum(
                self._costs(sample, single).sum(axis=(0, 1, 2, 3, 4), dtype=np.int64)
                for sample in range(len(self._trains[path.source]))
            )
            self._orders[key] = deal(np.asarray(spikes), window.scanners)
        return self._orders[key]


def window_distances(plan: LayerPlan) -> list[int]:
    """Cycles from a window's last events to the next one's, at least, in each round."""
    grants = Grants(plan)
    if not plan.is_single_phase:
        return [grants.apart] * plan.rounds
    if not takes_turns(plan):
        return plan.words_by_round
    # The last word frees the unit at once; the next window's words come a latency later.
    return [
        max(SINGLE_LATENCY * words, grants.latency + 1 + SINGLE_LATENCY * (words - 1))
        for words in plan.words_by_round
    ]


def deal(spikes: NDArray[np.int64], scanners: int) -> tuple[int, ...]:
    """Deal bits out to scanners, the busiest bits first, each to the scanner with fewest spikes.

    ``spikes`` are those of each bit. Every scanner has room for equally many; −1 fills it up.
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
    """What its spikes and cycles depend on."""
    rounds = path.window.rounds if path.is_masked else 1
    return path.source, path.kind, replace(path.window, rounds=rounds, slots=1)


def encoder_cycles(plan: EncoderPlan) -> int:
    """Cycles that the input takes for a sample: its beats and pieces, or its words."""
    if plan.code == "events":
        return plan.output.words_per_sample
    pieces = ceil(plan.sample_pixels / plan.pixels_per_cycle)
    return max(pieces, plan.beats, plan.output.words_per_sample)


def pool_cycles(plan: PoolPlan) -> int:
    """Cycles that a max-pool takes for a sample: a candidate each."""
    window = plan.window
    windows = window.out_rows * window.out_columns * window.timesteps * window.rounds
    return windows * plan.candidates
