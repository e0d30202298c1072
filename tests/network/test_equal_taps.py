"""Tiles of equal taps, and the weights that they leave to store."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.network import Conv2d, Input, Layer, Linear, Network, Readout, equal_taps, stored_weights

A, B, C, D = 1, 2, 3, 4
KERNELS = {
    "all different": ([[A, B], [C, D]], (1, 1)),
    "all equal": ([[A, A, A], [A, A, A]], (2, 3)),
    "equal rows": ([[A, B], [A, B]], (2, 1)),
    "equal columns": ([[A, A], [B, B]], (1, 2)),
    "tiles": ([[A, A, B, B], [A, A, B, B], [C, C, D, D], [C, C, D, D]], (2, 2)),
    "tiles that differ once": ([[A, A, B, B], [A, A, B, B], [C, C, D, D], [C, C, D, A]], (1, 1)),
    "runs of 2 and 4": ([[A, A, B, B, B, B]], (1, 2)),
    "runs of 3 and 2 divide nothing": ([[A, A, A, B, B]], (1, 1)),
    "a run that does not start a tile": ([[A, B, B, C]], (1, 1)),
}


@pytest.mark.parametrize("name", KERNELS)
def test_tiles(name: str) -> None:
    taps, tile = KERNELS[name]
    kernel = np.array(taps)[np.newaxis, np.newaxis]
    assert equal_taps(kernel) == tile
    stored = stored_weights(kernel)
    assert stored.size == kernel.size // (tile[0] * tile[1])
    assert (stored.repeat(tile[0], axis=2).repeat(tile[1], axis=3) == kernel).all()


def test_every_channel_counts() -> None:
    """One weight of one channel that differs is enough."""
    kernel = np.ones((3, 2, 4, 4))
    kernel[2, 1, 2:] = 5
    assert equal_taps(kernel) == (2, 4)
    kernel[1, 0, 0, 3] = 5
    assert equal_taps(kernel) == (1, 1)


def test_the_summary_counts_stored_weights() -> None:
    taps = np.ones((5, 2, 4, 6), dtype=np.int32)
    taps[:, :, :, 3:] = 7
    network = Network(
        name="net",
        input=Input(shape=(2, 4, 6), timesteps=2),
        nodes=(
            Layer(
                name="fc",
                projections=(Conv2d(source="input", weights=taps),),
                bias=np.zeros(5, dtype=np.int64),
                neuron=Readout(),
            ),
        ),
    )
    assert network.summary().layers[0].weights == 5 * 2 * 2
    assert stored_weights(Linear(source="x", weights=np.ones((3, 4), np.int32)).weights).size == 12
