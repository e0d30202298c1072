"""Weights fitted and rounded on calibration data, layer by layer, without training.

A layer's sums should be u = Σ w·x + b, but its inputs are codes q of the layers before it. Over a
sample of windows, for each output channel (the bias corrects means)::

    fit      w* = argmin Σ (u − Σ w*·q)² + ρ·Σ (w* − w)²
    round    one weight after another, those of strong inputs first, to the nearest step; its error
             is spread over the weights still to come so that the sums of the sample change as
             little as possible (optimal brain surgeon; Frantar et al., "GPTQ", 2023, Eq. 2 – 3)

Copies (identities, and convolutions with at most one weight per channel) stay as they are. Equal
taps of a window, such as an average's (:func:`hwgen.network.equal_taps`), are one weight.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch

from hwgen.conversion.calibration import float_run as calibrate
from hwgen.conversion.float_graph import FloatConv2d, FloatProjection
from hwgen.conversion.threads import map_batches
from hwgen.network import Conv2d, Projection, equal_taps

RIDGE = 0.01  # ρ, as a share of the mean second moment of an input
_DAMPING = 1e-3  # of the same, so that silent inputs have an inverse
_WINDOWS = 1 << 15
_WINDOWS_A_WEIGHT = 8
_PART = 1 << 12  # windows of a product on one thread


class Fit:
    """Fit of one layer: better weights, and their rounding.

    Pad values of the ``projections`` are codes; their weights are not read. ``weights`` are float64
    arrays, one per projection, in real units per unit of the input code. ``codes`` of every source,
    and the ``sums`` in the float model, are (samples, channels, height, width). Real values of the
    codes do, too, where everything is in real units.
    """

    def __init__(
        self,
        projections: Sequence[Projection | FloatProjection],
        weights: Sequence[np.ndarray],
        codes: Mapping[str, torch.Tensor],
        sums: torch.Tensor,
        *,
        seed: int = 0,
    ) -> None:
        self._fitted = [i for i, w in enumerate(weights) if not is_copy(w)]
        groups = {getattr(projections[i], "groups", 1) for i in self._fitted}
        self._groups = groups.pop() if len(groups) == 1 else 0
        if not self._fitted or groups or (self._groups > 1 and len(self._fitted) > 1):
            self._fitted, self.weights = [], list(weights)
            return
        self._tiles = {i: equal_taps(weights[i]) for i in self._fitted}
        fan = sum(self._rows(i, weights[i]).shape[1] for i in self._fitted)
        picks = _pick(sums, max(_WINDOWS, _WINDOWS_A_WEIGHT * fan), seed)
        wanted = sums[picks[0], :, picks[1], picks[2]].double()
        for i, projection in enumerate(projections):
            if i not in self._fitted:
                given = codes[projection.source]
                copied = calibrate.weighted_sums(replace(projection, weights=weights[i]), given)
                wanted -= copied[picks[0], :, picks[1], picks[2]]
        wanted -= wanted.mean(dim=0)
        parts = [self._inputs(i, projections[i], codes, picks) for i in self._fitted]
        inputs = torch.cat(parts, dim=2)
        inputs -= inputs.mean(dim=1, keepdim=True)
        self._hessians = [_product(x, x) / len(x) for x in inputs]
        self.weights = self._fit(weights, inputs, wanted)

    def _fit(
        self, weights: Sequence[np.ndarray], inputs: torch.Tensor, wanted: torch.Tensor
    ) -> list[np.ndarray]:
        rows = np.concatenate([self._rows(i, weights[i]) for i in self._fitted], axis=1)
        fitted = rows.copy()
        size = len(rows) // self._groups
        for g, hessian in enumerate(self._hessians):
            mine = slice(g * size, (g + 1) * size)
            own = torch.from_numpy(rows[mine]).float()
            rest = wanted[:, mine].float() - inputs[g] @ own.T
            pull = _product(inputs[g], rest) / len(rest)
            fitted[mine] += np.linalg.solve(_regular(hessian, RIDGE), pull).T
        return self._spread(weights, fitted)

    def round(
        self, weights: Sequence[np.ndarray], scale: np.ndarray, limit: int
    ) -> tuple[np.ndarray, ...]:
        """Integers up to ± ``limit``: fitted ones, and copies rounded to the nearest."""
        rounded = [np.round(w / scale.reshape(-1, *(1,) * (w.ndim - 1))) for w in weights]
        if self._fitted:
            rows = np.concatenate([self._rows(i, weights[i]) for i in self._fitted], axis=1)
            size = len(rows) // self._groups
            for g, hessian in enumerate(self._hessians):
                mine = slice(g * size, (g + 1) * size)
                rows[mine] = _surgeon(rows[mine] / scale[mine, np.newaxis], hessian, limit)
            rounded = self._spread(rounded, rows)
        return tuple(np.asarray(w).astype(np.int32) for w in rounded)

    def _rows(self, i: int, weights: np.ndarray) -> np.ndarray:
        """Weights as (channels, weights per channel), tied ones once."""
        if weights.ndim == 4:
            ty, tx = self._tiles[i]
            weights = weights[:, :, ::ty, ::tx]
        return weights.reshape(len(weights), -1)

    def _spread(self, weights: Sequence[np.ndarray], rows: np.ndarray) -> list[np.ndarray]:
        """``weights`` with the fitted ones replaced by ``rows``."""
        result, start = list(weights), 0
        for i in self._fitted:
            shape, (ty, tx) = weights[i].shape, self._tiles[i]
            width = self._rows(i, weights[i]).shape[1]
            part = rows[:, start : start + width]
            start += width
            if len(shape) == 4:
                part = part.reshape(*shape[:2], shape[2] // ty, shape[3] // tx)
                part = part.repeat(ty, axis=2).repeat(tx, axis=3)
            result[i] = part.reshape(shape)
        return result

    def _inputs(
        self,
        i: int,
        projection: Projection | FloatProjection,
        codes: Mapping[str, torch.Tensor],
        picks: tuple[torch.Tensor, ...],
    ) -> torch.Tensor:
        """Inputs of each weight, float32 (groups, windows, weights per channel)."""
        image, y, x = picks
        given = codes[projection.source]
        if not isinstance(projection, Conv2d | FloatConv2d):
            return given[image].reshape(1, len(image), -1)
        padded = calibrate.pad(given, projection.padding, projection.pad_value)
        _, fan, ky, kx = projection.weights.shape
        (sy, sx), groups = projection.stride, projection.groups
        taps = [
            padded[image, :, y * sy + dy, x * sx + dx].reshape(len(image), groups, fan)
            for dy in range(ky)
            for dx in range(kx)
        ]
        ty, tx = self._tiles[i]
        tiles = torch.stack(taps, dim=3).reshape(-1, groups, fan, ky // ty, ty, kx // tx, tx)
        return tiles.sum(dim=(4, 6)).reshape(len(image), groups, -1).transpose(0, 1)


def _surgeon(rows: np.ndarray, hessian: np.ndarray, limit: int) -> np.ndarray:
    """Integers near ``rows`` (channels, weights) with small errors e·H·e, H being ``hessian``."""
    order = np.argsort(-np.diag(hessian), kind="stable")
    inverse = np.linalg.inv(_regular(hessian, _DAMPING)[np.ix_(order, order)])
    upper = np.linalg.cholesky(inverse).T
    left, integers = rows[:, order].copy(), np.empty_like(rows)
    for j, k in enumerate(order):
        integers[:, k] = np.clip(np.round(left[:, j]), -limit, limit)
        error = (left[:, j] - integers[:, k]) / upper[j, j]
        left[:, j + 1 :] -= error[:, np.newaxis] * upper[j, j + 1 :]
    return integers


def _product(one: torch.Tensor, other: torch.Tensor) -> np.ndarray:
    """``one.T @ other``, summed over parts of the windows in their order, float64."""
    starts = range(0, len(one), _PART)
    parts = map_batches(
        lambda start: (one[start : start + _PART].T @ other[start : start + _PART]).double(), starts
    )
    return torch.stack(parts).sum(dim=0).numpy()


def _regular(hessian: np.ndarray, part: float) -> np.ndarray:
    mean = float(np.trace(hessian)) / len(hessian)
    return hessian + np.eye(len(hessian)) * (part * mean if mean > 0 else 1.0)


def is_copy(weights: np.ndarray) -> bool:
    flat = weights.reshape(len(weights), -1)
    return weights.ndim == 1 or bool((np.count_nonzero(flat, axis=1) <= 1).all())


def _pick(sums: torch.Tensor, size: int, seed: int) -> tuple[torch.Tensor, ...]:
    """Indices (image, y, x) of at most ``size`` random windows."""
    images, _, height, width = sums.shape
    total = images * height * width
    rng = np.random.default_rng(seed)
    flat = rng.choice(total, size, replace=False) if total > size else np.arange(total)
    return tuple(torch.from_numpy(part) for part in np.unravel_index(flat, (images, height, width)))
