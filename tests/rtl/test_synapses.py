"""The synapse array: each window's currents are the sums of its events' weight rows."""

from __future__ import annotations

import random

import numpy as np
import pytest

from hwgen.rtl.synapses import SynapseArray
from tests.rtl.bench import Bench
from tests.rtl.streams import STALLS
from tests.rtl.words import join

Events = list[list[int | None]]  # of one scanner: the rows of each window, None for no hit


def random_events(rng: random.Random, depth: int, windows: int, most: int) -> Events:
    return [
        [rng.choice([None, *range(depth)]) for _ in range(rng.randint(1, most))]
        for _ in range(windows)
    ]


def event_words(windows: Events, depth: int) -> list[int]:
    """Rows of events that hit nothing are noise."""
    width = (depth - 1).bit_length()
    words = []
    for rows in windows:
        for n, row in enumerate(rows):
            address = (n * 5 + 3) % depth if row is None else row
            words.append(address | (row is not None) << width | (n == len(rows) - 1) << width + 1)
    return words


def run(
    rows: np.ndarray,
    events: list[Events],
    *,
    bits: int,
    stall: tuple[float, float] = (0.0, 0.0),
    reset_at: tuple[int, ...] = (),
):
    scanners, depth, lanes = rows.shape
    width = bits + 6
    dut = SynapseArray(rows=rows, weight_bits=bits, current_width=width)
    bench = Bench(dut, seed=depth)
    stalled = bench.watch(dut.stall)
    sent = [
        bench.send(stream, event_words(windows, depth), stall=stall[0])
        for stream, windows in zip(dut.events, events, strict=True)
    ]
    sums = np.zeros((len(events[0]), lanes), dtype=np.int64)
    for memory, windows in zip(rows, events, strict=True):
        for index, window in enumerate(windows):
            for row in window:
                if row is not None:
                    sums[index] += memory[row]
    expected = [join(window.tolist(), width) for window in sums]
    got = bench.expect(dut.currents, expected, stall=stall[1], name="currents")
    bench.run(reset_at=reset_at)
    return dut, sent, got, stalled


@pytest.mark.parametrize("stall", STALLS)
@pytest.mark.parametrize(
    ("scanners", "depth", "lanes", "bits"),
    [(1, 1, 1, 2), (1, 12, 5, 8), (2, 6, 3, 4), (3, 4, 2, 1), (5, 3, 1, 16)],
)
def test_sums_of_random_events(
    scanners: int, depth: int, lanes: int, bits: int, stall: tuple[float, float]
) -> None:
    top = 1 << bits - 1
    rows = np.random.default_rng(depth).integers(-top, top, (scanners, depth, lanes))
    rng = random.Random(scanners)
    for most in (1, 9):
        events = [random_events(rng, depth, 25, most) for _ in range(scanners)]
        run(rows, events, bits=bits, stall=stall, reset_at=(19,) if most == 9 else ())


@pytest.mark.parametrize("scanners", [1, 2, 3, 4, 5])
def test_currents_come_after_the_stated_latency(scanners: int) -> None:
    """4 cycles after the last events, and one more for each level of the adder tree."""
    rows = np.ones((scanners, 4, 2), dtype=np.int64)
    dut, sent, got, _ = run(rows, [[[1, 2]]] * scanners, bits=4)
    levels = {1: 0, 2: 1, 3: 2, 4: 2, 5: 3}[scanners]
    assert got.cycles == [sent[0].cycles[-1] + 4 + levels]
    assert dut.latency == 4 + levels


def test_an_event_a_cycle_where_windows_are_longer_than_the_latency() -> None:
    rows = np.arange(8).reshape(1, 8, 1)
    _, sent, got, stalled = run(rows, [[list(range(8))] * 6], bits=5)
    assert sent[0].cycles == list(range(48))
    assert got.cycles == [8 * n + 7 + 4 for n in range(6)]
    assert not any(stalled)


def test_short_windows_wait_for_the_currents_before_them_and_stall_says_so() -> None:
    """Windows of one event follow each other when the currents before have left."""
    rows = np.arange(4).reshape(1, 4, 1)
    _, sent, _, stalled = run(rows, [[[1]] * 5], bits=5)
    assert sent[0].cycles == [0, 5, 10, 15, 20]
    assert [n for n, value in enumerate(stalled) if value] == [n for n in range(21) if n % 5]


def test_scanners_wait_for_each_other_at_the_end_of_a_window() -> None:
    rows = np.ones((2, 8, 1), dtype=np.int64)
    short, long = [[1]] * 3, [[1] * 9] * 3
    _, sent, _, _ = run(rows, [short, long], bits=3)
    assert sent[0].cycles == sent[1].cycles[8::9] == [8, 17, 26]
