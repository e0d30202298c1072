"""Logits of an artefact, written from docs/artefact.md alone: imports nothing of hwgen.

A train is an array s[t] of shape (T, images, channels, height, width).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import yaml


class Train(NamedTuple):
    """Spikes, their code, the sender's leak [n, m], and what else a reader must know."""

    spikes: np.ndarray
    code: str
    leak: Any = (1, 0)
    ones_first: bool = False
    direct: bool = False


def logits_of(folder: Path, images: np.ndarray) -> np.ndarray:
    """Logits (images, logits) of the artefact in ``folder``."""
    document = yaml.safe_load((folder / "network.yaml").read_text("ascii"))
    with np.load(folder / "weights.npz", allow_pickle=False) as archive:
        arrays = [archive[str(i)].astype(np.int64) for i in range(len(document["arrays"]))]
    trains = {document["input"]["name"]: encode(document["input"], images.astype(np.int64))}
    for node in document["nodes"]:
        if node["kind"] == "flatten":
            given = trains[node["source"]]
            flat = given.spikes.reshape(*given.spikes.shape[:2], -1, 1, 1)
            trains[node["name"]] = given._replace(spikes=flat)
        elif node["kind"] == "max_pool2d":
            trains[node["name"]] = pool(node, trains[node["source"]])
        else:
            result = layer(node, trains, arrays)
            if isinstance(result, Train):
                trains[node["name"]] = result
    assert isinstance(result, np.ndarray)  # of the last node, the readout
    return result[:, :, 0, 0]


def classes_of(logits: np.ndarray) -> np.ndarray:
    return (logits[:, 0] > 0).astype(int) if logits.shape[1] == 1 else logits.argmax(axis=1)


def encode(source: dict[str, Any], x: np.ndarray) -> Train:
    code, steps, bits = source["code"], source["timesteps"], source["pixel_bits"]
    full = 1 << bits
    if code == "events":
        return Train(x.swapaxes(0, 1), "rate")
    if code == "direct":
        return Train(train_of(x, "radix", bits), "radix", direct=True)
    if code == "radix":
        return Train(train_of(x << steps >> bits, "radix", steps), "radix")
    if code == "ttfs":
        return Train(train_of((steps * x + full // 2) >> bits, "ttfs", steps), "ttfs")
    if code == "poisson":
        channels, height, width = source["shape"]
        r = [
            draws(source["seed"], t << 20, height * width * channels, bits + 4)
            for t in range(steps)
        ]
        chance = np.reshape(r, (steps, 1, height, width, channels)).transpose(0, 1, 4, 2, 3)
        return Train((chance < source["gain"] * x).astype(int), "rate")
    sums = [(t * x + full // 2) >> bits for t in range(steps + 1)]  # spikes up to step t
    return Train(np.diff(sums, axis=0), "rate")


def train_of(q: np.ndarray, code: str, steps: int) -> np.ndarray:
    """The train of the value q: radix, ttfs, or rate with its spikes first."""
    t = np.arange(1, steps + 1).reshape(-1, *[1] * q.ndim)
    if code == "radix":
        return q >> (steps - t) & 1
    return (q == steps + 1 - t if code == "ttfs" else q >= t).astype(np.int64)


def draws(seed: int, start: int, count: int, bits: int) -> np.ndarray:
    """r of n = start … start + count − 1."""
    rows = [1 << i + 1 if i < 31 else 1 << 22 | 0b111 for i in range(32)]

    def times(first: list[int], second: list[int]) -> list[int]:
        """Rows of a matrix product over GF(2); bit j of a row is its column j."""
        return [parity_sum(row, second) for row in first]

    def parity_sum(row: int, matrix: list[int]) -> int:
        total = 0
        for j in range(32):
            total ^= matrix[j] if row >> j & 1 else 0
        return total

    jump, ahead = [1 << i for i in range(32)], start * bits
    while ahead:
        jump = times(jump, rows) if ahead & 1 else jump
        rows, ahead = times(rows, rows), ahead >> 1
    b = [(row & seed).bit_count() & 1 for row in jump]
    for k in range(count * bits):
        b.append(b[k + 22] ^ b[k + 2] ^ b[k + 1] ^ b[k])
    return np.reshape(b[: count * bits], (count, bits)) @ (1 << np.arange(bits))


def windows(x: np.ndarray, node: dict[str, Any], kernel: Any, pad: np.ndarray) -> np.ndarray:
    """(images, channels, rows, columns, ky, kx)."""
    top, left, bottom, right = node["padding"]
    size = (*x.shape[:2], x.shape[2] + top + bottom, x.shape[3] + left + right)
    padded = np.broadcast_to(pad[:, None, None], size).copy()
    padded[:, :, top : top + x.shape[2], left : left + x.shape[3]] = x
    every = np.lib.stride_tricks.sliding_window_view(padded, tuple(kernel), axis=(2, 3))
    return every[:, :, :: node["stride"][0], :: node["stride"][1]]


def pool(node: dict[str, Any], given: Train) -> Train:
    nothing = np.zeros(given.spikes.shape[2], np.int64)
    taps = np.stack([windows(s, node, node["kernel"], nothing) for s in given.spikes])
    taps = taps.reshape(*taps.shape[:5], -1)
    sent = []
    if given.code == "rate" and not given.ones_first:
        for t, counts in enumerate(taps.cumsum(axis=0)):
            best = counts.argmax(axis=-1)[..., None]
            sent.append(np.take_along_axis(taps[t], best, axis=-1)[..., 0])
    else:
        racing = np.ones(taps.shape[1:], bool)
        for s in taps:
            sent.append((racing & (s == 1)).any(axis=-1).astype(np.int64))
            racing &= (s == 1) | (sent[-1][..., None] == 0)
    return given._replace(spikes=np.stack(sent))


def weighted(node: dict[str, Any], s: np.ndarray, w: np.ndarray, pad: np.ndarray) -> np.ndarray:
    """The current of a projection for one step's spikes, or for values."""
    if node["kind"] == "identity":
        return s * w[:, None, None]
    if node["kind"] == "linear":
        return (s[:, :, 0, 0] @ w.T)[:, :, None, None]
    parts = np.split(windows(s, node, w.shape[2:], pad), node["groups"], axis=1)
    pieces = zip(parts, np.split(w, node["groups"]), strict=True)
    return np.concatenate([np.einsum("nihwyx,oiyx->nohw", p, v) for p, v in pieces], axis=1)


def layer(node: dict[str, Any], trains: dict[str, Train], arrays: list[np.ndarray]) -> Any:
    neuron, column = node["neuron"], (slice(None), None, None)
    bias = arrays[node["bias"]][column]
    given = [trains[p["source"]] for p in node["projections"]]
    first, longest = given[0], max(len(g.spikes) for g in given)
    currents: Any = [0] * longest
    for p, g in zip(node["projections"], given, strict=True):
        pad = arrays[p["pad_value"]] if p.get("pad_value") is not None else np.zeros(1, np.int64)
        pad_train, silent = train_of(pad, g.code, len(g.spikes)), longest - len(g.spikes)
        for t, s in enumerate(g.spikes):
            now = weighted(p, s, arrays[p["weights"]], pad_train[t])
            currents[silent + t] = currents[silent + t] + now
    if neuron["kind"] in ("softmax_read_out", "hard_reset") or neuron.get("two_phase") is False:
        if first.direct:
            value = sum(c << longest - 1 - t for t, c in enumerate(currents))
            currents = [value] * neuron["timesteps"]
        single = softmax if neuron["kind"] == "softmax_read_out" else integrate
        return single(neuron, currents, bias, arrays)
    f, slope = neuron.get("threshold_frac_bits", neuron.get("frac_bits", 0)), 0
    v = np.zeros_like(currents[0])
    for current in currents:
        slope = slope + current if first.code == "ttfs" else current
        grown = v + (v * first.leak[0] >> first.leak[1]) if first.code == "radix" else v
        v = grown + (slope << f)
    v = v + bias
    return (
        v if neuron["kind"] == "read_out" else fire(neuron, v, arrays[neuron["threshold"]][column])
    )


def fire(neuron: dict[str, Any], v: np.ndarray, threshold: np.ndarray) -> Train:
    steps, (n, m) = neuron["timesteps"], neuron.get("leak", (1, 0))
    kind = neuron["kind"]
    if kind == "inverse_leaky" and m:
        level = threshold
        for _ in range(steps - 1):
            level = level + (level * n >> m)
        v, sent = np.clip(v, 0, level - (-level << m) // n), []
        for _ in range(steps):
            sent.append((v >= level).astype(np.int64))
            v = v - sent[-1] * level
            v = v + (v * n >> m)
        return Train(np.stack(sent), "radix", (n, m))
    code = {"inverse_leaky": "radix", "time_to_first_spike": "ttfs"}.get(kind, "rate")
    q = np.clip(v // threshold, 0, (1 << steps) - 1 if code == "radix" else steps)
    return Train(train_of(q, code, steps), code, ones_first=code == "rate")


def integrate(neuron: dict[str, Any], currents: Any, bias: Any, arrays: Any) -> Train:
    def constant(key: str, default: Any) -> Any:
        index = neuron.get(key)
        return default if index is None else arrays[index][:, None, None]

    threshold, floor = constant("threshold", None), constant("floor", -(1 << 62))
    v, sent = constant("initial", 0), []
    for current in currents:
        v = np.maximum(v + current + bias, floor)
        spikes = v >= threshold
        hard = neuron["kind"] == "hard_reset"
        v = np.where(spikes, constant("reset", 0) if hard else v - threshold, v)
        sent.append(spikes.astype(np.int64))
    return Train(np.stack(sent), "rate")


def softmax(neuron: dict[str, Any], currents: Any, bias: Any, arrays: Any) -> np.ndarray:
    table, bits, classes = arrays[neuron["table"]], neuron["random_bits"], bias.size
    r = draws(neuron["seed"], 0, len(currents) * classes, bits).reshape(
        len(currents), classes, 1, 1
    )
    v, counts = 0, 0
    for t, current in enumerate(currents):
        v = v + current + bias
        below = (v.max(axis=1, keepdims=True) - v) >> neuron["shift"]
        e = table[np.minimum(below, len(table) - 1)]
        counts = counts + (r[t] * e.sum(axis=1, keepdims=True) < e << bits)
    return counts
