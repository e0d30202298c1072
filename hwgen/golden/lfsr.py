"""The shift register with feedback whose bits are all random numbers of a network:
b[k + 32] = b[k + 22] ⊕ b[k + 2] ⊕ b[k + 1] ⊕ b[k], b[0] … b[31] being those of its seed."""

from __future__ import annotations

import numpy as np

STATE_BITS = 32
_AT_ONCE = 10  # bits that depend on those before alone: 32 − 22


def read_draws(starts: np.ndarray, count: int, bits: int) -> np.ndarray:
    """The first ``count`` numbers of ``bits`` bits, the lowest first, that follow each register of
    ``starts``; int64 (registers, count)."""
    found = sequence(starts, count * bits)
    places = (1 << np.arange(bits, dtype=np.int64))[:, np.newaxis]
    draws: np.ndarray = (found.reshape(count, bits, -1) * places).sum(axis=1).T
    return draws


def states(seed: int, apart: int, count: int) -> np.ndarray:
    """The register every ``apart`` bits, uint64 (count,)."""
    jump = power(one_bit(), apart)
    found, state = [], seed
    for _ in range(count):
        found.append(state)
        state = apply(jump, state)
    return np.array(found, dtype=np.uint64)


def sequence(starts: np.ndarray, length: int) -> np.ndarray:
    """The ``length`` bits that each register stands before, int64 (length, registers)."""
    bits = np.empty((STATE_BITS + length + _AT_ONCE, len(starts)), dtype=np.uint8)
    shifts = np.arange(STATE_BITS, dtype=np.uint64)[:, np.newaxis]
    bits[:STATE_BITS] = (starts >> shifts) & np.uint64(1)
    for start in range(0, length, _AT_ONCE):
        taps = [bits[start + tap : start + tap + _AT_ONCE] for tap in (0, 1, 2, 22)]
        after = start + STATE_BITS
        bits[after : after + _AT_ONCE] = taps[0] ^ taps[1] ^ taps[2] ^ taps[3]
    return bits[:length].astype(np.int64)


# A linear map of registers: the images of their single bits, lowest first.


def one_bit() -> list[int]:
    """The register a bit later: b[k] … b[k + 31] becomes b[k + 1] … b[k + 32]."""
    return [
        (1 << place - 1 if place else 0) | (1 << STATE_BITS - 1 if place in (0, 1, 2, 22) else 0)
        for place in range(STATE_BITS)
    ]


def apply(columns: list[int], state: int) -> int:
    result = 0
    for place, column in enumerate(columns):
        if state >> place & 1:
            result ^= column
    return result


def power(columns: list[int], exponent: int) -> list[int]:
    result = [1 << place for place in range(STATE_BITS)]
    while exponent:
        if exponent & 1:
            result = [apply(columns, column) for column in result]
        columns = [apply(columns, column) for column in columns]
        exponent >>= 1
    return result
