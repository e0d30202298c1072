"""Geometry of windows and streams against what the taps of all windows say."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.plan.geometry import StreamPlan
from tests.rtl.windows import inside, random_window, taps_of


@pytest.mark.parametrize("seed", range(60))
def test_windows_against_their_taps(seed: int) -> None:
    plan = random_window(seed)
    taps = [tap[:4] for tap in taps_of(plan, 1)]
    assert len(taps) == plan.out_rows * plan.out_columns * plan.fold * plan.window_chunks
    rows = np.array([row for _, row, _, _ in taps]).reshape(plan.out_rows, -1)
    columns = np.array([column for _, _, column, _ in taps])
    columns = columns.reshape(plan.out_rows, plan.out_columns, -1)
    newest = -1
    for y in range(plan.out_rows):
        read = [row for row in rows[y] if 0 <= row < plan.rows]
        assert all(plan.first_row(y) <= row <= plan.last_row(y) for row in read)
        # Only rows that came are released, none that is needed, and what it waits for fits.
        assert plan.first_row(y) + plan.rows_released(y) - 1 <= plan.last_row(y)
        assert plan.first_row(y) == sum(plan.rows_released(before) for before in range(y))
        assert plan.rows_needed(y) == plan.last_row(y) - plan.first_row(y)
        assert 0 <= plan.rows_needed(y) < plan.buffer_rows
        assert plan.last_row(y) >= newest
        newest = plan.last_row(y)
    assert sum(plan.rows_released(y) for y in range(plan.out_rows)) == plan.rows
    assert newest == plan.rows - 1
    for x in range(plan.out_columns - 1):
        assert plan.last_column(x) == columns[0, x].max()
    assert plan.last_column(plan.out_columns - 1) == plan.columns - 1


def test_buffer_by_hand() -> None:
    """A 3×3 kernel with stride 2: three rows for a window, two that come in meanwhile."""
    from tests.rtl.windows import window

    plan = window(rows=9, columns=4, words=3, pack=2, stride=(2, 1), padding=(1, 0, 1, 0))
    assert (plan.out_rows, plan.out_columns, plan.chunks) == (5, 2, 2)
    assert (plan.buffer_rows, plan.depth, plan.chunk_width) == (5, 5 * 4 * 2, 6)
    assert [plan.first_row(y) for y in range(5)] == [0, 1, 3, 5, 7]
    assert [plan.last_row(y) for y in range(5)] == [1, 3, 5, 7, 8]
    assert not inside(plan, 9, 0)


@pytest.mark.parametrize(
    ("shape", "width", "layout", "words"),
    [((5, 2, 3), 2, "pixel", 18), ((5, 2, 3), 4, "raster", 8), ((1, 1, 1), 8, "raster", 1),
     ((8, 3, 3), 8, "pixel", 9)],
)  # fmt: skip
def test_words_of_a_stream(
    shape: tuple[int, int, int], width: int, layout: str, words: int
) -> None:
    stream = StreamPlan(node="n", shape=shape, timesteps=3, width=width, layout=layout)
    assert stream.words_per_plane == words
    assert stream.words_per_sample == 3 * words
