"""A layer, prepared once and run on many batches, in either form."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from hwgen.golden import inverse_leak as leaky
from hwgen.golden import two_phase as neurons
from hwgen.golden.bounds import bound, exact_dtype
from hwgen.golden.codes import decode_train, encode_train
from hwgen.golden.single_phase import integrate_and_fire, membrane_dtype
from hwgen.golden.softmax import count_spikes
from hwgen.golden.synapses import Synapses, prepare
from hwgen.network import (
    Conv2d,
    IntegrateAndFireNeuron,
    Layer,
    Network,
    SoftmaxReadout,
    ThresholdNeuron,
    TrainType,
)

ALL = slice(None)
CACHE_BYTES = 1 << 21  # of windows and sums at once; measured, flat between 1 and 4 MiB


@dataclass(kw_only=True)
class Activity:
    """What a node sends for a batch, as values, as a train, or both; made when asked for."""

    train_type: TrainType
    values: np.ndarray | None = None
    train: np.ndarray | None = None
    make_train: Callable[[], np.ndarray] | None = None

    @property
    def images(self) -> int:
        """n."""
        return len(self.values) if self.values is not None else self.get_train().shape[1]

    def get_values(self) -> np.ndarray:
        """q, unsigned (n, height, width, channels)."""
        if self.values is None:
            assert self.train is not None
            self.values = decode_train(self.train, self.train_type.code)
        return self.values

    def get_train(self) -> np.ndarray:
        """uint8 (T, n, height, width, channels)."""
        if self.train is None and self.make_train is not None:
            self.train = self.make_train()
        if self.train is None:
            assert self.values is not None
            self.train = encode_train(self.values, self.train_type.code, self.train_type.timesteps)
        return self.train


class PreparedLayer:
    """One layer's synapses and neuron, with the arithmetic that its bounds prove exact."""

    def __init__(
        self, network: Network, layer: Layer, train_types: dict[str, TrainType], *, steps: bool
    ):
        self.layer = layer
        self._train_types = train_types
        self._given = train_types[layer.sources[0]]
        self._neuron = layer.neuron
        fractional = self._given.fractional or train_types[layer.name].fractional
        self.stepped = steps or fractional or not layer.neuron.two_phase
        self._all_steps = steps
        bounds = bound(network, layer, self._given)
        shift = 0
        self._quantiser: neurons.Quantiser | None = None
        if not self.stepped and not layer.neuron.is_decoder:
            assert isinstance(layer.neuron, ThresholdNeuron)
            shift = layer.neuron.frac_bits
            self._quantiser = neurons.Quantiser(
                layer, layer.neuron, magnitude=bounds.membrane, span=bounds.span
            )
        self._limit = bounds.membrane
        dtype = exact_dtype(bounds.step if self.stepped else bounds.product)
        self._synapses: list[tuple[str, Synapses, np.ndarray | None]] = [
            (
                projection.source,
                prepare(projection, train_types[projection.source].shape, dtype, shift=shift),
                projection.pad_value if isinstance(projection, Conv2d) else None,
            )
            for projection in layer.projections
        ]
        most = max(synapses.bytes_per_image for _, synapses, _ in self._synapses)
        self._block = max(1, CACHE_BYTES // most)

    def run(self, activities: dict[str, Activity]) -> tuple[Activity | None, np.ndarray | None]:
        """The layer's activity, and its membranes where they are known (n, height, width, c).

        A read-out has membranes, which are the logits, and no activity; a spiking softmax has
        the counts of its spikes, which are the logits, as its activity's values.
        """
        if not self.stepped:
            return self._closed(activities)
        neuron, train_type = self._neuron, self._train_types[self.layer.name]
        if isinstance(neuron, SoftmaxReadout):
            counts, membrane = count_spikes(self._currents(activities), self.layer, neuron)
            self._check(membrane)
            return Activity(train_type=train_type, values=counts), membrane
        if not neuron.two_phase:
            assert isinstance(neuron, IntegrateAndFireNeuron)
            train, membrane = self._integrate(activities, neuron)
            self._check(membrane)
            return Activity(train_type=train_type, train=train), membrane
        currents, fractional = self._currents(activities), self._given.fractional
        if fractional:
            membrane = leaky.accumulate(currents, self._given.leak, neuron.frac_bits)
        else:
            membrane = neurons.accumulate(currents, self._given.code)
        membrane = neurons.close(membrane, self.layer, fractional=fractional)
        self._check(membrane)
        if neuron.is_decoder:
            return None, membrane
        assert isinstance(neuron, ThresholdNeuron)
        return Activity(train_type=train_type, train=neurons.fire(membrane, neuron)), membrane

    def _closed(self, activities: dict[str, Activity]) -> tuple[Activity | None, np.ndarray | None]:
        sources = [activities[name].get_values() for name, _, _ in self._synapses]
        train_type = self._train_types[self.layer.name]
        channels, height, width = train_type.shape
        images = len(sources[0])
        dtype = np.dtype(np.int64) if self._quantiser is None else self._quantiser.out_dtype
        out = np.empty((images, height, width, channels), dtype)
        pads = [pad for _, _, pad in self._synapses]
        for block in self._image_blocks(images):
            sums = self._sum([source[block] for source in sources], pads)
            if self._quantiser is None:
                out[block] = sums
            else:
                self._quantiser(sums, out[block])
        if self._quantiser is None:
            return None, out + self.layer.bias
        return Activity(train_type=train_type, values=out), None

    def _integrate(
        self, activities: dict[str, Activity], neuron: IntegrateAndFireNeuron
    ) -> tuple[np.ndarray, np.ndarray]:
        """A few images at once, all timesteps: their membranes then stay in the cache."""
        channels, height, width = self._train_types[self.layer.name].shape
        images = activities[self._synapses[0][0]].images
        shape = (images, height, width, channels)
        train = np.empty((neuron.timesteps, *shape), np.uint8)
        membrane = np.empty(shape, np.int64)
        for block in self._image_blocks(images):
            train[:, block], membrane[block] = integrate_and_fire(
                self._currents(activities, block), self.layer, neuron, membrane_dtype(self._limit)
            )
        return train, membrane

    def _currents(
        self, activities: dict[str, Activity], images: slice = ALL
    ) -> Iterator[np.ndarray]:
        """I[t] of each timestep for some images, (n, height, width, channels)."""
        if steps := self._given.constant_steps:
            current = self._constant(activities, images)
            for _ in range(steps):
                yield current
            return
        yield from self._plane_currents(activities, images)

    def _constant(self, activities: dict[str, Activity], images: slice) -> np.ndarray:
        """W·x of a direct input: of its bits where all goes step by step, else of its values."""
        if self._all_steps:
            return neurons.accumulate(self._plane_currents(activities, images), self._given.code)
        sources = [activities[name].get_values()[images] for name, _, _ in self._synapses]
        return self._blocks(sources, [pad for _, _, pad in self._synapses])

    def _plane_currents(
        self, activities: dict[str, Activity], images: slice
    ) -> Iterator[np.ndarray]:
        """W·s[t] of each step of the trains."""
        trains = [activities[name].get_train()[:, images] for name, _, _ in self._synapses]
        steps = self._given.timesteps
        pad_trains = [
            None if pad is None else encode_train(pad, self._given.code, steps)
            for _, _, pad in self._synapses
        ]
        for step in range(steps):
            planes = [train[step] for train in trains]
            pads = [None if pad is None else pad[step] for pad in pad_trains]
            yield self._blocks(planes, pads)

    def _blocks(self, sources: list[np.ndarray], pads: list[np.ndarray | None]) -> np.ndarray:
        sums = [
            self._sum([source[block] for source in sources], pads)
            for block in self._image_blocks(len(sources[0]))
        ]
        return sums[0] if len(sums) == 1 else np.concatenate(sums)

    def _image_blocks(self, images: int) -> list[slice]:
        """So few images each that their windows and sums stay in the cache."""
        return [slice(start, start + self._block) for start in range(0, images, self._block)]

    def _sum(self, sources: list[np.ndarray], pads: list[np.ndarray | None]) -> np.ndarray:
        total: np.ndarray | None = None
        for (_, synapses, _), source, pad in zip(self._synapses, sources, pads):
            current = synapses.current(source, pad)
            total = current if total is None else np.add(total, current, out=total)
        assert total is not None
        return total

    def _check(self, membrane: np.ndarray) -> None:
        worst = max(int(membrane.max()), -int(membrane.min()))
        if worst > self._limit:  # the proof of the bound is wrong: a bug, never silent
            raise OverflowError(f"{self.layer.name}: membrane {worst} exceeds {self._limit}")
