# amaranth: UnusedElaboratable=no
"""The synapse array: a window's currents are the sums of the weight rows of its spikes."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pytest
from amaranth import Cat, Module
from amaranth.lib import wiring

from hwgen.rtl.synapses.array import SynapseArray, SynapseInput
from tests.support.cases import case_id
from tests.support.rtl.bench import Bench
from tests.support.rtl.streams import STALLS
from tests.support.rtl.words import join

Spike = tuple[int, list[int]]
"""Spikes of each window: weight row, and the lanes to which it is added."""
Windows = list[list[Spike]]


def random_windows(rng: random.Random, source: SynapseInput, windows: int, maximum: int) -> Windows:
    """Windows of one input; a spike without a mask reaches all lanes or none."""
    lanes = source.rows.shape[1]

    def chosen() -> list[int]:
        if source.masked:
            return [lane for lane in range(lanes) if rng.random() < 0.4]
        return rng.choice([[], list(range(lanes))])

    return [
        [(rng.randrange(source.depth), chosen()) for _ in range(rng.randint(1, maximum))]
        for _ in range(windows)
    ]


def plain(windows: list[list[int]], lanes: int) -> Windows:
    return [[(row, list(range(lanes))) for row in window] for window in windows]


def spike_words(windows: Windows, source: SynapseInput) -> list[int]:
    width = (source.depth - 1).bit_length()
    words = []
    for window in windows:
        for n, (row, chosen) in enumerate(window):
            if source.masked:
                word, used = sum(1 << lane for lane in chosen), source.rows.shape[1]
            else:
                word, used = bool(chosen), 1
            last = n == len(window) - 1
            words.append(row | word << width | last << width + used)
    return words


class TagAtOnce(wiring.Component):
    """The array with a position tag that arrives with the last spikes, not one cycle later."""

    def __init__(self, array: SynapseArray) -> None:
        self.array = array
        super().__init__(array.signature)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.array = array = self.array
        for name in self.signature.members:
            if name.startswith("spikes"):
                wiring.connect(m, wiring.flipped(getattr(self, name)), getattr(array, name))
        here, there = self.currents, array.currents
        m.d.sync += there.tag_in.eq(here.tag_in)
        m.d.comb += [there.grant.eq(here.grant), self.stall.eq(array.stall)]
        for name in ("start", "valid", "values", "tag_out"):
            m.d.comb += getattr(here, name).eq(getattr(there, name))
        return m


def run(
    inputs: list[SynapseInput],
    spikes: list[Windows],
    *,
    bits: int,
    stall: tuple[float, float] = (0.0, 0.0),
    reset_at: tuple[int, ...] = (),
    windows: int = 1,
    timesteps: int = 1,
):
    """``spikes`` hold those of silent windows too, which are not sent."""
    lanes = inputs[0].rows.shape[1]
    width = bits + 6
    array = SynapseArray(
        inputs=inputs, lanes=lanes, weight_bits=bits, current_width=width,
        windows=windows, timesteps=timesteps,
    )  # fmt: skip
    spikes = [
        [
            [] if n % (windows * timesteps) < windows * source.silent_steps else window
            for n, window in enumerate(every)
        ]
        for source, every in zip(inputs, spikes, strict=True)
    ]
    dut = TagAtOnce(array)
    bench = Bench(dut, seed=inputs[0].depth)
    stalled = bench.watch(dut.stall)
    sent = [
        bench.send(getattr(dut, f"spikes_{n}"), spike_words(windows, source), stall=stall[0])
        for n, (source, windows) in enumerate(zip(inputs, spikes, strict=True))
    ]
    sums = np.zeros((len(spikes[0]), lanes), dtype=np.int64)
    for source, windows in zip(inputs, spikes, strict=True):
        for index, window in enumerate(windows):
            for row, chosen in window:
                sums[index, chosen] += source.rows[row, chosen]
    expected = [join(window.tolist(), width) for window in sums]
    # Each grant has its own tag, which returns with the currents.
    tags = [(3 * n + 1) % 8 for n in range(len(expected))]
    currents = dut.currents
    bench.send(
        SimpleNamespace(payload=currents.tag_in, valid=currents.grant, ready=currents.start),
        tags,
        stall=stall[1],
    )
    got = bench.expect(
        SimpleNamespace(
            payload=Cat(currents.values, currents.tag_out),
            valid=currents.valid,
            ready=currents.valid,
        ),
        [word | tag << lanes * width for word, tag in zip(expected, tags, strict=True)],
        name="currents",
        observe=True,
    )
    bench.run(reset_at=reset_at)
    return array, sent, got, stalled


def equal_inputs(rows: np.ndarray, count: int) -> list[SynapseInput]:
    return [SynapseInput(rows=rows)] * count


class Case(NamedTuple):
    depths: tuple[int, ...]
    """Weight rows of each input."""
    lanes: int
    bits: int
    masked: tuple[int, ...] = ()
    """Numbers of the inputs whose rows go to one lane each."""


@pytest.mark.parametrize("stall", STALLS)
@pytest.mark.parametrize(
    "case",
    [
        Case(depths=(1,), lanes=1, bits=2),
        Case(depths=(12,), lanes=5, bits=8),
        Case(depths=(6, 6), lanes=3, bits=4),
        Case(depths=(4, 7, 1), lanes=2, bits=1),
        Case(depths=(3, 3, 2, 9, 5), lanes=1, bits=16),
        Case(depths=(9,), lanes=4, bits=8, masked=(0,)),
        Case(depths=(12, 1), lanes=5, bits=8, masked=(1,)),
        Case(depths=(3, 4, 2), lanes=3, bits=6, masked=(0, 1)),
    ],
    ids=case_id,
)
def test_sums_of_random_spikes(case: Case, stall: tuple[float, float]) -> None:
    """Inputs of several depths, each with weights of a different size."""
    values, rng = np.random.default_rng(case.lanes), random.Random(len(case.depths))
    inputs = []
    for n, depth in enumerate(case.depths):
        top = 1 << max(0, case.bits - 1 - n)
        rows = values.integers(-top, top, (depth, case.lanes))
        inputs.append(SynapseInput(rows=rows, masked=n in case.masked))
    for maximum in (1, 9):
        spikes = [random_windows(rng, source, 25, maximum) for source in inputs]
        run(inputs, spikes, bits=case.bits, stall=stall, reset_at=(19,) if maximum == 9 else ())


@pytest.mark.parametrize("extreme", [-128, 127])
def test_the_largest_weights_cause_no_overflow(extreme: int) -> None:
    """Five inputs with their largest rows at once; the adder tree is just wide enough."""
    rows = np.array([[extreme, 0, -1], [0, extreme // 2, 1]])
    spikes = [plain([[0, 0], [1], [0, 1, 0, 1, 0]], 3)] * 5
    run(equal_inputs(rows, 5), spikes, bits=8)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_currents_come_after_the_stated_latency(count: int) -> None:
    """Four cycles after the last spikes, plus one per level of the adder tree."""
    inputs = equal_inputs(np.ones((4, 2), dtype=np.int64), count)
    dut, sent, got, _ = run(inputs, [plain([[1, 2]], 2)] * count, bits=4)
    levels = {1: 0, 2: 1, 3: 2, 4: 2, 5: 3}[count]
    assert got.cycles == [sent[0].cycles[-1] + 4 + levels]
    assert dut.latency == 4 + levels


def test_one_spike_per_cycle_where_windows_are_longer_than_the_latency() -> None:
    source = SynapseInput(rows=np.arange(8).reshape(8, 1))
    _, sent, got, stalled = run([source], [plain([list(range(8))] * 6, 1)], bits=5)
    assert sent[0].cycles == list(range(48))
    assert got.cycles == [8 * n + 7 + 4 for n in range(6)]
    assert not any(stalled)


def test_windows_of_one_spike_follow_each_other_immediately() -> None:
    source = SynapseInput(rows=np.arange(4).reshape(4, 1))
    _, sent, got, stalled = run([source], [plain([[1], [2], [3], [3]], 1)], bits=5)
    assert sent[0].cycles == [0, 1, 2, 3]
    assert got.cycles == [4, 5, 6, 7]
    assert not any(stalled)


def test_last_spikes_wait_for_their_grant_and_assert_stall() -> None:
    """Earlier spikes do not wait."""
    source = SynapseInput(rows=np.arange(4).reshape(4, 1))
    dut = SynapseArray(inputs=[source], lanes=1, weight_bits=5, current_width=9)
    bench = Bench(dut)
    sent = bench.send(dut.spikes_0, spike_words(plain([[1, 2, 3]] * 2, 1), source))
    stalled = bench.watch(dut.stall)
    with pytest.raises(AssertionError, match="2 of 6 words"):
        bench.run(timeout=12)
    assert sent.cycles == [0, 1]
    assert stalled == [0, 0] + [1] * 10


def test_inputs_wait_for_each_other_at_the_end_of_a_window() -> None:
    inputs = equal_inputs(np.ones((8, 1), dtype=np.int64), 2)
    short, long = plain([[1]] * 3, 1), plain([[1] * 9] * 3, 1)
    _, sent, _, _ = run(inputs, [short, long], bits=3)
    assert sent[0].cycles == sent[1].cycles[8::9] == [8, 17, 26]


@pytest.mark.parametrize("stall", STALLS)
@pytest.mark.parametrize(("windows", "timesteps"), [(1, 3), (2, 4), (5, 3)])
def test_silent_timesteps_add_nothing(
    windows: int, timesteps: int, stall: tuple[float, float]
) -> None:
    """Three passes; the second and third input have no spikes in the first one or two timesteps."""
    rng = random.Random(windows)
    rows = np.random.default_rng(windows).integers(-8, 8, (6, 3))
    inputs = [
        SynapseInput(rows=rows),
        SynapseInput(rows=rows[:4], silent_steps=2),
        SynapseInput(rows=rows[:2], masked=True, silent_steps=1),
    ]
    spikes = [random_windows(rng, source, 3 * windows * timesteps, 4) for source in inputs]
    reset_at = (23,) if any(stall) else ()
    run(
        inputs, spikes, bits=4, stall=stall, reset_at=reset_at, windows=windows,
        timesteps=timesteps,
    )  # fmt: skip


def test_silent_timesteps_cost_no_cycle() -> None:
    """One spike per cycle; those of the second input are there from the start, and wait."""
    first, second = (
        SynapseInput(rows=np.ones((2, 1), dtype=np.int64), silent_steps=silent) for silent in (0, 2)
    )
    spikes = plain([[1, 0]] * 18, 1)
    _, sent, got, stalled = run([first, second], [spikes] * 2, bits=3, windows=3, timesteps=3)
    assert sent[0].cycles == list(range(36))
    assert sent[1].cycles == [*range(12, 18), *range(30, 36)]
    assert got.cycles == [2 * n + 1 + 5 for n in range(18)]
    assert not any(stalled)


@pytest.mark.parametrize("silent_steps", [(1, 1), (0, 3)])
def test_an_input_has_spikes_in_every_timestep(silent_steps: tuple[int, int]) -> None:
    inputs = [SynapseInput(rows=np.ones((2, 1)), silent_steps=silent) for silent in silent_steps]
    with pytest.raises(ValueError, match="must be 0 for one input, and below 3 timesteps"):
        SynapseArray(inputs=inputs, lanes=1, weight_bits=2, current_width=9, timesteps=3)


@pytest.mark.parametrize(("lanes", "bits"), [(2, 4), (3, 3)])
def test_rows_that_do_not_fit_are_rejected(lanes: int, bits: int) -> None:
    source = SynapseInput(rows=np.array([[1, -8, 0]]))
    with pytest.raises(ValueError, match=f"input 0 has rows of 3 × 4 bits, not {lanes} × {bits}"):
        SynapseArray(inputs=[source], lanes=lanes, weight_bits=bits, current_width=9)
