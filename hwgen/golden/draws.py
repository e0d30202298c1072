"""Random numbers of a network: the bits of a shift register with feedback, and Poisson trains.

b[k + 32] = b[k + 22] ⊕ b[k + 2] ⊕ b[k + 1] ⊕ b[k]; b[0] … b[31] are the bits of the seed.
"""

from __future__ import annotations

import math

import numpy as np

from hwgen.network import Input

_DRAWS_PER_TIMESTEP = 20  # as a power of two
STATE_BITS = 32
_AT_ONCE = 10  # bits that depend on those before alone: 32 − 22


def read_draws(starts: np.ndarray, count: int, bits: int) -> np.ndarray:
    """The next ``count`` numbers of each register of ``starts``, int64 (registers, count).

    A number has ``bits`` bits, the lowest first.
    """
    drawn = sequence(starts, count * bits)
    weights = (1 << np.arange(bits, dtype=np.int64))[:, np.newaxis]
    draws: np.ndarray = (drawn.reshape(count, bits, -1) * weights).sum(axis=1).T
    return draws


def register_states(seed: int, apart: int, count: int) -> np.ndarray:
    """State of the register after 0, ``apart``, 2·``apart`` … bits, uint64 (count,)."""
    jump = power(one_bit(), apart)
    found, state = [], seed
    for _ in range(count):
        found.append(state)
        state = apply(jump, state)
    return np.array(found, dtype=np.uint64)


def sequence(starts: np.ndarray, length: int) -> np.ndarray:
    """The next ``length`` bits of each register, int64 (length, registers)."""
    bits = np.empty((STATE_BITS + length + _AT_ONCE, len(starts)), dtype=np.uint8)
    shifts = np.arange(STATE_BITS, dtype=np.uint64)[:, np.newaxis]
    bits[:STATE_BITS] = (starts >> shifts) & np.uint64(1)
    for start in range(0, length, _AT_ONCE):
        taps = [bits[start + tap : start + tap + _AT_ONCE] for tap in (0, 1, 2, 22)]
        after = start + STATE_BITS
        bits[after : after + _AT_ONCE] = taps[0] ^ taps[1] ^ taps[2] ^ taps[3]
    return bits[:length].astype(np.int64)


# A linear map of register states: the images of the single bits, lowest first.


def one_bit() -> list[int]:
    """One bit later: b[k] … b[k + 31] becomes b[k + 1] … b[k + 32]."""
    return [
        (1 << bit - 1 if bit else 0) | (1 << STATE_BITS - 1 if bit in (0, 1, 2, 22) else 0)
        for bit in range(STATE_BITS)
    ]


def apply(columns: list[int], state: int) -> int:
    """The image of ``state``."""
    result = 0
    for bit, column in enumerate(columns):
        if state >> bit & 1:
            result ^= column
    return result


def power(columns: list[int], exponent: int) -> list[int]:
    """The map applied ``exponent`` times."""
    result = [1 << bit for bit in range(STATE_BITS)]
    while exponent:
        if exponent & 1:
            result = [apply(columns, column) for column in result]
        columns = [apply(columns, column) for column in columns]
        exponent >>= 1
    return result


def poisson_train(images: np.ndarray, source: Input) -> np.ndarray:
    """Poisson trains of ``images`` (…, height, width, channels), shape (T, *images.shape)."""
    limits = images.astype(np.int64) * source.gain
    draws = poisson_draws(source)
    channels, height, width = source.shape
    draws = draws.reshape(source.timesteps, height, width, channels)
    train = np.empty((source.timesteps, *images.shape), dtype=np.uint8)
    for spikes, numbers in zip(train, draws):
        spikes[...] = numbers < limits
    return train


def poisson_draws(source: Input) -> np.ndarray:
    """r of each timestep and pixel of a Poisson input, int64 (T, pixels)."""
    bits = source.pixel_bits + 4
    pixels = math.prod(source.shape)
    starts = register_states(source.seed, bits << _DRAWS_PER_TIMESTEP, source.timesteps)
    return read_draws(starts, pixels, bits)
