"""Random residual blocks, depthwise convolutions and averages.

For :mod:`tests.support.random_networks`.
"""

from __future__ import annotations

import numpy as np

from hwgen.network import Conv2d, Identity, Projection
from tests.support.random_layers import Builder

AROUND = ((1, 1), (1, 1), (0, 2), (2, 0))
"""Padding with which a kernel of three keeps the size of a map."""


class BlockBuilder(Builder):
    """Adds residual blocks too, and heads that take the average of the map."""

    def add_block(self) -> None:
        """Add a layer of two or three projections, with up to two layers on the main path."""
        rng, start, channels = self.rng, self.name, self.q.shape[1]
        values = {start: self.q}
        stride = int(rng.choice([1, 1, 2]))
        same = stride == 1 and rng.random() < 0.6
        out = channels if same else self.channels()
        # Trains of joined paths must have one code; those of single phases, one length too.
        rate = "rate_two"
        if self.single:
            rate = "rate_hard" if self.neuron == "rate_hard" else "rate_single"
        kind = rate if self.code == "rate" else self.code if self.leak.doubles else "fractional"
        for _ in range(int(rng.choice([0, 1, 1, 2]))):
            steps = self.steps
            if not self.single and self.lengths.random() < 0.4:
                steps = int(self.lengths.integers(1, self.max_timesteps, endpoint=True))
            self.add_layer((self.inner(out),), kind=kind, steps=steps)
            values[self.name] = self.q
        projections = [self.main(out, stride), self.shortcut(start, channels, out, stride)]
        if rng.random() < 0.3:
            extra = str(rng.choice(list(values)))
            projections.append(self.shortcut(extra, values[extra].shape[1], out, stride))
        order = rng.permutation(len(projections))
        self.add_layer(tuple(projections[n] for n in order), q=values)

    def inner(self, out: int) -> Conv2d:
        """A convolution that keeps the map's size: 1×1, 3×3, or depthwise."""
        rng, channels = self.rng, self.q.shape[1]
        if rng.random() < 0.3:
            return Conv2d(source=self.name, weights=self.weights(out, channels, 1, 1))
        return self.main(out, 1)

    def main(self, out: int, stride: int) -> Conv2d:
        """3×3 or depthwise convolution, padded to one output pixel per ``stride`` pixels."""
        rng, channels = self.rng, self.q.shape[1]
        sides = []
        for size in self.q.shape[2:]:
            before, after = (int(n) for n in AROUND[int(rng.integers(len(AROUND)))])
            if stride == 2:
                # Pad an even side at its end only, as some frameworks do.
                before, after = (0, 1) if size % 2 == 0 and rng.random() < 0.5 else (1, 1)
            sides.append((before, after))
        (top, bottom), (left, right) = sides
        groups = channels if channels == out > 1 and rng.random() < 0.4 else 1
        return Conv2d(
            source=self.name,
            weights=self.weights(out, channels // groups, 3, 3),
            stride=(stride, stride),
            padding=(top, left, bottom, right),
            groups=groups,
        )

    def shortcut(self, source: str, channels: int, out: int, stride: int) -> Projection:
        """An identity, a strided 1×1 convolution, or one that shifts channels and adds silent
        ones (option A of the ResNet paper)."""
        rng = self.rng
        if stride == 1 and channels == out and rng.random() < 0.7:
            return Identity(source=source, weights=self.weights(channels))
        weights = self.weights(out, channels, 1, 1)
        if rng.random() < 0.5:
            shift = (out - channels) // 2
            own = np.arange(out)[:, None] - shift == np.arange(channels)
            weights = np.where(own, rng.integers(1, 40), 0).astype(np.int32)[..., None, None]
        return Conv2d(source=source, weights=weights, stride=(stride, stride))

    def add_average(self) -> None:
        """A global average and a linear readout in one: a kernel of equal taps."""
        self.require_rate()
        taps = self.weights(self.channels(), self.q.shape[1], 1, 1)
        whole = (*taps.shape[:2], *self.q.shape[2:])
        conv = Conv2d(source=self.name, weights=np.broadcast_to(taps, whole).copy())
        self.add_last(conv)
