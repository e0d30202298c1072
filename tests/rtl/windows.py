"""Window plans by hand and at random, and the chunks that their buffers must yield."""

from __future__ import annotations

from typing import Any

import numpy as np

from hwgen.plan.geometry import WindowPlan


def window(**sizes: Any) -> WindowPlan:
    usual: dict[str, Any] = {
        "word_width": 3, "timesteps": 2, "rows": 4, "columns": 5, "words": 1, "pack": 1,
        "kernel": (3, 3), "stride": (1, 1), "padding": (0, 0, 0, 0), "fold": 1, "scanners": 1,
    }  # fmt: skip
    return WindowPlan(**{**usual, **sizes})


def random_window(seed: int) -> WindowPlan:
    """Maps and kernels of any small size, also strides beyond the kernel."""
    rng = np.random.default_rng([seed, 5])
    sides = []
    for _ in range(2):
        size, kernel = (int(n) for n in rng.integers(1, (7, 5)))
        before, after = (int(n) for n in rng.integers(0, kernel, 2))
        kernel = min(kernel, size + before + after)
        before, after = min(before, kernel - 1), min(after, kernel - 1)
        sides.append((size, kernel, int(rng.integers(1, 5)), before, after))
    (rows, ky, sy, top, bottom), (columns, kx, sx, left, right) = sides
    words, width = int(rng.integers(1, 5)), int(rng.integers(1, 6))
    steps, depthwise = int(rng.integers(1, 4)), bool(rng.random() < 0.25)
    pack = 1 if depthwise else int(rng.integers(1, words + 1))
    scanners = 1 if depthwise else int(rng.integers(1, min(4, width * pack) + 1))
    chunks = -(-words // pack)
    pads: tuple = ()
    if not depthwise and rng.random() < 0.5:
        values = rng.integers(0, 1 << width * pack, (steps, chunks))
        pads = tuple(tuple(plane) for plane in values.tolist())
    return window(
        word_width=width, timesteps=steps, rows=rows, columns=columns, words=words, pack=pack,
        kernel=(ky, kx), stride=(sy, sx), padding=(top, left, bottom, right),
        fold=words if depthwise else int(rng.integers(1, 4)), scanners=scanners,
        depthwise=depthwise, pad_planes=pads,
    )  # fmt: skip


def taps_of(plan: WindowPlan, planes: int):
    """(plane, row, column, chunk, last, wrap) of each chunk; row and column may lie outside."""
    top, left, bottom, right = plan.padding
    (ky, kx), (sy, sx) = plan.kernel, plan.stride
    chunks = -(-plan.words // plan.pack)
    for plane in range(planes):
        for y in range(-top, plan.rows + bottom - ky + 1, sy):
            for x in range(-left, plan.columns + right - kx + 1, sx):
                for fold in range(plan.fold):
                    read = [fold] if plan.depthwise else range(chunks)
                    taps = [
                        (row, column, chunk)
                        for row in range(y, y + ky)
                        for column in range(x, x + kx)
                        for chunk in read
                    ]
                    for index, tap in enumerate(taps):
                        last = index == len(taps) - 1
                        yield plane, *tap, last, last and fold == plan.fold - 1


def inside(plan: WindowPlan, row: int, column: int) -> bool:
    return 0 <= row < plan.rows and 0 <= column < plan.columns


def chunk_words(plan: WindowPlan, words: np.ndarray, scanner: int) -> list[int]:
    """What one scanner gets for ``words`` (planes, rows, columns, words)."""
    width = -(-plan.word_width * plan.pack // plan.scanners)
    mask = (1 << width) - 1
    result = []
    for plane, row, column, chunk, last, wrap in taps_of(plan, len(words)):
        bits = plan.pad_planes[plane % plan.timesteps][chunk] if plan.pad_planes else 0
        if inside(plan, row, column):
            packed = words[plane, row, column, chunk * plan.pack : (chunk + 1) * plan.pack]
            bits = sum(int(word) << n * plan.word_width for n, word in enumerate(packed))
        result.append(bits >> scanner * width & mask | last << width | wrap << width + 1)
    return result
