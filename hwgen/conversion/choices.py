"""Words that options of the conversion may have. Needs neither torch nor NumPy."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Self

from hwgen.errors import ConversionError
from hwgen.suggest import require_known


class Choice(StrEnum):
    """A word of a closed list; prints as the word itself.

    Members may be tuples: the word, and the values of the annotated attributes in order.
    """

    def __new__(cls, word: str, *facts: Any) -> Self:
        member = str.__new__(cls, word)
        member._value_ = word
        for name, fact in zip(cls.__annotations__ if facts else (), facts, strict=True):
            setattr(member, name, fact)
        return member

    @classmethod
    def parse(cls, option: str, value: object) -> Self:
        """The member that ``value`` spells, or :class:`.ConversionError` with a suggestion."""
        require_known(option, value, cls, error=ConversionError)
        return cls(str(value))

    def __repr__(self) -> str:
        return repr(self.value)


class NeuronKind(Choice):
    """Neuron of every layer that fires."""

    code: str  # of the trains that it emits
    single_phase: bool  # whether it fires in the timestep in which it integrates
    signed: bool  # whether its trains may have a zero point, and so carry negative values

    ILIF = "ilif", "radix", False, True
    IF2 = "if2", "rate", False, False
    IF = "if", "rate", True, False
    IF_HARD = "if_hard", "rate", True, False
    TTFS = "ttfs", "ttfs", False, False


SINGLE_PHASE = " and ".join(kind for kind in NeuronKind if kind.single_phase)
"""Single-phase neurons, as messages list them."""


class DecoderKind(Choice):
    """Decoder of the last layer."""

    logits: str  # where the logits come from
    fires: bool  # whether the last layer fires; otherwise its membranes are read
    reads: str  # trains that it can read, as messages say it

    MEMBRANE = "membrane", "membranes of the last layer, which does not fire", False, "any train"
    SPIKE_COUNT = (
        "spike_count",
        "numbers of spikes of the last layer",
        True,
        "only the value of a rate train is its number of spikes",
    )
    FIRST_SPIKE = (
        "first_spike",
        "times of the first spikes of the last layer; the earliest wins",
        True,
        "only the value of a ttfs train is the time of its spike",
    )
    SOFTMAX = (
        "softmax",
        "numbers of spikes drawn from the softmax of the membranes in every timestep",
        False,
        "a spiking softmax draws spikes in every timestep of a rate train",
    )


class ThresholdRule(Choice):
    """Threshold of a layer, from its activations on calibration images.

    error
        The one with the smallest expected conversion error.
    maximum
        The largest activation.
    one
        1, for weights that are normalised already.
    current
        The largest current in a timestep while the layers before it spike (single-phase neurons).
    """

    ERROR = "error"
    MAXIMUM = "maximum"
    ONE = "one"
    CURRENT = "current"


class ErrorNorm(Choice):
    """Conversion error that thresholds minimise: SpikeConverter's Eq. 13, or its square."""

    ABSOLUTE = "absolute"
    SQUARED = "squared"

    @property
    def power(self) -> int:
        """Exponent of ``|U_in − U_out|``."""
        return 2 if self is ErrorNorm.SQUARED else 1


class Rounding(Choice):
    """Rounding of weights: each to the nearest integer, or fitted to calibration data."""

    NEAREST = "nearest"
    FITTED = "fitted"


class Effort(Choice):
    """Effort of a conversion: one pass, or several, of which the best one is kept."""

    FAST = "fast"
    BEST = "best"


class BiasCorrection(Choice):
    """Correction of biases: none, or by the mean error of each channel."""

    NONE = "none"
    MEAN = "mean"
