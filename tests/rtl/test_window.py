"""The window buffer: every chunk of every window, for every scanner."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.plan.geometry import WindowPlan
from hwgen.rtl.window import WindowBuffer
from tests.rtl.bench import Bench
from tests.rtl.streams import STALLS
from tests.rtl.windows import chunk_words, random_window, window


def run(
    plan: WindowPlan,
    samples: int,
    *,
    stall: tuple[float, float] = (0.0, 0.0),
    reset_at: tuple[int, ...] = (),
    seed: int = 0,
):
    dut = WindowBuffer(plan)
    bench = Bench(dut, seed=seed)
    rng = np.random.default_rng(seed)
    shape = (samples * plan.timesteps, plan.rows, plan.columns, plan.words)
    words = rng.integers(0, 1 << plan.word_width, shape)
    sent = bench.send(dut.words, words.ravel().tolist(), stall=stall[0])
    got = [
        bench.expect(
            dut.chunks[n], chunk_words(plan, words, n), stall=stall[1], name=f"scanner {n}"
        )
        for n in range(plan.scanners)
    ]
    bench.run(reset_at=reset_at)
    return sent, got


SHAPES = {
    "one pixel": window(rows=1, columns=1, kernel=(1, 1)),
    "flattened": window(rows=1, columns=1, kernel=(1, 1), words=7, pack=3, fold=3, scanners=2),
    "stride beyond the kernel": window(rows=9, columns=8, kernel=(2, 1), stride=(4, 3)),
    "rows left over": window(rows=7, columns=7, kernel=(2, 2), stride=(3, 3)),
    "stride beyond the map": window(rows=2, columns=2, kernel=(1, 2), stride=(5, 5)),
    "asymmetric padding": window(padding=(2, 0, 1, 2)),
    "kernel as large as the map": window(rows=2, columns=3, kernel=(4, 4), padding=(2, 1, 0, 0)),
    "one side padded": window(kernel=(3, 1), padding=(0, 0, 2, 0)),
    "pad values": window(
        padding=(1, 2, 1, 0), words=3, pack=2, scanners=3, timesteps=2,
        pad_planes=((0b101101, 0b010), (0b010011, 0b111)),
    ),  # fmt: skip
    "words packed": window(words=5, pack=2, word_width=4, scanners=2, fold=2),
    "scanner without a bit": window(word_width=4, scanners=3),
    "depthwise": window(words=3, fold=3, kernel=(2, 2), stride=(2, 2), depthwise=True),
    "depthwise, padded": window(
        words=2, fold=2, kernel=(3, 2), stride=(1, 2), padding=(1, 0, 2, 1), depthwise=True
    ),
    "one column": window(rows=6, columns=1, kernel=(3, 1), padding=(1, 0, 1, 0)),
}  # fmt: skip


@pytest.mark.parametrize("stall", STALLS[::3])
@pytest.mark.parametrize("name", SHAPES)
def test_chunks_of_all_windows(name: str, stall: tuple[float, float]) -> None:
    run(SHAPES[name], 2, stall=stall, reset_at=(29,), seed=len(name))


@pytest.mark.parametrize("seed", range(24))
def test_chunks_of_random_windows(seed: int) -> None:
    run(random_window(seed), 2, stall=STALLS[seed % len(STALLS)], seed=seed)


def test_first_chunk_comes_five_cycles_after_the_word_that_completes_it() -> None:
    """A 3×3 window of a map of five columns is complete with word 2·5 + 3, counted from 1."""
    plan = window(rows=3, columns=5, timesteps=1)
    sent, (got,) = run(plan, 1)
    assert got.offered[0] == sent.cycles[12] + 5
    # Nine chunks a window: the others are there when their turn comes, one a cycle.
    assert got.cycles == list(range(got.offered[0], got.offered[0] + 27))


def test_one_pixel_windows_pass_a_word_a_cycle() -> None:
    plan = window(kernel=(1, 1), rows=4, columns=4)
    sent, (got,) = run(plan, 2)
    assert sent.cycles == list(range(64))
    assert got.cycles == [cycle + 5 for cycle in sent.cycles]


def test_rows_come_in_while_windows_are_read() -> None:
    """Kernel rows and ``stride`` more fit: a 4×4 kernel's writer is stopped after five rows."""
    plan = window(rows=9, columns=3, kernel=(4, 3), timesteps=1)
    dut = WindowBuffer(plan)
    bench = Bench(dut)
    sent = bench.send(dut.words, [1] * 27)
    with pytest.raises(AssertionError, match="stands still"):
        bench.run(timeout=200)  # nobody takes a chunk
    assert len(sent.cycles) == 15
