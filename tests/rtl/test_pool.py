"""The max-pool against the race between trains of golden."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hwgen.golden.pool import pool_counts, pool_train
from hwgen.network import Code, MaxPool2d
from hwgen.plan.units.geometry import StreamPlan
from hwgen.plan.units.pool import PoolPlan
from hwgen.rtl.pool import MaxPool
from tests.support.rtl.bench import Bench
from tests.support.rtl.streams import STALLS
from tests.support.rtl.windows import window
from tests.support.rtl.words import spike_words


def run(
    train: np.ndarray,
    *,
    width: int,
    stall: tuple[float, float] = (0.0, 0.0),
    reset_at: tuple[int, ...] = (),
    schedule: str = "time",
    counted: bool = False,
    **geometry: Any,
):
    """Compare with golden for ``train`` (T, samples, height, width, channels)."""
    steps, _, rows, columns, channels = train.shape
    words = -(-channels // width)
    plan = window(
        word_width=width, timesteps=steps, rows=rows, columns=columns, words=words, rounds=words,
        depthwise=True, schedule=schedule, **geometry,
    )  # fmt: skip
    pool = MaxPool2d(
        name="p", source="x", kernel=plan.kernel, stride=plan.stride, padding=plan.padding
    )
    shape = pool.output_shape((channels, rows, columns))
    output = StreamPlan(node="p", shape=shape, timesteps=steps, width=width, schedule=schedule)
    bits = steps.bit_length() if counted else 0
    dut = MaxPool(plan=PoolPlan(node="p", source="x", window=plan, output=output, count_bits=bits))
    bench = Bench(dut, seed=channels)
    sent = bench.send(dut.inputs, words_of(train, width, schedule), stall=stall[0])
    pooled = (pool_counts if counted else pool_train)(train, pool)
    pooled = words_of(pooled, width, schedule)
    got = bench.expect(dut.words, pooled, stall=stall[1], name="words")
    bench.run(reset_at=reset_at)
    return sent, got


def words_of(train: np.ndarray, width: int, schedule: str) -> list[int]:
    """Words of ``train``, by row or by timestep first."""
    if schedule == "time":
        return spike_words(train, width)
    samples, rows = train.shape[1:3]
    lines = [train[:, n : n + 1, y : y + 1] for n in range(samples) for y in range(rows)]
    return [word for line in lines for word in spike_words(line, width)]


def trains(seed: int, steps: int, *shape: int, code: str = "radix") -> np.ndarray:
    q_max = (1 << steps) - 1 if code == "radix" else steps
    values = np.random.default_rng(seed).integers(0, q_max, shape, endpoint=True)
    return Code(code).encode_train(values, steps)


GEOMETRIES = [
    # channels, width of a word, rows, columns, kernel, stride, padding
    (1, 1, 1, 1, (1, 1), (1, 1), (0, 0, 0, 0)),
    (2, 1, 1, 1, (1, 1), (1, 1), (0, 0, 0, 0)),
    (3, 1, 2, 2, (2, 2), (2, 2), (0, 0, 0, 0)),
    (5, 2, 4, 6, (2, 2), (2, 2), (0, 0, 0, 0)),
    (4, 4, 5, 5, (3, 3), (2, 1), (0, 0, 0, 0)),
    (3, 2, 5, 4, (3, 2), (1, 3), (2, 0, 1, 1)),
    (2, 2, 7, 5, (2, 1), (3, 2), (0, 0, 1, 0)),
]


@pytest.mark.parametrize("stall", STALLS[1:])
@pytest.mark.parametrize("schedule", ["time", "row"])
@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
def test_words_equal_the_gate_of_counts(
    geometry: tuple, schedule: str, stall: tuple[float, float]
) -> None:
    channels, width, rows, columns, kernel, stride, padding = geometry
    rng = np.random.default_rng(channels)
    size = (4, rows, columns, channels)
    spikes = rng.random((7, *size)) < rng.random((1, *size))
    run(
        spikes.astype(np.uint8), width=width, counted=True,
        kernel=kernel, stride=stride, padding=padding, stall=stall, reset_at=(47,),
        schedule=schedule,
    )  # fmt: skip


@pytest.mark.parametrize("stall", STALLS[1:])
@pytest.mark.parametrize("schedule", ["time", "row"])
@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
def test_words_equal_the_race(geometry: tuple, schedule: str, stall: tuple[float, float]) -> None:
    channels, width, rows, columns, kernel, stride, padding = geometry
    code = "rate" if stall[0] and stall[1] else "radix"
    run(
        trains(channels, 4, 4, rows, columns, channels, code=code), width=width,
        kernel=kernel, stride=stride, padding=padding, stall=stall, reset_at=(47,),
        schedule=schedule,
    )  # fmt: skip


@pytest.mark.parametrize("kernel", [(1, 1), (1, 2), (1, 3), (2, 2)])
@pytest.mark.parametrize("words", [1, 2, 3])
@pytest.mark.parametrize("rows", [1, 3])
def test_windows_that_repeat_before_they_are_written(
    rows: int, words: int, kernel: tuple[int, int]
) -> None:
    """With few windows per map or row, the previous step of a window is still in flight."""
    train = trains(words, 5, 8, rows * kernel[0], kernel[1], words)
    for schedule in ("time", "row"):
        run(train, width=1, kernel=kernel, stride=kernel, schedule=schedule)


def test_race_by_hand() -> None:
    """5 = 101b, 6 = 110b, 3 = 011b, 6 → 110b = 6; the last spike of 5 comes too late."""
    train = Code("radix").encode_train(np.array([5, 6, 3, 6]).reshape(1, 2, 2, 1), 3)
    _, got = run(train, width=1, kernel=(2, 2), stride=(2, 2))
    assert got.expected == [1, 1, 0]


def test_one_candidate_per_cycle() -> None:
    """16 windows of four candidates take 64 cycles; words follow their candidates by 3 cycles."""
    train = trains(1, 2, 2, 8, 8, 3)
    sent, got = run(train, width=3, kernel=(2, 2), stride=(2, 2))
    gaps = {b - a for a, b in zip(got.cycles[32:], got.cycles[33:], strict=False)}
    assert gaps == {4, 5}  # one more where a row of windows starts
    _, got = run(train, width=3, kernel=(1, 1), stride=(1, 1))
    assert got.cycles[0] == 7 + 3
    assert {b - a for a, b in zip(got.cycles, got.cycles[1:], strict=False)} <= {1, 2}
