"""The result unit sends logits as they arrive, then the class."""

from __future__ import annotations

import random

import pytest
from amaranth import signed
from amaranth.lib import data

from hwgen.rtl.output.result import ResultUnit
from tests.support.rtl.bench import Bench
from tests.support.rtl.streams import STALLS
from tests.support.rtl.words import join, split

LOGIT, WIDTH = 7, 32


def winner_of(logits: list[int]) -> int:
    if len(logits) == 1:
        return 1 if logits[0] > 0 else 0
    best = 0
    for index, logit in enumerate(logits):
        if logit > logits[best]:
            best = index
    return best


def read(word: int) -> tuple[int, int]:
    return split(word, WIDTH, 1)[0], word >> WIDTH


def run(
    samples: list[list[int]],
    *,
    lanes: int,
    stall: tuple[float, float] = (0.0, 0.0),
    reset_at: tuple[int, ...] = (),
):
    """Check packets; lanes after the last class carry the maximum number, which must not win."""
    classes = len(samples[0])
    words, packets = [], []
    for logits in samples:
        padded = logits + [(1 << LOGIT - 1) - 1] * (-classes % lanes)
        words += [join(padded[n : n + lanes], LOGIT) for n in range(0, len(padded), lanes)]
        packets += [(logit, 0) for logit in logits] + [(winner_of(logits), 1)]
    layout = data.ArrayLayout(signed(LOGIT), lanes)
    dut = ResultUnit(classes=classes, word_layout=layout, width=WIDTH)
    bench = Bench(dut, seed=classes)
    sent = bench.send(dut.logits, words, stall=stall[0])
    got = bench.expect(dut.results, packets, stall=stall[1], read=read, name="results")
    bench.run(reset_at=reset_at)
    return sent, got


@pytest.mark.parametrize("stall", STALLS)
@pytest.mark.parametrize(("classes", "lanes"), [(1, 1), (1, 4), (2, 1), (10, 1), (10, 4), (7, 7)])
def test_packets(classes: int, lanes: int, stall: tuple[float, float]) -> None:
    rng = random.Random(classes)
    samples = [[rng.randrange(-64, 64) for _ in range(classes)] for _ in range(12)]
    run(samples, lanes=lanes, stall=stall, reset_at=(23,))


@pytest.mark.parametrize("lanes", [1, 3])
@pytest.mark.parametrize(
    ("logits", "winner"),
    [
        ([5, 5, 5, 5], 0),
        ([1, 9, 9, 3], 1),
        ([-64, -64, -64, -63], 3),
        ([-5, -2, -2, -9], 1),
        ([-64, -64, -64, -64], 0),
        ([63, -64, 63, 0], 0),
        ([0, 0, 1, 1], 2),
    ],
)
def test_lowest_index_wins_a_tie(logits: list[int], winner: int, lanes: int) -> None:
    assert winner_of(logits) == winner
    # Earlier samples must not count: once with larger logits, once with smaller ones.
    run([[63] * 4, logits, [-64] * 4, logits], lanes=lanes)


@pytest.mark.parametrize("lanes", [1, 3])
def test_a_single_logit_is_class_one_if_it_is_positive(lanes: int) -> None:
    assert [winner_of([logit]) for logit in (-64, -1, 0, 1, 63)] == [0, 0, 0, 1, 1]
    run([[63], [0], [1], [-1], [0], [-64], [0], [1]], lanes=lanes)


def test_one_word_per_cycle() -> None:
    """A packet of n classes takes n + 1 cycles, the first word two cycles after its logit."""
    sent, got = run([[1, 2, 3], [4, 5, 6], [7, 8, 9]], lanes=1)
    assert got.cycles == list(range(sent.cycles[0] + 2, sent.cycles[0] + 2 + 12))
