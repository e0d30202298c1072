"""A layer, prepared once and run on many batches, in either form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import repeat
from typing import NamedTuple

import numpy as np

from hwgen.golden.activity import Activity
from hwgen.golden.bounds import bound, exact_dtype
from hwgen.golden.closed_form import Quantiser
from hwgen.golden.single_phase import integrate, membrane_dtype
from hwgen.golden.synapses import Synapses, prepare
from hwgen.golden.two_phase import accumulate, close, fire
from hwgen.network import Conv2d, JoinedTrains, Layer, ThresholdNeuron, TrainType

ALL = slice(None)
CACHE_BYTES = 1 << 21  # of windows and sums at once; measured, flat between 1 and 4 MiB


class LayerRun(NamedTuple):
    """What a layer gives for one batch; a :class:`hwgen.network.Readout` has no activity.

    ``membrane``, int64 (n, height, width, channels), is as in :class:`hwgen.golden.Result`; None in
    the closed form, except of a readout.
    """

    activity: Activity | None
    membrane: np.ndarray | None


class PreparedLayer:
    """One layer's synapses and neuron, with the arithmetic that its bounds prove exact.

    ``train_types`` holds those of the layer and of its sources. With ``steps`` the layer runs step
    by step even where there is a closed form. ``where`` starts error messages.
    """

    def __init__(
        self, layer: Layer, train_types: Mapping[str, TrainType], *, where: str, steps: bool
    ) -> None:
        self.layer = layer
        self._joined = JoinedTrains.of(layer, train_types)
        self._given = self._joined.longest
        self._train_type = train_types[layer.name]
        self.stepped = steps or self._given.fractional or not layer.neuron.closed_form
        self._all_steps = steps
        bounds = bound(layer, self._joined, where=where)
        shift = 0
        self._quantiser: Quantiser | None = None
        if not self.stepped and isinstance(layer.neuron, ThresholdNeuron):
            shift = layer.neuron.frac_bits
            self._quantiser = Quantiser(
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
        self._pads = [pad for _, _, pad in self._synapses]
        largest = max(synapses.bytes_per_image for _, synapses, _ in self._synapses)
        self._block = max(1, CACHE_BYTES // largest)

    def run(self, activities: Mapping[str, Activity]) -> LayerRun:
        """Run the layer on the activities of its sources."""
        if not self.stepped:
            return self._closed(activities)
        neuron, given = self.layer.neuron, self._given
        train: np.ndarray | None = None
        if neuron.two_phase:
            membrane = accumulate(
                self.currents(activities), given.code, given.leak, neuron.frac_bits
            )
            membrane = close(membrane, self.layer, fractional=given.fractional)
            if not neuron.is_decoder:
                train = fire(membrane, neuron)
        else:
            train, membrane = self._integrate(activities)
        self._check(membrane)
        if train is None:
            return LayerRun(activity=None, membrane=membrane)
        return LayerRun(
            activity=Activity(train_type=self._train_type, train=train), membrane=membrane
        )

    def _closed(self, activities: Mapping[str, Activity]) -> LayerRun:
        sources = [activities[name].get_values() for name, _, _ in self._synapses]
        channels, height, width = self._train_type.shape
        images = len(sources[0])
        dtype = np.dtype(np.int64) if self._quantiser is None else self._quantiser.out_dtype
        out = np.empty((images, height, width, channels), dtype)
        for block in self._image_blocks(images):
            sums = self._sum([source[block] for source in sources], self._pads)
            if self._quantiser is None:
                out[block] = sums
            else:
                self._quantiser(sums, out[block])
        if self._quantiser is None:
            return LayerRun(activity=None, membrane=out + self.layer.bias)
        return LayerRun(activity=Activity(train_type=self._train_type, values=out), membrane=None)

    def _integrate(self, activities: Mapping[str, Activity]) -> tuple[np.ndarray, np.ndarray]:
        """A few samples at once, all timesteps, so that their membranes stay in the cache."""
        channels, height, width = self._train_type.shape
        images = activities[self._synapses[0][0]].images
        shape = (images, height, width, channels)
        train = np.empty((self.layer.neuron.timesteps, *shape), np.uint8)
        membrane = np.empty(shape, np.int64)
        for block in self._image_blocks(images):
            train[:, block], membrane[block] = integrate(
                self.currents(activities, block), self.layer, membrane_dtype(self._limit)
            )
        return train, membrane

    def currents(
        self, activities: Mapping[str, Activity], images: slice = ALL
    ) -> Iterator[np.ndarray]:
        """I[t] of each timestep for some samples, integers (n, height, width, channels)."""
        if steps := self._given.constant_steps:
            return repeat(self._constant(activities, images), steps)
        return self._plane_currents(activities, images)

    def _constant(self, activities: Mapping[str, Activity], images: slice) -> np.ndarray:
        """W·x of a direct input: of its bits where all goes step by step, else of its values."""
        if self._all_steps:
            return accumulate(self._plane_currents(activities, images), self._given.code)
        sources = [activities[name].get_values()[images] for name, _, _ in self._synapses]
        return self._blocks(sources, self._pads)

    def _plane_currents(
        self, activities: Mapping[str, Activity], images: slice
    ) -> Iterator[np.ndarray]:
        """W·s[t] of each step of the trains; a shorter one starts later."""
        trains = [activities[name].get_train()[:, images] for name, _, _ in self._synapses]
        pad_trains = [
            None if pad is None else given.code.encode_train(pad, given.timesteps)
            for pad, given in zip(self._pads, self._joined.types)
        ]
        silent_steps = self._joined.silent_steps
        for step in range(self._given.timesteps):
            planes = [
                None if step < silent else train[step - silent]
                for train, silent in zip(trains, silent_steps)
            ]
            pads = [
                None if pad is None or step < silent else pad[step - silent]
                for pad, silent in zip(pad_trains, silent_steps)
            ]
            yield self._blocks(planes, pads)

    def _blocks(
        self, sources: Sequence[np.ndarray | None], pads: Sequence[np.ndarray | None]
    ) -> np.ndarray:
        images = next(len(source) for source in sources if source is not None)
        sums = [
            self._sum([None if source is None else source[block] for source in sources], pads)
            for block in self._image_blocks(images)
        ]
        return sums[0] if len(sums) == 1 else np.concatenate(sums)

    def _image_blocks(self, images: int) -> list[slice]:
        """Blocks of so few samples that their windows and sums stay in the cache."""
        return [slice(start, start + self._block) for start in range(0, images, self._block)]

    def _sum(
        self, sources: Sequence[np.ndarray | None], pads: Sequence[np.ndarray | None]
    ) -> np.ndarray:
        """Σ of the currents of all projections, without those that are silent (None)."""
        total: np.ndarray | None = None
        for (_, synapses, _), source, pad in zip(self._synapses, sources, pads):
            if source is None:
                continue
            current = synapses.current(source, pad)
            total = current if total is None else np.add(total, current, out=total)
        assert total is not None
        return total

    def _check(self, membrane: np.ndarray) -> None:
        worst = max(int(membrane.max()), -int(membrane.min()))
        if worst > self._limit:  # the proof of the bound is wrong: a bug, never silent
            raise OverflowError(f"{self.layer.name}: membrane {worst} exceeds {self._limit}")
