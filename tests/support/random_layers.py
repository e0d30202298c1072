"""Random layers, for :mod:`tests.support.random_networks`.

Thresholds and biases are fitted on a few images, layer after layer, so that layers fire without
being saturated.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from hwgen.network import (
    DOUBLE,
    Code,
    Conv2d,
    Flatten,
    HardResetNeuron,
    Identity,
    Input,
    InverseLeak,
    InverseLeakyNeuron,
    Layer,
    Linear,
    MaxPool2d,
    Neuron,
    Node,
    Projection,
    Readout,
    SoftmaxReadout,
    SoftResetNeuron,
    TimeToFirstSpikeNeuron,
    exponentials,
)
from tests.support.plain_arithmetic import (
    by_channel,
    current,
    input_values,
    pad_map,
    windows_of,
)
from tests.support.random_values import random_leak, random_pixels, random_weights

NAMES = ("conv.{}", "block/{}/relu", "layer{}", "module_{}.0", "{}", "x{} y")
SINGLE = ("rate_single", "rate_hard")
"""Single-phase neurons, which integrate and fire in the same step."""
KEYWORDS = ("module", "wire", "always", "input_", "signed")


class Builder:
    """Appends nodes to a network and tracks the values that they send for a few images."""

    def __init__(
        self,
        rng: np.random.Generator,
        neuron: str | None,
        max_timesteps: int,
        max_size: int,
        max_channels: int,
        input_code: str | None = None,
    ) -> None:
        self.rng, self.neuron = rng, neuron
        self.lengths = rng.spawn(1)[0]  # of trains that join; draws nothing from rng
        self.decoder = "membrane"
        self.max_timesteps, self.max_channels = max_timesteps, max_channels
        single = neuron in SINGLE or (neuron is None and rng.random() < 0.25)
        self.single = single
        share = {
            "radix": 0.0,
            "fractional": 0.15,
            "rate_two": 0.7,
            "ttfs": 0.8,
            None: 0.3,
        }
        code = "radix"
        if single or rng.random() < share.get(neuron, 1):
            code = "ttfs" if neuron == "ttfs" else "rate"
        shape = (
            int(rng.choice([1, 1, 2, 3, 4])),
            int(rng.integers(1, max_size + 1)),
            int(rng.integers(1, max_size + 1)),
        )
        self.input = Input(
            shape=shape,
            timesteps=self.timesteps(),
            code=code,
            pixel_bits=int(rng.choice([1, 4, 8, 8, 8, 10])),
        )
        if single and rng.random() < 0.4:
            gain, seed = int(rng.integers(4, 17)), int(rng.integers(1, 1 << 32))
            self.input = replace(self.input, code="poisson", gain=gain, seed=seed)
        self.constant_steps = 0
        if input_code == "events":
            code = "rate"
            self.input = replace(self.input, code="events", pixel_bits=1)
        elif input_code == "direct":
            self.input = replace(self.input, code="direct")
            code, self.constant_steps = "radix", self.input.timesteps
        self.images = random_pixels(rng, self.input, 6)
        self.nodes: list[Node] = []
        self.name, self.code, self.steps = self.input.name, code, self.input.train_type.timesteps
        self.leak = DOUBLE  # leak of the last node's trains
        self.q = input_values(self.images, self.input)

    # --- random sizes ---

    def timesteps(self) -> int:
        return int(self.rng.integers(1, self.max_timesteps + 1))

    def channels(self) -> int:
        return int(self.rng.choice([1, 2, 3, 5, 7, 8, self.max_channels]))

    def new_name(self) -> str:
        taken = {self.input.name, *(node.name for node in self.nodes)}
        if self.rng.random() < 0.2:
            for word in self.rng.permutation(KEYWORDS):
                if word not in taken:
                    return str(word)
        return str(self.rng.choice(NAMES)).format(len(self.nodes))

    def weights(self, *shape: int) -> np.ndarray:
        return random_weights(self.rng, shape)

    def window(
        self, maximum: int, strides: tuple[int, ...], *, padded: bool = True
    ) -> tuple[tuple[int, int], tuple[int, int, int, int], tuple[int, int]]:
        """(kernel, padding, stride) of a window that fits the map."""
        sides = []
        for size in self.q.shape[2:]:
            kernel = int(self.rng.integers(1, maximum + 1))
            before, after = self.rng.integers(0, kernel, size=2) if padded else (0, 0)
            while size + before + after < kernel:
                kernel -= 1
                before, after = min(before, kernel - 1), min(after, kernel - 1)
            sides.append((kernel, int(before), int(after), int(self.rng.choice(strides))))
        (ky, top, bottom, sy), (kx, left, right, sx) = sides
        return (ky, kx), (top, left, bottom, right), (sy, sx)

    def conv(self, first: bool = False) -> Conv2d:
        rng = self.rng
        channels = self.q.shape[1]
        kernel, padding, stride = self.window(4, (1, 1, 1, 2, 3))
        groups = int(rng.choice([g for g in range(1, channels + 1) if channels % g == 0]))
        if rng.random() < 0.5:
            groups = 1
        out = self.channels()
        out = max(groups, out // groups * groups)
        pad = None
        if (first or not self.leak.doubles) and rng.random() < 0.5:
            pad = rng.integers(0, Code(self.code).q_max(self.steps), size=channels, endpoint=True)
            pad = pad.astype(np.int32)
        return Conv2d(
            source=self.name,
            weights=self.weights(out, channels // groups, *kernel),
            stride=stride,
            padding=padding,
            groups=groups,
            pad_value=pad,
        )

    def largest(self, code: str, steps: int, leak: InverseLeak) -> int:
        """Approximate value of a train of ones."""
        if leak.doubles:
            return Code(code).q_max(steps)
        return int(sum(leak.k**step for step in range(steps)))

    # --- nodes ---

    def add_conv(self, *, first: bool) -> None:
        self.add_layer((self.conv(first),))

    def add_pool(self) -> None:
        kernel, padding, stride = self.window(3, (1, 2, 3), padded=self.rng.random() < 0.4)
        pool = MaxPool2d(
            name=self.new_name(), source=self.name, kernel=kernel, stride=stride, padding=padding
        )
        windows = windows_of(pad_map(self.q, pool.padding, 0), pool.kernel, pool.stride)
        self.nodes.append(pool)
        self.name, self.q = pool.name, windows.max(axis=(-2, -1))

    def add_head(self) -> None:
        rng = self.rng
        self.require_rate()
        if not self.constant_steps and self.q.shape[2:] != (1, 1) and rng.random() < 0.15:
            size = self.q.shape[2:]
            weights = self.weights(self.channels(), self.q.shape[1], *size)
            self.add_last(Conv2d(source=self.name, weights=weights))
            return
        if self.q.shape[2:] != (1, 1) or rng.random() < 0.3:
            flatten = Flatten(name=self.new_name(), source=self.name)
            self.nodes.append(flatten)
            self.name, self.q = flatten.name, self.q.reshape(len(self.q), -1, 1, 1)
        if rng.random() < 0.6 or self.constant_steps:
            self.add_layer((self.linear(),))
        self.require_rate()
        self.add_last(self.linear())

    def require_rate(self) -> None:
        """Add rate trains before a spiking softmax."""
        if self.decoder == "softmax" and self.code != "rate":
            channels = self.q.shape[1]
            weights = self.weights(channels, channels, 1, 1)
            self.add_layer((Conv2d(source=self.name, weights=weights),), kind="rate_two")

    def add_last(self, projection: Projection) -> None:
        """Add the readout; for spike counts and first spikes, also the layer that fires them."""
        if self.decoder in ("spike_count", "first_spike"):
            single = self.single and self.code == "rate"
            rate = "rate_single" if single else "rate_two"
            self.add_layer((projection,), kind="ttfs" if self.decoder == "first_spike" else rate)
            ones = np.ones(self.q.shape[1], dtype=np.int32)
            projection = Identity(source=self.name, weights=ones)
        self.add_layer((projection,), last=True)

    def softmax(self, currents: np.ndarray) -> SoftmaxReadout:
        """Spiking softmax whose classes lie a few table steps apart, sometimes beyond the table."""
        rng = self.rng
        spread = int(np.ptp(currents, axis=1).max()) // self.steps
        table = exponentials(float(rng.choice([0.02, 0.1, 0.5, 3])))
        if rng.random() < 0.3:
            table = np.sort(rng.integers(0, 1 << int(rng.choice([2, 9, 16])), 7))[::-1].copy()
            table[0] += table[0] == 0
        shift = max(0, (spread // len(table)).bit_length() - int(rng.integers(0, 3)))
        return SoftmaxReadout(
            timesteps=self.steps,
            shift=shift,
            table=table,
            random_bits=int(rng.choice([1, 6, 12, 16])),
            seed=int(rng.integers(1, 1 << 32)),
        )

    def linear(self) -> Linear:
        return Linear(source=self.name, weights=self.weights(self.channels(), self.q.shape[1]))

    def add_layer(
        self,
        projections: tuple[Projection, ...],
        *,
        last: bool = False,
        kind: str | None = None,
        steps: int | None = None,
        q: dict[str, np.ndarray] | None = None,
    ) -> None:
        """Add a layer.

        ``kind`` keeps the timesteps of the source unless ``steps`` are given; ``q`` holds the
        values of other sources.
        """
        rng, name = self.rng, self.new_name()
        values = q or {self.name: self.q}
        currents = sum(current(projection, values[projection.source]) for projection in projections)
        assert isinstance(currents, np.ndarray)
        if self.constant_steps:  # the same in every step
            currents = currents * self.constant_steps
            self.steps, self.constant_steps = self.constant_steps, 0
        channels = currents.shape[1]
        if last:
            bias = rng.integers(-50, 51, size=channels)
            fractional = self.code == "radix" and not self.leak.doubles
            neuron: Any = Readout(frac_bits=int(rng.integers(0, 5)) if fractional else 0)
            if self.decoder == "softmax":
                neuron = self.softmax(currents)
            elif self.decoder != "membrane":
                bias *= 0
        else:
            neuron, bias = self.fit(currents, kind, steps)
        self.nodes.append(
            Layer(name=name, projections=projections, bias=bias.astype(np.int64), neuron=neuron)
        )
        if last:
            return
        shift = neuron.frac_bits
        single = not neuron.two_phase
        self.name, self.code, self.steps = name, neuron.code, neuron.timesteps
        self.leak = neuron.leak if neuron.code == "radix" else DOUBLE
        quotient = (currents << shift) + by_channel(bias) * (self.steps if single else 1)
        quotient = quotient // by_channel(neuron.threshold)
        self.q = np.clip(quotient, 0, self.largest(self.code, self.steps, self.leak))

    def fit(
        self, currents: np.ndarray, target: str | None, length: int | None = None
    ) -> tuple[Neuron, np.ndarray]:
        """Neuron and bias fitted to the currents W·q_in (n, c, h, w) of a few images."""
        rng, channels = self.rng, currents.shape[1]
        kind = target or self.neuron
        if kind is None:
            kind = str(rng.choice(["radix", "rate_two", "ttfs", "fractional"]))
            if self.single and self.code == "rate" and rng.random() < 0.8:
                kind = str(rng.choice(SINGLE))
        steps = self.steps if target or kind in SINGLE else self.timesteps()
        steps = length or steps
        shift = 0 if kind in SINGLE or rng.random() < 0.6 else int(rng.integers(1, 5))
        drive = np.moveaxis(currents, 1, 0).reshape(channels, -1) << shift
        low, high = np.quantile(drive, [rng.uniform(0, 0.6), 0.95], axis=1)
        leak = DOUBLE
        if kind == "fractional":
            # Trains of joined paths must have the same leak.
            leak = self.leak if target else random_leak(rng)
        code = {"fractional": "radix", "ttfs": "ttfs"}.get(kind, kind.split("_")[0])
        levels = self.largest(code, steps, leak)
        threshold = np.maximum(1, np.rint((high - low) / levels * rng.uniform(0.5, 1.5)))
        threshold = np.where(rng.random(channels) < 0.1, 1, threshold).astype(np.int64)
        offset = -low + threshold * rng.choice([0, 0.5, 1])
        bias = np.rint(offset / (steps if kind in SINGLE else 1)).astype(np.int64)
        if code == "radix":
            return InverseLeakyNeuron(
                threshold=threshold, timesteps=steps, threshold_frac_bits=shift, leak=leak
            ), bias
        if kind == "ttfs":
            return TimeToFirstSpikeNeuron(
                threshold=threshold, timesteps=steps, threshold_frac_bits=shift
            ), bias
        initial = floor = None
        if kind in SINGLE and rng.random() < 0.6:
            initial = threshold // 2 if rng.random() < 0.6 else rng.integers(0, threshold)
        if kind in SINGLE and rng.random() < 0.4:
            floor = -rng.integers(0, threshold) if rng.random() < 0.6 else 0 * threshold
        if kind == "rate_hard":
            reset = None
            if rng.random() < 0.4:
                reset = rng.integers(-threshold if floor is None else floor, threshold)
            return HardResetNeuron(
                threshold=threshold, timesteps=steps, reset=reset, initial=initial, floor=floor
            ), bias
        return SoftResetNeuron(
            threshold=threshold,
            timesteps=steps,
            two_phase=kind == "rate_two",
            initial=initial,
            floor=floor,
            threshold_frac_bits=shift,
        ), bias
