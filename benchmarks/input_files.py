"""Images and labels in files: .npz, idx, CIFAR, folders of images."""

from __future__ import annotations

import gzip
import pickle
from pathlib import Path

import numpy as np

from benchmarks.input_samples import COLOUR, GREY, LABELS, Case, last, normalised, saved, units


def _packed(folder: Path) -> Path:
    np.savez_compressed(folder / "data.npz", last(COLOUR), LABELS)
    return folder / "data.npz"


def _npy(folder: Path) -> Path:
    np.save(folder / "data.npy", np.asfortranarray(COLOUR))
    return folder / "data.npy"


def idx(array: np.ndarray) -> bytes:
    """Bytes of an idx file of uint8, by its definition."""
    lengths = b"".join(length.to_bytes(4, "big") for length in array.shape)
    return bytes([0, 0, 8, array.ndim]) + lengths + array.astype(np.uint8).tobytes()


def _idx(folder: Path) -> Path:
    """The files of MNIST, both splits, which are the same here."""
    folder.mkdir(parents=True, exist_ok=True)
    for split in ("train", "t10k"):
        for name, array in (("images-idx3", GREY[:, 0]), ("labels-idx1", LABELS)):
            content = gzip.compress(idx(array))
            (folder / f"{split}-{name}-ubyte.gz").write_bytes(content)
    return folder


def _mnist(folder: Path) -> Path:
    _idx(folder / "MNIST" / "raw")
    return folder


def _cifar(folder: Path) -> Path:
    """Both splits as torchvision has them: dictionaries with keys of bytes, protocol 2."""
    place = folder / "cifar-10-batches-py"
    place.mkdir()
    for name, part in (("data_batch_1", slice(0, 5)), ("data_batch_2", slice(5, None)),
                       ("test_batch", slice(None))):  # fmt: skip
        content = {b"data": COLOUR[part].reshape(-1, 3072), b"labels": LABELS[part].tolist(),
                   b"batch_label": b"", b"filenames": [b"a.png"] * len(LABELS[part])}  # fmt: skip
        (place / name).write_bytes(pickle.dumps(content, protocol=2))
    return folder


def _cifar_binary(folder: Path) -> Path:
    records = np.concatenate([LABELS[:, None].astype(np.uint8), COLOUR.reshape(-1, 3072)], axis=1)
    for name in ("data_batch_1.bin", "test_batch.bin"):
        (folder / name).write_bytes(records.tobytes())
    return folder


def _images(folder: Path) -> Path:
    """A folder per class; read in turns, which is the order of LABELS."""
    from PIL import Image

    for index, (image, label) in enumerate(zip(last(COLOUR), LABELS)):
        place = folder / f"class_{label}"
        place.mkdir(exist_ok=True)
        Image.fromarray(image).save(place / f"{index:02}.png")
    return folder


FILES = (
    Case(name=".npz: images, labels", give=lambda f: saved(f, images=COLOUR, labels=LABELS)),
    Case(name=".npz: x_train … y_test, float32 N×H×W×C, labels N×1",
         give=lambda f: saved(f, x_train=last(units()), y_train=LABELS[:, None],
                               x_test=last(units()), y_test=LABELS[:, None])),
    Case(name=".npz: data, target of one-hot rows",
         give=lambda f: saved(f, data=COLOUR, target=np.eye(4)[LABELS])),
    Case(name=".npz: x, y of floats",
         give=lambda f: saved(f, x=GREY[:, 0], y=LABELS.astype(np.float32)), images=GREY),
    Case(name=".npz: train_images …, test_labels",
         give=lambda f: saved(f, train_images=last(COLOUR), train_labels=LABELS,
                               test_images=last(COLOUR), test_labels=LABELS)),
    Case(name=".npz: unnamed, compressed", give=_packed),
    Case(name=".npz: normalised float32",
         give=lambda f: saved(f, images=normalised(), labels=LABELS), normalised=True),
    Case(name=".npy by columns", give=_npy),
    Case(name="idx folder, gzip", give=_idx, images=GREY),
    Case(name="idx file", give=lambda f: _idx(f) / "t10k-images-idx3-ubyte.gz", images=GREY),
    Case(name="torchvision's MNIST/raw", give=_mnist, images=GREY),
    Case(name="torchvision's cifar-10-batches-py", give=_cifar),
    Case(name="cifar-10-batches-bin", give=_cifar_binary),
    Case(name="folder of images by class", give=_images),
)  # fmt: skip
