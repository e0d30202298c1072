"""The trains that a layer reads together; some may be shorter than others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from hwgen.network.nodes import Layer
from hwgen.network.projections import current_range
from hwgen.network.trains import Integers, TrainType


class HasSources(Protocol):
    """A node, before or after quantisation."""

    @property
    def sources(self) -> tuple[str, ...]: ...


@dataclass(frozen=True)
class JoinedTrains:
    """The trains of a layer's projections, which add up in one membrane.

    Silent steps in front of a train leave its value as it is, in every code: they are zeros before
    the most significant bit (radix), or no spikes (rate), and a spike (ttfs) keeps its distance
    from the end. So all trains end in the same timestep, and a shorter one starts later.

    Parameters
    ----------
    types : tuple of TrainType
        One for each projection; of one code, and one leak.
    """

    types: tuple[TrainType, ...]

    @classmethod
    def of(cls, node: HasSources, train_types: Mapping[str, TrainType]) -> JoinedTrains:
        """Those of a layer; ``train_types`` are those of its sources, by name."""
        return cls(tuple(train_types[name] for name in node.sources))

    @property
    def longest(self) -> TrainType:
        """Type of a longest train; its timesteps are those of Phase I."""
        return max(self.types, key=lambda given: given.timesteps)

    @property
    def silent_steps(self) -> tuple[int, ...]:
        """Timesteps of Phase I before the first one of each train."""
        longest = self.longest.timesteps
        return tuple(longest - given.timesteps for given in self.types)

    def accumulated(self, currents: Sequence[np.ndarray]) -> np.ndarray:
        """V after Phase I when each projection gives its current in every step of its train.

        Exact with object arrays. A leak never shrinks a membrane, so no partial sum exceeds it.
        """
        total: np.ndarray = 0 * currents[0]
        if not self.longest.fractional:
            for given, current in zip(self.types, currents, strict=True):
                total = total + current * given.q_max
            return total
        for step in range(self.longest.timesteps):
            total = self.longest.leak.grow(total)
            for silent, current in zip(self.silent_steps, currents, strict=True):
                total = total + current if step >= silent else total
        return total

    def accumulated_range(self, layer: Layer, shift: int = 0) -> tuple[Integers, Integers]:
        """Lowest and highest V of ``layer`` after Phase I, with currents times 2^``shift``.

        Returns
        -------
        two object arrays of Python ints, shape (channels,)
        """
        lows, highs = zip(*map(current_range, layer.projections), strict=True)
        return (
            self.accumulated([low << shift for low in lows]),
            self.accumulated([high << shift for high in highs]),
        )
