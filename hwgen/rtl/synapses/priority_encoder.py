"""Priority encoder: index of the lowest set bit, and how many bits are set (up to three)."""

from __future__ import annotations

from itertools import combinations, permutations
from typing import NamedTuple

from amaranth import Cat, Const, Module, Signal, Value
from amaranth.hdl import ValueLike


class PriorityCode(NamedTuple):
    """Result of :func:`encode_lowest` for some bits.

    Whether at least one, two or three of them are set, and the index of the lowest set bit.
    ``groups`` are the codes of up to four groups of ``group_size`` bits each.
    """

    some: Value
    two_or_more: Value
    three_or_more: Value
    index: Value
    group_size: int = 0
    groups: tuple[PriorityCode, ...] = ()


def encode_lowest(m: Module, bits: Value) -> PriorityCode:
    """Encode ``bits`` as a tree of groups of four.

    Each level takes about one LUT per result, so the path from a chunk to the rest of it is short.
    """
    if len(bits) == 1:
        zero = Const(0, 1)
        return PriorityCode(some=bits, two_or_more=zero, three_or_more=zero, index=Const(0, 0))
    size = 1
    while 4 * size < len(bits):
        size *= 4
    groups = [encode_lowest(m, bits[n : n + size]) for n in range(0, len(bits), size)]
    some, two_or_more, three_or_more = (
        Signal(name=name) for name in ("some", "two_or_more", "three_or_more")
    )
    index = Signal(range(len(bits)), name="index")
    pairs = [a.some & b.some for a, b in combinations(groups, 2)]
    triples = [a.some & b.some & c.some for a, b, c in combinations(groups, 3)]
    pairs_and_one = [a.two_or_more & b.some for a, b in permutations(groups, 2)]
    m.d.comb += [
        some.eq(Cat(group.some for group in groups).any()),
        two_or_more.eq(Cat(*pairs, *(group.two_or_more for group in groups)).any()),
        three_or_more.eq(
            Cat(*triples, *pairs_and_one, *(group.three_or_more for group in groups)).any()
        ),
    ]
    for n, group in reversed(tuple(enumerate(groups))):
        with m.If(group.some):
            m.d.comb += index.eq(n * size | group.index)
    return PriorityCode(some, two_or_more, three_or_more, index, size, tuple(groups))


def clear_lowest(m: Module, code: PriorityCode, bits: Value, enable: ValueLike = 1) -> Value:
    """``bits`` without the lowest set bit; unchanged unless ``enable``. ``code`` encodes them."""
    if not code.groups:
        return bits & ~enable
    cleared = []
    for n, group in enumerate(code.groups):
        lowest = Signal(name="lowest")
        m.d.comb += lowest.eq(enable & ~Cat(before.some for before in code.groups[:n]).any())
        start = n * code.group_size
        cleared.append(clear_lowest(m, group, bits[start : start + code.group_size], lowest))
    return Cat(*cleared)
