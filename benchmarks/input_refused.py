"""Data that must be refused, each with the reason in one line."""

from __future__ import annotations

import gzip
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.input_samples import COLOUR, LABELS, Case, saved, units

_ODD: dict[str, Any] = {"\x1b[31m\n": COLOUR}  # a name that colours a terminal


class _Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("unpickled",)


def _evil_cifar(folder: Path) -> Path:
    (folder / "test_batch").write_bytes(pickle.dumps({"data": _Evil()}))
    (folder / "data_batch_1").write_bytes(pickle.dumps({"data": _Evil()}))
    return folder


def _twice(folder: Path) -> Path:
    path = saved(folder, images=COLOUR)
    content = path.read_bytes()
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("images.npy", "imagez.npy"):
            archive.writestr(name, content[:100])
    path.write_bytes(path.read_bytes().replace(b"imagez.npy", b"images.npy"))
    return path


def _bomb(folder: Path) -> Path:
    path = saved(folder, images=np.zeros((0, 1024, 1024), np.uint8))
    with zipfile.ZipFile(path) as archive:
        head = archive.read("images.npy").replace(b"(0, 1024", b"(80, 1024")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("images.npy", head + bytes(80 << 20))
    return path


def _gzip_bomb(folder: Path) -> Path:
    head = bytes([0, 0, 8, 3]) + b"\0\0\x80\0" * 3  # 2^45 bytes
    (folder / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(head + bytes(1000)))
    return folder / "train-images-idx3-ubyte.gz"


def _pipe(folder: Path) -> Path:
    os.mkfifo(folder / "data.npz")
    return folder / "data.npz"


def _cut(folder: Path) -> Path:
    path = saved(folder, images=COLOUR)
    path.write_bytes(path.read_bytes()[:5000])
    return path


def _with_nan() -> np.ndarray:
    images = units()
    images[3, 1, 4, 4] = np.nan
    return images


REFUSED = (
    Case(name="NaN", give=lambda _: _with_nan(), refused="image 3 has a value that is NaN"),
    Case(name="normal noise", give=lambda _: np.random.default_rng(18).normal(size=COLOUR.shape),
         refused="mean and std"),
    Case(name="images of several sizes", give=lambda _: [COLOUR[0], COLOUR[0, :, :30]],
         refused="bring all samples to one shape"),
    Case(name="sparse tensor", give=lambda _: torch.from_numpy(COLOUR).to_sparse(),
         refused="must be a plain tensor"),
    Case(name="a path as images", give=lambda _: b"train.npz",
         refused="datasets.load reads"),
    Case(name="labels of halves", give=lambda f: saved(f, images=COLOUR, labels=LABELS + 0.5),
         refused="label 0 is 0.5"),
    Case(name="soft labels", give=lambda f: saved(f, images=COLOUR, labels=np.eye(4)[LABELS] / 2),
         refused="must be one-hot rows"),
    Case(name="labels of fewer images", give=lambda f: saved(f, images=COLOUR, labels=LABELS[:5]),
         refused="5 labels for 12 images"),
    Case(name="unknown names", give=lambda f: saved(f, **_ODD),
         refused=r"only '\x1b[31m\n'"),
    Case(name="objects in an .npz", give=lambda f: saved(f, images=np.array([_Evil()], object)),
         refused="save integers, floats or booleans"),
    Case(name="compressed 1000 times", give=_bomb, refused="over 100 times its size"),
    Case(name="gzip with a huge header", give=_gzip_bomb, refused="at most 4,294,967,296 are read"),
    Case(name="two members of one name", give=_twice, refused="twice"),
    Case(name="truncated .npz", give=_cut, refused="truncated"),
    Case(name="pipe", give=_pipe, refused="is a pipe and not a regular file"),
    Case(name="device", give=lambda _: Path("/dev/zero"), refused="is a device and not a"),
    Case(name="folder without data", give=lambda f: f, refused="must hold idx files, CIFAR's"),
    Case(name="pickle that runs a program", give=_evil_cifar, refused="the pickle calls"),
)  # fmt: skip
