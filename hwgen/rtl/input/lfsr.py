"""A shift register with linear feedback that gives many bits a cycle, and jumps."""

from amaranth import Cat

BITS = 32
TAPS = (0, 1, 2, 22)
"""b[k + 32] is the exclusive or of b[k + n] for these n."""


def later(register, bits):
    """``register``, the bits b[0] … b[31] as masks of what they depend on, ``bits`` later."""
    masks = list(register)
    for _ in range(bits):
        feedback = 0
        for tap in TAPS:
            feedback ^= masks[tap]
        masks = [*masks[1:], feedback]
    return masks


def start():
    """The register itself: every bit depends on itself alone."""
    return [1 << n for n in range(BITS)]


def after(masks, others):
    """What ``others`` are of a register that is ``masks`` of the first one."""
    result = []
    for other in others:
        mask = 0
        for n in range(BITS):
            if other >> n & 1:
                mask ^= masks[n]
        result.append(mask)
    return result


def jump(bits):
    """The register ``bits`` later, however many."""
    result, power = start(), later(start(), 1)
    while bits:
        if bits & 1:
            result = after(result, power)
        power = after(power, power)
        bits >>= 1
    return result


def read(register, masks):
    """The bits of ``masks``, of a register in hardware."""
    return Cat(Cat(register[n] for n in range(BITS) if mask >> n & 1).xor() for mask in masks)
