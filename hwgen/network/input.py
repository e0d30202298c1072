"""The input: images or frames of events, and the trains made from them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from hwgen.network.checks import require, require_int, require_timesteps
from hwgen.network.storage import OPTIONAL
from hwgen.network.trains import Code, InputCode, Shape, TrainType


@dataclass(frozen=True, kw_only=True, eq=False)
class Input:
    """Images of unsigned integer pixels x, encoded into trains of T = ``timesteps`` steps.

    Frames of address events are trains already. The codes:

    radix
        s[t] = bit (pixel_bits − t) of x, t = 1 … T: the first T bits, most significant first; 0
        where t > pixel_bits. So q = ⌊x·2^(T−pixel_bits)⌋.
    rate
        a ← a + x;  s[t] = a ≥ 2^pixel_bits;  a ← a − s[t]·2^pixel_bits, with a₀ = 2^(pixel_bits−1).
        So q = ⌊(T·x + a₀) / 2^pixel_bits⌋ (ECC, Alg. 1, κ = 2^bits).
    ttfs
        one spike at t = T + 1 − q with the same q, none where q = 0 (TTFS, Eq. 1).
    poisson
        s[t] = r < gain·x, a rate train; r has pixel_bits + 4 bits, those of a shift register with
        feedback, b[k + 32] = b[k + 22] ⊕ b[k + 2] ⊕ b[k + 1] ⊕ b[k] and b[0] … b[31] those of
        ``seed``, the lowest first. In timestep t = 0 … and for pixel p, in the order y, x, channel,
        r = Σ b[n·(pixel_bits + 4) + i]·2^i with n = t·2^20 + p, so that every image draws the same
        numbers in every schedule (feedback thresholds, III.B, with c = gain / 16).
    direct
        no train but a constant current: x itself is the input in every timestep, I[t] = W·x for t =
        1 … T, of single-phase neurons of T timesteps. Its ``pixel_bits`` bits are sent once, the
        most significant first.
    events
        frames instead of images, shape (T, channels, height, width), 1 where a sensor saw an
        address event of that channel (polarity) at that pixel in timestep t: a rate train with its
        spikes in any order. Several events of one pixel, channel and timestep are one spike.

    Parameters
    ----------
    shape : (channels, height, width)
    timesteps : int
    code : InputCode, or its word as a string
    pixel_bits : int
        Bits of a pixel, 1 … 16; 1 for "events".
    gain : int
        For "poisson", 1 … 16: a pixel spikes with the probability gain·x / 2^(pixel_bits + 4).
    seed : int
        For "poisson", 1 … 2^32 − 1.
    """

    name: str = "input"
    shape: Shape
    timesteps: int
    code: InputCode = InputCode.RADIX
    pixel_bits: int = 8
    gain: int = field(default=16, metadata=OPTIONAL)
    # Of √2: a register with few ones would begin with long runs.
    seed: int = field(default=0x6A09E667, metadata=OPTIONAL)

    def __post_init__(self) -> None:
        if self.code in tuple(InputCode):  # verify() refuses any other
            object.__setattr__(self, "code", InputCode(self.code))

    def verify(self) -> None:
        require(
            len(self.shape) == 3 and all(isinstance(n, int) and n >= 1 for n in self.shape),
            f"{self.name}: shape must be (channels, height, width), all positive, not {self.shape}",
        )
        require(
            isinstance(self.code, InputCode),
            f"{self.name}: code must be one of {', '.join(InputCode)}, not {self.code!r}",
        )
        require_timesteps(self.timesteps, self.code.train_code, where=self.name)
        require_int(self.pixel_bits, 1, 16, where=self.name, what="pixel_bits")
        require_int(self.gain, 1, 16, where=self.name, what="gain")
        require_int(self.seed, 1, (1 << 32) - 1, where=self.name, what="seed")
        require(
            self.code is not InputCode.POISSON or math.prod(self.shape) <= 1 << 20,
            f"{self.name}: a Poisson input has at most 2^20 pixels, not {math.prod(self.shape)}",
        )
        require(
            self.code is not InputCode.EVENTS or self.pixel_bits == 1,
            f"{self.name}: an event is one bit, so that pixel_bits must be 1, not "
            f"{self.pixel_bits}",
        )

    @property
    def train_type(self) -> TrainType:
        """Type of the trains that the input sends."""
        if self.code is InputCode.DIRECT:
            return TrainType(
                shape=self.shape,
                code=Code.RADIX,
                timesteps=self.pixel_bits,
                constant_steps=self.timesteps,
            )
        return TrainType(shape=self.shape, code=self.code.train_code, timesteps=self.timesteps)

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """Shape of one sample: an image, or frames of events."""
        return (self.timesteps, *self.shape) if self.code is InputCode.EVENTS else self.shape
