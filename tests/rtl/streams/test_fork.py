# amaranth: UnusedElaboratable=no
"""The stream fork: every consumer gets every word once, and none waits needlessly."""

from __future__ import annotations

import random

import pytest

from hwgen.rtl.streams.fork import StreamFork
from tests.support.rtl.bench import Bench

WORDS = [random.Random(0).randrange(256) for _ in range(150)]


def bench_of(consumers: int, *, seed: int = 0) -> tuple[Bench, StreamFork]:
    dut = StreamFork(shape=8, consumers=consumers)
    return Bench(dut, seed=seed), dut


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("source", "stalls"),
    [
        (0.0, (0.4, 0.4)),
        (0.5, (0.0, 0.6)),
        (0.3, (0.5, 0.0, 0.3)),
        (0.3, (0.2, 0.4, 0.6, 0.2)),
    ],
)
def test_every_consumer_gets_every_word_once(
    source: float, stalls: tuple[float, ...], seed: int
) -> None:
    bench, dut = bench_of(len(stalls), seed=seed)
    sent = bench.send(dut.words, WORDS, stall=source)
    got = [
        bench.expect(copy, WORDS, stall=stall, name=f"copy {n}")
        for n, (copy, stall) in enumerate(zip(dut.copies, stalls, strict=True))
    ]
    bench.run(reset_at=(37,))
    for consumer in got:  # at most two words wait per consumer, one cycle each
        assert all(b > a for a, b in zip(consumer.cycles, sent.cycles[2:], strict=False))
    earliest = [min(cycles) for cycles in zip(*(g.cycles for g in got), strict=True)]
    assert all(b > a for a, b in zip(sent.cycles, earliest[1:], strict=False))


def test_one_word_per_cycle_when_all_consumers_are_ready() -> None:
    bench, dut = bench_of(3)
    sent = bench.send(dut.words, WORDS)
    got = [bench.expect(copy, WORDS) for copy in dut.copies]
    bench.run()
    assert sent.cycles == list(range(150))
    assert got[0].cycles == got[1].cycles == got[2].cycles == list(range(1, 151))


def test_a_stalled_consumer_stalls_the_others_after_three_words() -> None:
    bench, dut = bench_of(2)
    sent = bench.send(dut.words, WORDS)
    got = bench.expect(dut.copies[0], WORDS)
    with pytest.raises(AssertionError, match="deadlock"):
        bench.run(timeout=60)  # the second copy has no consumer
    # Two words wait for the stalled consumer; the third waits for a free register.
    assert (len(sent.cycles), len(got.cycles)) == (2, 3)
