"""Address events from files, and the frames that they become."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwgen.datasets import bin_events, holds_events, load, read_address_events
from hwgen.errors import DataError

# Two samples: six events from 100 to 111, and one alone; then an empty one.
ARRAYS: dict[str, Any] = {
    "t": np.array([100, 102, 103, 105, 108, 111, 7], np.uint32),
    "x": np.array([0, 2, 2, 1, 3, 0, 2], np.uint8),
    "y": np.array([1, 0, 0, 1, 2, 1, 2], np.uint8),
    "p": np.array([0, 1, 1, 0, 1, 0, 0], np.uint8),
    "offsets": np.array([0, 6, 7, 7], np.int64),
}


def file_of(folder: Path, **changes: Any) -> Path:
    arrays = {name: array for name, array in (ARRAYS | changes).items() if array is not None}
    np.savez(folder / "events.npz", **arrays)
    return folder / "events.npz"


def test_equal_spans_from_the_first_event_to_the_last() -> None:
    """Twelve units of time in four steps of three: 100–102, 103–105, 106–108, 109–111."""
    frames = bin_events(read_address_events(ARRAYS, where="here"), timesteps=4)
    assert frames.shape == (3, 4, 2, 3, 4)
    assert frames.dtype == np.uint8
    spikes = [tuple(place) for place in np.argwhere(frames).tolist()]
    assert spikes == [
        (0, 0, 0, 1, 0), (0, 0, 1, 0, 2), (0, 1, 0, 1, 1), (0, 1, 1, 0, 2), (0, 2, 1, 2, 3),
        (0, 3, 0, 1, 0), (1, 0, 0, 2, 2),
    ]  # fmt: skip


def test_events_of_a_pixel_in_one_step_are_one_spike() -> None:
    frames = bin_events(
        read_address_events(ARRAYS, where="here"), timesteps=1, shape=(2, 5, 6), samples=1
    )
    assert frames.shape == (1, 1, 2, 5, 6)
    assert frames.sum() == 4  # (2, 0) of polarity 1 twice, (0, 1) of polarity 0 twice


def test_from_a_file(tmp_path: Path) -> None:
    path = file_of(tmp_path, labels=np.array([4, 2, 0]))
    assert holds_events(path)
    found = load(path, timesteps=4, shape=(2, 3, 4), samples=2)
    assert found.images.shape == (2, 4, 2, 3, 4)
    assert found.labels is not None
    assert found.labels.tolist() == [4, 2]
    whole = bin_events(read_address_events(ARRAYS, where="here"), timesteps=4)
    np.testing.assert_array_equal(found.images, whole[:2])
    assert not holds_events(tmp_path)
    np.savez(tmp_path / "images.npz", images=np.zeros((1, 2, 2), np.uint8))
    assert not holds_events(tmp_path / "images.npz")


@pytest.mark.parametrize(
    ("changes", "options", "message"),
    [
        ({}, {"timesteps": None}, "holds address events; pass the number of timesteps"),
        ({}, {"timesteps": 0}, "timesteps must be an integer of at least 1, not 0"),
        ({}, {"samples": 0}, "samples must be an integer of at least 1, not 0"),
        ({}, {"shape": (2, 3, 3)}, r"need frames of \(2, 3, 4\).*takes \(2, 3, 3\)"),
        ({}, {"shape": (1, 3, 4)}, r"takes \(1, 3, 4\)"),
        ({"labels": np.array([1])}, {}, "1 labels for 3 images"),
        ({"x": ARRAYS["x"][:-1]}, {}, "t, x, y and p must have the same length, not"),
        ({"p": ARRAYS["p"].astype(np.float32)}, {}, "p: must be one axis of integers.*float32"),
        ({"t": ARRAYS["t"].astype(np.int64) - 50}, {}, "t: must be.*not negative"),
        ({"offsets": np.array([0, 6, 8])}, {}, "offsets: must rise from 0 to the number"),
        ({"offsets": np.array([0, 7, 6, 7])}, {}, "offsets: must rise from 0"),
        ({"offsets": np.array([[0, 7]])}, {}, "offsets: must be one axis"),
    ],
)
def test_mistakes_are_named(
    tmp_path: Path, changes: dict[str, Any], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        load(file_of(tmp_path, **changes), **{"timesteps": 4, **options})


def test_nmnist(data_folder: Path) -> None:
    """All 34 × 34 pixels of two polarities, digits by label, and each event in one timestep."""
    path = data_folder / "nmnist_small_test.npz"
    if not path.is_file():
        pytest.skip("needs nmnist_small_test.npz")
    found = load(path, timesteps=10, samples=5)
    assert found.images.shape == (5, 10, 2, 34, 34)
    with np.load(path) as archive:
        first, last = archive["offsets"][2:4]
        span = archive["t"][first:last].astype(np.int64)
        polarity = archive["p"][first:last]
    # Of sample 2 the third of ten spans, counted again.
    low = span.min() + np.ceil(2 * (np.ptp(span) + 1) / 10)
    high = span.min() + np.ceil(3 * (np.ptp(span) + 1) / 10)
    here = (span >= low) & (span < high)
    assert 0 < found.images[2, 2, 1].sum() <= (here & (polarity == 1)).sum()
    assert found.images.any(axis=(1, 2, 3, 4)).all()
