"""Linear-feedback shift register that yields many bits per cycle and jumps ahead.

The register in some later state is a list of masks, one per bit: the bits of the initial register
whose exclusive or it is.
"""

from collections.abc import Iterable, Sequence

from amaranth import Cat, Value

BITS = 32
TAPS = (0, 1, 2, 22)
"""b[k + 32] is the exclusive or of b[k + n] for these n."""


def identity() -> list[int]:
    """The register itself: every bit depends on itself alone."""
    return [1 << n for n in range(BITS)]


def advance(register: Sequence[int], bits: int) -> list[int]:
    """``register`` after ``bits`` shifts."""
    masks = list(register)
    for _ in range(bits):
        feedback = 0
        for tap in TAPS:
            feedback ^= masks[tap]
        masks = [*masks[1:], feedback]
    return masks


def compose(first: Sequence[int], second: Sequence[int]) -> list[int]:
    """The transition ``first`` followed by ``second``."""
    result = []
    for selected in second:
        mask = 0
        for n in range(BITS):
            if selected >> n & 1:
                mask ^= first[n]
        result.append(mask)
    return result


def jump(bits: int) -> list[int]:
    """The register after any number of shifts, by repeated squaring."""
    result, power = identity(), advance(identity(), 1)
    while bits:
        if bits & 1:
            result = compose(result, power)
        power = compose(power, power)
        bits >>= 1
    return result


def read(register: Value, masks: Iterable[int]) -> Value:
    """The bits that ``masks`` describe, from a register in hardware."""
    return Cat(Cat(register[n] for n in range(BITS) if mask >> n & 1).xor() for mask in masks)
