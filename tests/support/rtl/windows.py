"""Plans of window buffers, hand-written and random, and the chunks that they must yield."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hwgen.plan.units.geometry import WindowPlan
from hwgen.plan.units.synaptic_path import PathKind, SynapticPathPlan


def window(**sizes: Any) -> WindowPlan:
    usual: dict[str, Any] = {
        "word_width": 3, "timesteps": 2, "rows": 4, "columns": 5, "words": 1, "pack": 1,
        "kernel": (3, 3), "stride": (1, 1), "padding": (0, 0, 0, 0), "rounds": 1, "scanners": 1,
    }  # fmt: skip
    values = {**usual, **sizes}
    slots = min(values["kernel"][0] + values["stride"][0], 2 * values["rows"])
    return WindowPlan(**{"slots": slots, **values})


def path_of(
    plan: WindowPlan, kind: str = "spikes", *, tile: tuple[int, int] = (1, 1)
) -> SynapticPathPlan:
    return SynapticPathPlan(source="x", kind=kind, window=plan, tile=tile)


def random_path(seed: int, kind: str | None = None) -> SynapticPathPlan:
    """Random path with small maps and kernels, also strides beyond the kernel, and enough slots.

    ``kind`` is "plain", "wide", "shared", "masked" or "every".
    """
    rng = np.random.default_rng([seed, 5])
    kind = kind or str(rng.choice(["plain", "plain", "wide", "wide", "shared", "masked", "every"]))
    sides = []
    for minimum in (1, 2 if kind == "wide" else 1):
        size, kernel = int(rng.integers(1, 7)), int(rng.integers(minimum, 5))
        before, after = (int(n) for n in rng.integers(0, kernel, 2))
        before = max(before, minimum - size)
        kernel = min(kernel, size + before + after)
        before, after = min(before, kernel - 1), min(after, kernel - 1)
        sides.append((size, kernel, int(rng.choice([1, 1, 2, 2, 3, 4])), before, after))
    (rows, ky, sy, top, bottom), (columns, kx, sx, left, right) = sides
    words, width = int(rng.integers(1, 5)), int(rng.integers(1, 6))
    depthwise = kind in ("masked", "every")
    pack = int(rng.integers(1, words + 1))
    if kind == "wide":
        pack = words
    elif depthwise:
        pack = int(rng.choice([n for n in range(1, words + 1) if words % n == 0]))
    chunks = -(-words // pack)
    bits = width * pack * (kx if kind == "wide" else 1)
    scanners = 1 if depthwise else int(rng.integers(1, min(5, bits + 1)))
    steps, schedule = int(rng.integers(1, 4)), str(rng.choice(["row", "row", "time"]))
    pads: tuple = ()
    # The writer of a wide window must know the timestep of the row.
    can_pad = kind != "every" and (kind != "wide" or (schedule == "row" and steps > 1))
    if can_pad and rng.random() < 0.4:
        values = rng.integers(0, 1 << width * pack, (steps, chunks))
        pads = tuple(tuple(plane) for plane in values.tolist())
    order: tuple[int, ...] = ()
    if scanners > 1 and rng.random() < 0.5:
        spare = -bits % scanners
        order = tuple(rng.permutation([*range(bits), *[-1] * spare]).tolist())
    plan = window(
        word_width=width, timesteps=steps, rows=rows, columns=columns, words=words, pack=pack,
        kernel=(ky, kx), stride=(sy, sx), padding=(top, left, bottom, right),
        rounds=chunks if depthwise else int(rng.integers(1, 4)), scanners=scanners,
        wide=kind == "wide", depthwise=depthwise, pad_planes=pads, order=order,
        schedule=schedule, slots=1,
    )  # fmt: skip
    plan = replace(plan, slots=plan.min_slots + int(rng.integers(0, 3)))
    kinds = {"masked": "masked", "every": "every"}
    tile = (1, 1)
    if kind in ("shared", "masked"):  # often all taps
        divisors = ([n for n in range(size, 0, -1) if size % n == 0] for size in (ky, kx))
        ty, tx = (int(rng.choice([every[0], *every])) for every in divisors)
        tile = (ty, tx)
    return path_of(plan, kinds.get(kind, "spikes"), tile=tile)


@dataclass(frozen=True)
class Read:
    """One chunk that a window reads: its timestep, round, row and pixels.

    ``tap`` is the index of the chunk within its kernel row; ``pixels`` holds the columns of the
    chunk's pixels. Row and columns may lie outside the map.
    """

    step: int
    out_row: int
    out_column: int
    rounds: int
    tap_row: int
    tap: int
    row: int
    pixels: tuple[int, ...]
    chunk: int
    last: bool


def row_order(plan: WindowPlan, rows: int) -> list[tuple[int, int]]:
    """(timestep, row) in the order of the schedule."""
    if plan.schedule == "row":
        return [(step, row) for row in range(rows) for step in range(plan.timesteps)]
    return [(step, row) for step in range(plan.timesteps) for row in range(rows)]


def reads_of(plan: WindowPlan) -> Iterator[Read]:
    """All reads of a sample, in the order of the schedule."""
    top, left, bottom, right = plan.padding
    (ky, kx), (sy, sx) = plan.kernel, plan.stride
    out_rows = (plan.rows + top + bottom - ky) // sy + 1
    out_columns = (plan.columns + left + right - kx) // sx + 1
    chunks = -(-plan.words // plan.pack)
    for step, out_row in row_order(plan, out_rows):
        for out_column in range(out_columns):
            x = out_column * sx - left
            for round_index in range(plan.rounds):
                inner: list[tuple[tuple[int, ...], int]]
                if plan.wide:
                    inner = [(tuple(range(x, x + kx)), 0)]
                elif plan.depthwise:
                    inner = [((x + n,), round_index) for n in range(kx)]
                else:
                    inner = [((x + n,), chunk) for n in range(kx) for chunk in range(chunks)]
                for tap_row in range(ky):
                    for tap, (pixels, chunk) in enumerate(inner):
                        yield Read(
                            step, out_row, out_column, round_index, tap_row, tap,
                            out_row * sy - top + tap_row, pixels, chunk,
                            tap_row == ky - 1 and tap == len(inner) - 1,
                        )  # fmt: skip


def inside(plan: WindowPlan, row: int, column: int) -> bool:
    return 0 <= row < plan.rows and 0 <= column < plan.columns


def weight_row(path: SynapticPathPlan, read: Read, slice_width: int) -> int:
    """Weight row of bit 0 of a slice; rows are ordered by round, kernel row and chunk."""
    plan = path.window
    if path.kind == "every":
        return 0
    chunks = -(-plan.words // plan.pack)
    in_tap = 1 if plan.wide or plan.depthwise else chunks
    (ty, tx), columns = path.tile, 1 if plan.wide else plan.kernel[1]
    tile_row = read.rounds * (plan.kernel[0] // ty) + read.tap_row // ty
    tile = tile_row * (columns // tx) + read.tap // in_tap // tx
    index = tile * in_tap + read.tap % in_tap
    return index * (1 if path.kind == "masked" else slice_width)


def owned_bits(plan: WindowPlan, scanner: int, size: int) -> list[int]:
    """Bits of a chunk that a scanner owns: from ``order``, or every ``scanners``-th bit."""
    if plan.order:
        return list(plan.order[scanner * size : (scanner + 1) * size])
    width = plan.word_width * plan.pack * (plan.kernel[1] if plan.wide else 1)
    owned = list(range(scanner, width, plan.scanners))
    return owned + [-1] * (size - len(owned))


def chunk_bits(plan: WindowPlan, words: np.ndarray, read: Read) -> list[int]:
    """Bits of a chunk, lowest first; ``words`` of one sample (timesteps, rows, columns, words).

    The words of an incomplete chunk are in its highest bits.
    """
    bits = []
    for column in read.pixels:
        if inside(plan, read.row, column):
            first = read.chunk * plan.pack
            stored = words[read.step, read.row, column, first : first + plan.pack].tolist()
            stored = [0] * (plan.pack - len(stored)) + stored
            value = sum(word << n * plan.word_width for n, word in enumerate(stored))
        else:
            value = plan.pad_planes[read.step][read.chunk] if plan.pad_planes else 0
        bits += [value >> n & 1 for n in range(plan.word_width * plan.pack)]
    return bits


def chunk_words(path: SynapticPathPlan, words: np.ndarray, scanner: int) -> list[int]:
    """Chunks of one scanner for ``words`` (samples, timesteps, rows, columns, words)."""
    plan = path.window
    width = plan.word_width * plan.pack * (plan.kernel[1] if plan.wide else 1)
    size = -(-width // plan.scanners)
    owned = owned_bits(plan, scanner, size)
    base_width = (path.weight_depth - 1).bit_length()
    result = []
    reads = list(reads_of(plan))
    for sample in words:
        for read in reads:
            bits = [*chunk_bits(plan, sample, read), 0]  # −1 reads the 0
            value = sum(bits[bit] << n for n, bit in enumerate(owned))
            if not value and not read.last and path.kind != PathKind.EVERY:
                continue
            base = weight_row(path, read, size)
            several = path.kind == "spikes" and value.bit_count() > 1
            flags = read.last | several << 1
            result.append(value | base << size | flags << size + base_width)
    return result


def words_in_order(plan: WindowPlan, words: np.ndarray) -> list[int]:
    """``words`` (samples, timesteps, rows, columns, words) in stream order."""
    axes = (0, 2, 1, 3, 4) if plan.schedule == "row" else (0, 1, 2, 3, 4)
    return words.transpose(axes).ravel().tolist()


def random_words(plan: WindowPlan, samples: int, seed: int) -> np.ndarray:
    """Random words, some of them silent, so that some chunks are silent."""
    rng = np.random.default_rng([seed, 6])
    shape = (samples, plan.timesteps, plan.rows, plan.columns, plan.words)
    words = rng.integers(0, 1 << plan.word_width, shape)
    return np.where(rng.random(shape) < 0.3, 0, words)
