"""Groups of currents become membrane words, the last group only those that hold a channel."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.network import Input, ReadOut
from hwgen.rtl.parts import CurrentParts
from tests.rtl.bench import Bench
from tests.rtl.layers import make_layer, plan_one
from tests.rtl.streams import STALLS
from tests.rtl.words import groups_of, pixel_words


def make(fan_out: int, lanes: int, membrane_lanes: int):
    layer = make_layer(np.full((fan_out, 1), -100), ReadOut())
    source = Input(shape=(1, 1, 1), timesteps=2)
    plan, _ = plan_one(layer, source, lanes=lanes, membrane_lanes=membrane_lanes)
    assert (plan.lanes, plan.membrane_lanes) == (lanes, membrane_lanes)
    return CurrentParts(plan), plan


@pytest.mark.parametrize("stall", STALLS)
@pytest.mark.parametrize(
    ("fan_out", "lanes", "membrane_lanes"),
    [(1, 1, 1), (4, 4, 4), (4, 4, 1), (5, 4, 2), (6, 4, 2), (7, 6, 3), (13, 6, 2), (8, 2, 1)],
)
def test_words_of_groups(
    fan_out: int, lanes: int, membrane_lanes: int, stall: tuple[float, float]
) -> None:
    dut, plan = make(fan_out, lanes, membrane_lanes)
    width = plan.current_width
    currents = np.random.default_rng(fan_out).integers(-100, 1, (20, 1, fan_out))
    bench = Bench(dut, seed=fan_out)
    words = pixel_words(currents, groups_of(fan_out, membrane_lanes), width)
    bench.send(
        dut.currents, pixel_words(currents, groups_of(fan_out, lanes), width), stall=stall[0]
    )
    bench.expect(dut.word, words, stall=stall[1])
    bench.run(reset_at=(13,))


def test_a_word_a_cycle_and_a_group_leaves_with_its_last_word() -> None:
    dut, _ = make(5, 4, 2)  # groups of two words and of one
    bench = Bench(dut)
    sent = bench.send(dut.currents, range(6))
    got = bench.expect(dut.word, range(9), read=lambda word: len(got.cycles))
    bench.run()
    assert got.cycles == list(range(9))
    assert sent.cycles == [1, 2, 4, 5, 7, 8]
