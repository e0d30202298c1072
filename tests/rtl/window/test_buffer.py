"""The window buffer: every chunk of every window, for every scanner, in both schedules."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hwgen.plan.units.geometry import WindowPlan
from hwgen.plan.units.synaptic_path import SynapticPathPlan
from hwgen.rtl.window.buffer import WindowBuffer
from tests.support.rtl.bench import Bench
from tests.support.rtl.streams import STALLS
from tests.support.rtl.windows import (
    chunk_words,
    path_of,
    random_path,
    random_words,
    window,
    words_in_order,
)


def run(
    path: SynapticPathPlan | WindowPlan,
    samples: int,
    *,
    stall: tuple[float, float] = (0.0, 0.0),
    reset_at: tuple[int, ...] = (),
    seed: int = 0,
    words: np.ndarray | None = None,
    timeout: int = 20_000,
):
    if isinstance(path, WindowPlan):
        path = path_of(path)
    plan = path.window
    dut = WindowBuffer(path=path)
    bench = Bench(dut, seed=seed)
    if words is None:
        words = random_words(plan, samples, seed)
    sent = bench.send(dut.words, words_in_order(plan, words), stall=stall[0])
    got = [
        bench.expect(
            dut.chunks[n], chunk_words(path, words, n), stall=stall[1], name=f"scanner {n}"
        )
        for n in range(plan.scanners)
    ]
    bench.run(reset_at=reset_at, timeout=timeout)
    return sent, got


PADS = ((0b101101, 0b010000), (0b010011, 0b111111))
PATHS = {
    "one pixel": path_of(window(rows=1, columns=1, kernel=(1, 1))),
    "flattened": path_of(
        window(rows=1, columns=1, kernel=(1, 1), words=7, pack=3, rounds=3, scanners=2)
    ),
    "stride beyond the kernel": path_of(window(rows=9, columns=8, kernel=(2, 1), stride=(4, 3))),
    "rows left over": path_of(window(rows=7, columns=7, kernel=(2, 2), stride=(3, 3))),
    "stride beyond the map": path_of(window(rows=2, columns=2, kernel=(1, 2), stride=(5, 5))),
    "asymmetric padding": path_of(window(padding=(2, 0, 1, 2))),
    "kernel as large as the map": path_of(
        window(rows=2, columns=3, kernel=(4, 4), padding=(2, 1, 0, 0))
    ),
    "one side padded": path_of(window(kernel=(3, 1), padding=(0, 0, 2, 0))),
    "pad values": path_of(
        window(padding=(1, 2, 1, 0), words=3, pack=2, scanners=3, pad_planes=PADS)
    ),
    "words packed": path_of(window(words=5, pack=2, word_width=4, scanners=2, rounds=2)),
    "scanner without a bit": path_of(window(word_width=4, scanners=3)),
    "bits by hand": path_of(window(word_width=4, scanners=2, order=(3, 0, 1, 2))),
    "wide": path_of(window(wide=True, scanners=2, rounds=2)),
    "wide, padded on both sides": path_of(window(wide=True, padding=(1, 1, 1, 1))),
    "wide, padded on the right": path_of(window(wide=True, kernel=(2, 3), padding=(0, 0, 1, 2))),
    "wide, strided": path_of(
        window(wide=True, columns=6, stride=(2, 2), padding=(0, 1, 1, 1), words=2, pack=2)
    ),
    "wide, stride beyond the kernel": path_of(
        window(wide=True, columns=8, kernel=(1, 2), stride=(1, 3), padding=(0, 1, 0, 0))
    ),
    "wide, one column": path_of(window(wide=True, columns=1, kernel=(3, 3), padding=(0, 2, 0, 2))),
    "wide, pad values": path_of(
        window(
            wide=True, words=2, pack=2, padding=(1, 2, 1, 2),
            pad_planes=((0b101101,), (0b010011,)),
        )
    ),
    "wide, pad values, strided": path_of(
        window(wide=True, columns=4, stride=(2, 3), padding=(2, 1, 0, 2),
               pad_planes=((0b101,), (0b010,)))
    ),
    "wide, bits by hand": path_of(
        window(wide=True, word_width=1, scanners=2, order=(2, 0, -1, 1), padding=(0, 1, 0, 1))
    ),
    "depthwise": path_of(
        window(words=3, rounds=3, kernel=(2, 2), stride=(2, 2), depthwise=True), "masked"
    ),
    "depthwise, padded": path_of(
        window(words=2, rounds=2, kernel=(3, 2), stride=(1, 2), padding=(1, 0, 2, 1),
               depthwise=True), "masked",
    ),
    "depthwise, words packed, pad values": path_of(
        window(words=4, pack=2, rounds=2, padding=(1, 1, 0, 1), depthwise=True, pad_planes=PADS),
        "masked",
    ),
    "every chunk": path_of(
        window(words=2, rounds=2, padding=(1, 1, 1, 1), depthwise=True), "every"
    ),
    "shared taps": path_of(window(words=5, pack=2, rounds=2, scanners=2), tile=(3, 3)),
    "shared taps of the whole map": path_of(
        window(rows=3, columns=3, words=2, timesteps=3), tile=(3, 3)
    ),
    "shared taps, padded": path_of(
        window(padding=(1, 1, 1, 1), words=3, pack=2, pad_planes=PADS), tile=(3, 3)
    ),
    "tiles": path_of(
        window(rows=6, columns=7, words=3, pack=2, kernel=(4, 6), rounds=2, scanners=2), tile=(2, 3)
    ),
    "tiles of two rows, padded": path_of(
        window(words=2, kernel=(4, 3), padding=(1, 0, 3, 1), stride=(2, 1)), tile=(2, 1)
    ),
    "tiles of two columns": path_of(window(words=2, kernel=(3, 4)), tile=(1, 2)),
    "tiles of whole kernel rows": path_of(window(words=2, kernel=(2, 3), rounds=2), tile=(1, 3)),
    "tiles of a depthwise kernel": path_of(
        window(words=2, rounds=2, kernel=(2, 4), stride=(2, 1), depthwise=True), "masked",
        tile=(2, 2),
    ),
    "one column": path_of(window(rows=6, columns=1, kernel=(3, 1), padding=(1, 0, 1, 0))),
    "one timestep": path_of(window(timesteps=1, padding=(1, 1, 1, 1), wide=True)),
}  # fmt: skip


BY_ROW = [(name, "row") for name in PATHS]
BY_TIME = [
    (name, "time")
    for name, path in PATHS.items()
    if not (path.window.wide and path.window.pad_planes)
]


@pytest.mark.parametrize(("name", "schedule"), BY_ROW + BY_TIME)
def test_chunks_of_all_windows(name: str, schedule: str) -> None:
    path = PATHS[name]
    path = replace(path, window=replace(path.window, schedule=schedule))
    run(path, 2, stall=(0.4, 0.4), reset_at=(29,), seed=len(name))


@pytest.mark.parametrize("seed", range(32))
def test_chunks_of_random_windows(seed: int) -> None:
    run(random_path(seed), 2, stall=STALLS[seed % len(STALLS)], seed=seed)


@pytest.mark.parametrize("schedule", ["time", "row"])
@pytest.mark.parametrize("wide", [False, True])
def test_minimum_slots_suffice_and_one_less_deadlocks(wide: bool, schedule: str) -> None:
    """``min_slots`` rows are enough for all windows; with one less the buffer deadlocks."""
    plan = window(
        rows=7, stride=(2, 1), padding=(1, 1, 2, 1), wide=wide, schedule=schedule, timesteps=2
    )
    assert plan.min_slots == 3
    run(replace(plan, slots=3), 2)
    with pytest.raises(AssertionError, match="deadlock"):
        run(replace(plan, slots=2), 2, timeout=400)


@pytest.mark.parametrize("schedule", ["time", "row"])
def test_first_chunk_comes_seven_cycles_after_the_word_that_completes_it(schedule: str) -> None:
    """A 3×3 window of a map of five columns is complete with word 2·5 + 3, counted from 1."""
    plan = window(rows=3, columns=5, timesteps=1, schedule=schedule)
    words = np.full((1, 1, 3, 5, 1), 0b101)
    sent, (got,) = run(plan, 1, words=words)
    assert got.offered[0] == sent.cycles[12] + 7
    # Nine chunks per window; the other windows are stored in time, so one chunk comes per cycle.
    assert got.cycles == list(range(got.offered[0], got.offered[0] + 27))


def test_a_wide_window_has_one_chunk_per_kernel_row() -> None:
    """Three columns with padding: the last window is written one cycle after its pixel."""
    plan = window(rows=3, columns=3, timesteps=1, kernel=(3, 3), padding=(0, 1, 0, 1), wide=True)
    assert (plan.flush_chunks, plan.window_chunks) == (1, 3)
    words = np.full((1, 1, 3, 3, 1), 0b101)
    sent, (got,) = run(plan, 1, words=words)
    # After each row the writer takes no word for one cycle and writes the flushed chunk.
    assert sent.cycles == [0, 1, 2, 4, 5, 6, 8, 9, 10]
    assert got.cycles == [9 + 7 + n for n in range(9)]


def test_windows_of_a_row_come_timestep_by_timestep() -> None:
    """Schedule ``row``: the first row's last timestep is read before the second row comes.

    The reader pauses for one cycle between two rows of one timestep.
    """
    plan = window(rows=2, columns=4, timesteps=3, kernel=(1, 1), schedule="row")
    words = np.full((1, 3, 2, 4, 1), 1)
    sent, (got,) = run(plan, 1, words=words)
    assert sent.cycles == list(range(24))
    assert got.cycles == [7 + 5 * line + n for line in range(6) for n in range(4)]


@pytest.mark.parametrize("schedule", ["time", "row"])
def test_one_pixel_windows_pass_one_word_per_cycle(schedule: str) -> None:
    """Except for one cycle after each row in a timestep."""
    plan = window(kernel=(1, 1), rows=4, columns=4, schedule=schedule)
    words = np.full((2, 2, 4, 4, 1), 1)
    _, (got,) = run(plan, 2, words=words)
    assert got.cycles == [7 + 5 * line + n for line in range(16) for n in range(4)]


@pytest.mark.parametrize(("schedule", "steps"), [("time", 1), ("row", 3)])
def test_rows_arrive_while_windows_are_read(schedule: str, steps: int) -> None:
    """A row takes one slot for all its timesteps: the writer stops after five rows."""
    plan = window(
        rows=9, columns=3, kernel=(4, 3), timesteps=steps, schedule=schedule, slots=5, rounds=2
    )
    dut = WindowBuffer(path=path_of(plan))
    bench = Bench(dut)
    sent = bench.send(dut.words, [1] * 27 * steps)
    with pytest.raises(AssertionError, match="deadlock"):
        bench.run(
            timeout=200
        )  # there is no consumer, and a window has more chunks than the queue has slots
    assert len(sent.cycles) == 15 * steps
