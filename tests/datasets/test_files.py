"""Images and labels from files: every layout, every way to be wrong."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from hwgen.datasets import Dataset, as_images, load
from hwgen.errors import DataError

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (5, 9, 7), dtype=np.uint8)
LABELS = np.array([3, 0, 9, 1, 1])


def npz(folder: Path, **arrays) -> Path:
    np.savez(folder / "data.npz", **arrays)
    return folder / "data.npz"


def idx(array: np.ndarray, kind: int = 0x08) -> bytes:
    """The bytes of an idx file, by its definition."""
    head = struct.pack(f">BBBB{array.ndim}I", 0, 0, kind, array.ndim, *array.shape)
    return head + array.astype(array.dtype.newbyteorder(">")).tobytes()


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_layouts_are_the_same_images(tmp_path, channels):
    first = RNG.integers(0, 256, (5, channels, 9, 7), dtype=np.uint8)
    for images in (first, np.moveaxis(first, 1, -1)):
        found = load(npz(tmp_path, images=images, labels=LABELS))
        np.testing.assert_array_equal(found.images, first)
        assert found.images.dtype == np.uint8
        assert found.images.flags.c_contiguous
        assert found.labels.dtype == np.int64
        assert found.labels.tolist() == LABELS.tolist()


def test_grey_images_without_labels(tmp_path):
    found = load(str(npz(tmp_path, images=GREY)))
    np.testing.assert_array_equal(found.images[:, 0], GREY)
    assert found.labels is None
    assert len(found) == 5


def test_many_channels_come_first(tmp_path):
    images = RNG.integers(0, 256, (2, 16, 9, 7), dtype=np.uint8)
    np.testing.assert_array_equal(load(npz(tmp_path, images=images)).images, images)


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        (GREY.astype(np.int64), np.uint8),
        (GREY.astype(np.uint16), np.uint16),
        (GREY.astype(np.int32) * 100, np.uint16),
        (GREY > 100, np.uint8),
    ],
)
def test_other_integers(tmp_path, images, expected):
    found = load(npz(tmp_path, images=images)).images
    assert found.dtype == expected
    np.testing.assert_array_equal(found[:, 0], images)


def test_pixels_have_at_most_16_bits() -> None:
    image = np.full((1, 2, 3), 65_535, np.int64)
    assert as_images(image, where="here").dtype == np.uint16
    with pytest.raises(DataError, match="pixels must fit 16 bits, but the maximum is 65536"):
        as_images(image + 1, where="here")


def test_take():
    data = Dataset(images=GREY[:, None], labels=LABELS)
    assert data.take(2).labels.tolist() == [3, 0]
    assert len(data.take(99)) == 5
    assert Dataset(images=GREY[:, None]).take(1).labels is None
    assert len(data.take(None)) == 5
    for samples in (0, -1):
        with pytest.raises(DataError, match=f"samples must be an integer .*1, not {samples}"):
            data.take(samples)


def test_samples_of_a_file(tmp_path):
    path = npz(tmp_path, images=GREY, labels=LABELS)
    assert load(path, samples=2).labels.tolist() == [3, 0]
    with pytest.raises(DataError, match="samples must be an integer of at least 1, not 0"):
        load(path, samples=0)


@pytest.mark.parametrize(
    ("arrays", "expected"),
    [
        ({"images": GREY.astype(complex)}, "save integers, floats or booleans"),
        ({"images": GREY.astype("U3")}, "save integers, floats or booleans"),
        ({"images": GREY.astype(np.int16) - 1}, "must not be negative, but the minimum is -1"),
        ({"images": GREY.astype(np.int64) * 1000}, "must fit 16 bits"),
        ({"images": GREY[0]}, r"not \(9, 7\)"),
        ({"images": GREY[None, None]}, r"not \(1, 1, 5, 9, 7\)"),
        ({"images": GREY[:0]}, r"there are no images, shape \(0, 9, 7\)"),
        ({"images": np.zeros((5, 3, 8, 3), np.uint8)}, r"may be \(N, C, H, W\) or \(N, H, W, C\)"),
        ({"images": GREY, "labels": LABELS[:3]}, "3 labels for 5 images"),
        ({"images": GREY, "labels": LABELS[:, None, None]}, "one integer per image"),
        ({"images": GREY, "labels": LABELS / 2}, r"but label 0 is 1\.5"),
        ({"images": GREY, "labels": -LABELS}, "labels must not be negative, but one is -9"),
        ({"pictures": GREY}, "has no array 'images', .* only 'pictures'"),
    ],
)
def test_wrong_arrays(tmp_path, arrays, expected):
    with pytest.raises(DataError, match=expected):
        load(npz(tmp_path, **arrays))


def test_one_pixel_of_one_channel_is_not_ambiguous(tmp_path):
    assert load(npz(tmp_path, images=np.zeros((5, 1, 1, 1), int))).images.shape == (5, 1, 1, 1)


@pytest.mark.parametrize("damage", ["half", "empty", "text"])
def test_damaged_npz(tmp_path, damage):
    path = npz(tmp_path, images=GREY)
    content = path.read_bytes()
    path.write_bytes({"half": content[: len(content) // 2], "empty": b"", "text": b"no"}[damage])
    with pytest.raises(DataError, match="is not an .npz archive, or (truncated|damaged)"):
        load(path)


class Evil:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (Path.write_text, (self.path, "unpickled"))


def test_pickled_arrays_are_refused(tmp_path):
    trap = tmp_path / "trap"
    path = npz(tmp_path, images=np.array([Evil(trap)], object))
    with pytest.raises(DataError, match="save integers, floats or booleans"):
        load(path)
    assert not trap.exists()


def test_missing_and_foreign_files(tmp_path):
    with pytest.raises(DataError, match="no such file or folder"):
        load(tmp_path / "nowhere.npz")
    (tmp_path / "images.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"data must be an \.npz file, an \.npy file"):
        load(tmp_path / "images.png")
    with pytest.raises(DataError, match="has no idx file of images"):
        load(tmp_path)
    with pytest.raises(DataError, match="unknown split 'val'; available: train, test"):
        load(tmp_path, split="val")


# --- idx ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("style", ["{}-{}-idx{}-ubyte", "{}-{}.idx{}-ubyte"])
def test_idx_folder(tmp_path, packed, style):
    for split, shift in (("train", 1), ("t10k", 2)):
        for what, array in (("images", GREY), ("labels", LABELS.astype(np.uint8))):
            content = idx(array + np.uint8(shift))
            name = style.format(split, what, array.ndim)
            if packed:
                (tmp_path / f"{name}.gz").write_bytes(gzip.compress(content))
            else:
                (tmp_path / name).write_bytes(content)
    for split, shift in (("train", 1), ("test", 2)):
        found = load(tmp_path, split=split)
        np.testing.assert_array_equal(found.images[:, 0], GREY + np.uint8(shift))
        assert found.labels.tolist() == (LABELS + shift).tolist()
    with pytest.raises(DataError, match="choose with split='train' or 'test'"):
        load(tmp_path)


def test_the_only_split_needs_no_name(tmp_path):
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(idx(GREY))
    (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(GREY)))
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx(LABELS.astype(np.uint8)))
    found = load(tmp_path)
    np.testing.assert_array_equal(found.images[:, 0], GREY)
    assert found.labels is None  # those of the other split are not taken
    with pytest.raises(DataError, match="no idx file of images of the train split"):
        load(tmp_path, split="train")


def test_idx_of_wider_integers_is_big_endian(tmp_path):
    images = (GREY.astype(np.int32) * 257) % 60000
    (tmp_path / "train-images-idx3-int").write_bytes(idx(images, kind=0x0C))
    np.testing.assert_array_equal(load(tmp_path).images[:, 0], images)


def test_idx_of_two_bytes_is_big_endian(tmp_path):
    images = GREY.astype(np.int16) * 100
    (tmp_path / "train-images-idx3-short").write_bytes(idx(images, kind=0x0B))
    np.testing.assert_array_equal(load(tmp_path).images[:, 0], images)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            idx(GREY)[:-1],
            "holds less than the 315 bytes that its header.* calls for",
        ),
        (idx(GREY) + b"\0", "holds more than the 315 bytes"),
        (idx(GREY)[:9], "ends within its header"),
        (b"\x89PNG and so on", "not an idx file"),
        (b"", "not an idx file"),
        (b"\0\0\x08\xff" + bytes(1020), "must have 1 to 4 axes, not 255"),
        (idx(GREY[0].astype(np.float32), kind=0x0D), r"not \(9, 7\)"),
    ],
)
def test_wrong_idx(tmp_path, content, expected):
    (tmp_path / "train-images-idx3-ubyte").write_bytes(content)
    with pytest.raises(DataError, match=expected):
        load(tmp_path)


def test_damaged_gzip(tmp_path):
    path = tmp_path / "train-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(idx(GREY))[:-9])
    with pytest.raises(DataError, match="cannot be read"):
        load(tmp_path)
