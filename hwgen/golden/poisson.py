"""The random numbers of a Poisson input, as :class:`hwgen.network.Input` defines them."""

from __future__ import annotations

import math

import numpy as np

from hwgen.network import Input

STATE_BITS = 32
TIMESTEP = 20  # draws of a timestep, as a power of two
_AT_ONCE = 10  # bits that depend on those before alone: 32 − 22


def poisson_train(images: np.ndarray, source: Input) -> np.ndarray:
    """Trains of ``images`` (…, height, width, channels), shape (T, *images.shape)."""
    limits = images.astype(np.int64) * source.gain
    draws = poisson_draws(source)
    channels, height, width = source.shape
    draws = draws.reshape(source.timesteps, height, width, channels)
    train = np.empty((source.timesteps, *images.shape), dtype=np.uint8)
    for spikes, numbers in zip(train, draws):
        spikes[...] = numbers < limits
    return train


def poisson_draws(source: Input) -> np.ndarray:
    """r of each timestep and pixel, int64 (T, pixels)."""
    bits = source.pixel_bits + 4
    pixels = math.prod(source.shape)
    states = _states(source.seed, bits << TIMESTEP, source.timesteps)
    sequence = _sequence(states, pixels * bits)  # (bits, T)
    places = (1 << np.arange(bits, dtype=np.int64))[:, np.newaxis]
    draws: np.ndarray = (sequence.reshape(pixels, bits, -1) * places).sum(axis=1).T
    return draws


def _states(seed: int, apart: int, count: int) -> np.ndarray:
    """The register every ``apart`` bits, uint64 (count,)."""
    jump = _power(_one_bit(), apart)
    states, state = [], seed
    for _ in range(count):
        states.append(state)
        state = _apply(jump, state)
    return np.array(states, dtype=np.uint64)


def _sequence(states: np.ndarray, length: int) -> np.ndarray:
    """The ``length`` bits that each register stands before, int64 (length, len(states))."""
    bits = np.empty((STATE_BITS + length + _AT_ONCE, len(states)), dtype=np.uint8)
    shifts = np.arange(STATE_BITS, dtype=np.uint64)[:, np.newaxis]
    bits[:STATE_BITS] = (states >> shifts) & np.uint64(1)
    for start in range(0, length, _AT_ONCE):
        taps = [bits[start + tap : start + tap + _AT_ONCE] for tap in (0, 1, 2, 22)]
        after = start + STATE_BITS
        bits[after : after + _AT_ONCE] = taps[0] ^ taps[1] ^ taps[2] ^ taps[3]
    return bits[:length].astype(np.int64)


# A linear map of registers: the images of their single bits, lowest first.


def _one_bit() -> list[int]:
    """The register a bit later: b[k] … b[k + 31] becomes b[k + 1] … b[k + 32]."""
    return [
        (1 << place - 1 if place else 0) | (1 << STATE_BITS - 1 if place in (0, 1, 2, 22) else 0)
        for place in range(STATE_BITS)
    ]


def _apply(columns: list[int], state: int) -> int:
    result = 0
    for place, column in enumerate(columns):
        if state >> place & 1:
            result ^= column
    return result


def _power(columns: list[int], exponent: int) -> list[int]:
    result = [1 << place for place in range(STATE_BITS)]
    while exponent:
        if exponent & 1:
            result = [_apply(columns, column) for column in result]
        columns = [_apply(columns, column) for column in columns]
        exponent >>= 1
    return result
