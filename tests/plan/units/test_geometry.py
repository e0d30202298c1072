"""Geometry of windows and streams against an enumeration of all taps."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest

from hwgen.plan.units.geometry import StreamPlan, WindowPlan
from tests.support.cases import case_id
from tests.support.rtl.windows import random_path, reads_of, window


def taps_inside(plan: WindowPlan) -> tuple[dict[int, set[int]], dict[int, set[int]]]:
    """Map rows read by each output row, and columns read by each output column.

    Rows outside the map are left out; columns outside are included.
    """
    rows: dict[int, set[int]] = {}
    columns: dict[int, set[int]] = {}
    for read in reads_of(replace(plan, timesteps=1)):
        rows.setdefault(read.out_row, set())
        if 0 <= read.row < plan.rows:
            rows[read.out_row].add(read.row)
        columns.setdefault(read.out_column, set()).update(read.pixels)
    return rows, columns


@pytest.mark.parametrize("seed", range(80))
def test_rows_against_the_taps(seed: int) -> None:
    plan = random_path(seed).window
    rows, _ = taps_inside(plan)
    assert len(rows) == plan.out_rows
    newest = -1
    for y in range(plan.out_rows):
        assert all(plan.first_row(y) <= row <= plan.last_row(y) for row in rows[y])
        # Only rows that have arrived are released, no row is needed later, and the rest fits.
        assert plan.first_row(y) + plan.rows_released(y) - 1 <= plan.last_row(y)
        assert plan.first_row(y) == sum(plan.rows_released(before) for before in range(y))
        assert plan.rows_needed(y) == plan.last_row(y) - plan.first_row(y)
        assert 0 <= plan.rows_needed(y) < plan.min_slots
        assert plan.last_row(y) >= newest
        newest = plan.last_row(y)
    assert sum(plan.rows_released(y) for y in range(plan.out_rows)) == plan.rows
    assert newest == plan.rows - 1
    # At most the kernel height, the stride, or the remaining rows.
    remaining = plan.rows - plan.first_row(plan.out_rows - 1)
    assert plan.min_slots <= max(plan.kernel[0], plan.stride[0], remaining)


@pytest.mark.parametrize("seed", range(80))
def test_columns_against_the_taps(seed: int) -> None:
    """A window waits exactly for the memory word that holds its newest pixel."""
    plan = random_path(seed).window
    _, columns = taps_inside(plan)
    assert len(columns) == plan.out_columns
    chunks = -(-plan.words // plan.pack)
    for x in range(plan.out_columns):
        newest = max(columns[x])
        if x == plan.out_columns - 1:
            expected = plan.row_chunks  # beyond the row: wait for the whole row
        elif plan.wide:
            expected = x
        elif newest >= plan.columns:
            expected = plan.row_chunks
        else:
            expected = max(newest, 0) * chunks + chunks - 1
        assert plan.newest_chunk(x) == expected
    # Pixels that a wide window shifts in after the last pixel of a row.
    beyond = max(max(pixels) for pixels in columns.values()) - (plan.columns - 1)
    assert plan.flush_chunks == (max(0, beyond) if plan.wide else 0)


@pytest.mark.parametrize("seed", range(80))
def test_every_bit_has_one_scanner_and_the_memory_holds_all_rows(seed: int) -> None:
    plan = random_path(seed).window
    bits = plan.word_width * plan.pack * (plan.kernel[1] if plan.wide else 1)
    assert plan.chunk_width == bits
    owned = [bit for bits_of_scanner in plan.owned_bits for bit in bits_of_scanner]
    assert len(plan.owned_bits) == plan.scanners
    assert {len(owned_bits) for owned_bits in plan.owned_bits} == {-(-bits // plan.scanners)}
    assert sorted(bit for bit in owned if bit >= 0) == list(range(bits))
    windows = plan.timesteps * plan.out_rows * plan.out_columns * plan.rounds
    assert len(list(reads_of(plan))) == windows * plan.window_chunks
    steps = plan.timesteps if plan.schedule == "row" else 1
    in_row = plan.out_columns if plan.wide else plan.columns * -(-plan.words // plan.pack)
    assert plan.depth == plan.slots * steps * (1 << max(in_row - 1, 0).bit_length())


def test_buffer_by_hand() -> None:
    """A 3×3 kernel with stride 2: a window needs three rows."""
    plan = window(rows=9, columns=4, words=3, pack=2, stride=(2, 1), padding=(1, 0, 1, 0), slots=5)
    assert (plan.out_rows, plan.out_columns, plan.chunks) == (5, 2, 2)
    assert (plan.min_slots, plan.depth, plan.chunk_width) == (3, 5 * 8, 6)
    assert replace(plan, schedule="row").depth == 2 * 5 * 8
    assert [plan.first_row(y) for y in range(5)] == [0, 1, 3, 5, 7]
    assert [plan.last_row(y) for y in range(5)] == [1, 3, 5, 7, 8]


def test_a_wide_window_by_hand() -> None:
    """A memory word holds three pixels of three bits; a row has one word per window."""
    plan = window(rows=4, columns=5, padding=(1, 1, 1, 1), wide=True, slots=4, schedule="row")
    assert (plan.chunk_width, plan.row_chunks, plan.window_chunks, plan.flush_chunks) == (
        9,
        5,
        3,
        1,
    )
    assert plan.depth == 2 * 4 * 8
    assert replace(plan, stride=(1, 3), padding=(1, 0, 1, 0)).flush_chunks == 0


class Words(NamedTuple):
    """Rows and words a row of a stream, counted by hand."""

    shape: tuple[int, int, int]
    width: int
    layout: str
    rows: int
    words: int


@pytest.mark.parametrize(
    "case",
    [
        Words(shape=(5, 2, 3), width=2, layout="pixel", rows=2, words=9),
        Words(shape=(5, 2, 3), width=4, layout="raster", rows=1, words=8),
        Words(shape=(1, 1, 1), width=8, layout="raster", rows=1, words=1),
        Words(shape=(8, 3, 3), width=8, layout="pixel", rows=3, words=3),
    ],
    ids=case_id,
)
@pytest.mark.parametrize("schedule", ["time", "row"])
def test_words_of_a_stream(case: Words, schedule: str) -> None:
    stream = StreamPlan(
        node="n", shape=case.shape, timesteps=3, width=case.width, layout=case.layout,
        schedule=schedule,
    )  # fmt: skip
    assert (stream.rows, stream.words_per_row) == (case.rows, case.words)
    assert stream.words_per_plane == case.rows * case.words
    assert stream.words_per_sample == 3 * case.rows * case.words
    assert np.prod(case.shape) <= stream.words_per_plane * case.width
