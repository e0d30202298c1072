"""Encoders of the input: values and trains of pixels, as :class:`hwgen.network.Input` defines."""

from __future__ import annotations

import numpy as np

from hwgen.golden.draws import poisson_train
from hwgen.golden.two_phase import first_spikes
from hwgen.network import Code, Input, InputCode, value_dtype


def input_values(images: np.ndarray, source: Input) -> np.ndarray:
    """q of each pixel, in closed form (:class:`hwgen.network.Input`)."""
    bits, timesteps = source.pixel_bits, source.timesteps
    if source.code is InputCode.DIRECT:
        return images.astype(value_dtype((1 << bits) - 1))
    if source.code is not InputCode.RADIX:
        values = (images.astype(np.uint32) * timesteps + (1 << (bits - 1))) >> bits
        return values.astype(value_dtype(timesteps))
    dtype = value_dtype((1 << timesteps) - 1)
    if timesteps >= bits:
        return images.astype(dtype) << (timesteps - bits)
    return (images >> (bits - timesteps)).astype(dtype)


def input_train(images: np.ndarray, source: Input) -> np.ndarray:
    """The train of each pixel, step by step; uint8 of shape (T, *images.shape).

    ``images`` have shape (n, height, width, channels); frames of events (n, T, height, width,
    channels). Direct input gives the bits of the pixels.
    """
    if source.code is InputCode.POISSON:
        return poisson_train(images, source)
    if source.code is InputCode.EVENTS:
        return np.ascontiguousarray(np.moveaxis(images, 1, 0))
    if source.code is InputCode.DIRECT:
        return Code.RADIX.encode_train(images, source.pixel_bits)
    full = 1 << source.pixel_bits
    if source.code is InputCode.TTFS:
        charge = images.astype(np.int64) * source.timesteps + (full >> 1)
        return first_spikes(charge, np.int64(full), source.timesteps)
    train = np.zeros((source.timesteps, *images.shape), dtype=np.uint8)
    accumulator = np.full(images.shape, full >> 1, dtype=np.int64)
    for step in range(source.timesteps):
        if source.code is InputCode.RADIX:
            if step < source.pixel_bits:
                train[step] = (images >> (source.pixel_bits - 1 - step)) & 1
        else:
            accumulator += images
            train[step] = accumulator >= full
            accumulator -= train[step] * np.int64(full)
    return train
