"""The closed form of two-phase neurons: one quotient per neuron."""

from __future__ import annotations

from typing import Any

import numpy as np

from hwgen.network import Layer, ThresholdNeuron, value_dtype


class Quantiser:
    """The closed form q = clip(⌊(S + B) / θ⌋, 0, q_max) of a two-phase neuron, S = 2^f·(W·q_in).

    Floor division by multiplication. For x = S + B + 1/2, the quotient x/θ lies at least 1/(2θ)
    from every integer, and x is exact in the floating-point type. Two roundings (of 1/θ and of the
    product) move it by less than (q_max + 1)·2^(1−p) wherever it is below q_max + 1, p being the
    bits of the significand. So its floor is right where (q_max + 1)·θ < 2^(p−2); past either end
    of the range the clip takes it, since rounding is monotone. One bit more is left as margin.
    """

    def __init__(self, layer: Layer, neuron: ThresholdNeuron, *, magnitude: int, span: int) -> None:
        self.q_max = neuron.q_max
        self.out_dtype = value_dtype(self.q_max)
        self._bias, self._threshold = layer.bias.astype(np.int64), neuron.threshold.astype(np.int64)
        self.dtype: np.dtype[Any] = np.dtype(np.int64)
        for dtype, bits in ((np.float64, 51), (np.float32, 22)):
            if magnitude < 1 << bits and span <= 1 << bits - 1:
                self.dtype = np.dtype(dtype)

    def __call__(self, sums: np.ndarray, out: np.ndarray) -> None:
        """Quantise ``sums`` (n, height, width, channels), which is overwritten, into ``out``."""
        sums = sums.astype(self.dtype, copy=False)
        if self.dtype.kind == "i":
            sums += self._bias
            np.floor_divide(sums, self._threshold, out=sums)
            np.clip(sums, 0, self.q_max, out=sums)
            out[...] = sums
            return
        images, height, width, channels = sums.shape
        # A row of the map at once: the inner loop is then long enough to run at full speed.
        rows = sums.reshape(images * height, width * channels)
        rows += np.tile((self._bias + 0.5).astype(self.dtype), width)
        rows *= np.tile((1 / self._threshold).astype(self.dtype), width)
        np.clip(rows, 0, self.q_max, out=rows)
        np.copyto(out.reshape(rows.shape), rows, casting="unsafe")  # truncates: floor, as q ≥ 0
