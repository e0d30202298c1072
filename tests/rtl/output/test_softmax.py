# amaranth: UnusedElaboratable=no
"""The softmax unit against Python integers (:class:`hwgen.network.SoftmaxReadout`)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
from amaranth import signed
from amaranth.lib import data

from hwgen.network import Input, SoftmaxReadout, exponentials
from hwgen.plan.timing.output import draw_spikes
from hwgen.plan.timing.process import Link, run
from hwgen.plan.units.softmax import SoftmaxPlan
from hwgen.rtl.output.softmax import SoftmaxUnit
from tests.support.cases import case_id
from tests.support.rtl.bench import Bench
from tests.support.rtl.streams import STALLS
from tests.support.rtl.words import join

WIDTH = 12


def neuron_of(steps: int, **changes: Any) -> SoftmaxReadout:
    values = {"timesteps": steps, "shift": 3, "table": exponentials(0.3), "seed": 0xC0FFEE}
    neuron = SoftmaxReadout(**{**values, **changes})
    source = Input(shape=(1, 1, 1), timesteps=steps, code="rate")
    neuron.verify(1, source.train_type, where="n")
    return neuron


def numbers_of(neuron: SoftmaxReadout, count: int) -> list[int]:
    """Random numbers of R bits from a bit-serial shift register."""
    bits = [neuron.seed >> n & 1 for n in range(32)]
    while len(bits) < count * neuron.random_bits:
        bits.append(bits[-10] ^ bits[-30] ^ bits[-31] ^ bits[-32])
    size = neuron.random_bits
    return [sum(bits[n * size + i] << i for i in range(size)) for n in range(count)]


def counts_of(neuron: SoftmaxReadout, membranes: np.ndarray) -> list[list[int]]:
    """Spike counts for membranes (samples, T, classes)."""
    counts = []
    classes = membranes.shape[2]
    table = [int(entry) for entry in neuron.table]
    for sample in membranes.tolist():
        numbers = iter(numbers_of(neuron, neuron.timesteps * classes))
        spikes = [0] * classes
        for values in sample:
            steps = [(max(values) - value) >> neuron.shift for value in values]
            entries = [table[min(step, len(table) - 1)] for step in steps]
            for index, entry in enumerate(entries):
                spikes[index] += next(numbers) * sum(entries) < entry << neuron.random_bits
        counts.append(spikes)
    return counts


def plan_of(neuron: SoftmaxReadout, classes: int) -> SoftmaxPlan:
    largest = int(neuron.table[0])
    return SoftmaxPlan(
        classes=classes, timesteps=neuron.timesteps, shift=neuron.shift,
        entries=len(neuron.table), below_width=WIDTH, entry_width=largest.bit_length(),
        sum_width=(classes * largest).bit_length(), random_bits=neuron.random_bits,
        seed=neuron.seed, count_width=neuron.timesteps.bit_length(),
    )  # fmt: skip


def words_of(membranes: np.ndarray, lanes: int) -> list[int]:
    """Words of membranes; lanes after the last class carry the maximum, which must not count."""
    classes = membranes.shape[2]
    words = []
    for values in membranes.reshape(-1, classes).tolist():
        padded = values + [(1 << WIDTH - 1) - 1] * (-classes % lanes)
        words += [join(padded[n : n + lanes], WIDTH) for n in range(0, len(padded), lanes)]
    return words


def simulate(
    neuron: SoftmaxReadout,
    membranes: np.ndarray,
    *,
    lanes: int = 1,
    expected: list[list[int]] | None = None,
    stall: tuple[float, float] = (0.0, 0.0),
    reset_at: tuple[int, ...] = (),
):
    counts = counts_of(neuron, membranes) if expected is None else expected
    plan = plan_of(neuron, membranes.shape[2])
    layout = data.ArrayLayout(signed(WIDTH), lanes)
    dut = SoftmaxUnit(plan=plan, word_layout=layout, table=neuron.table)
    bench = Bench(dut, seed=len(membranes))
    sent = bench.send(dut.membranes, words_of(membranes, lanes), stall=stall[0])
    got = bench.expect(
        dut.counts, [count for sample in counts for count in sample], stall=stall[1], name="counts"
    )
    bench.run(reset_at=reset_at)
    return plan, counts, sent, got


def random_membranes(seed: int, samples: int, steps: int, classes: int) -> np.ndarray:
    """Membranes a few table steps apart, and sometimes over the full range."""
    rng = np.random.default_rng(seed)
    near = rng.integers(-40, 40, (samples, steps, classes))
    far = rng.integers(-(1 << WIDTH - 2), 1 << WIDTH - 2, near.shape)
    return np.where(rng.random((samples, steps, 1)) < 0.2, far, near)


class Case(NamedTuple):
    classes: int
    lanes: int
    steps: int
    random_bits: int


@pytest.mark.parametrize("stall", STALLS)
@pytest.mark.parametrize(
    "case",
    [
        Case(classes=1, lanes=1, steps=3, random_bits=16),
        Case(classes=1, lanes=2, steps=1, random_bits=3),
        Case(classes=2, lanes=1, steps=5, random_bits=16),
        Case(classes=3, lanes=2, steps=4, random_bits=7),
        Case(classes=7, lanes=3, steps=6, random_bits=4),
        Case(classes=10, lanes=10, steps=9, random_bits=1),
        Case(classes=10, lanes=4, steps=8, random_bits=16),
    ],
    ids=case_id,
)
def test_counts(case: Case, stall: tuple[float, float]) -> None:
    neuron = neuron_of(case.steps, random_bits=case.random_bits)
    membranes = random_membranes(case.classes, 5, case.steps, case.classes)
    _, counts, _, _ = simulate(neuron, membranes, lanes=case.lanes, stall=stall, reset_at=(61,))
    assert 0 < np.mean(counts) <= case.steps


@pytest.mark.parametrize("stall", STALLS[::3])
@pytest.mark.parametrize(
    "changes",
    [
        {"table": np.array([5])},
        {"table": np.array([1, 0])},
        {"table": np.array([65535, 65535, 1])},
        {"table": exponentials(0.01)},
        {"table": exponentials(0.01), "shift": 0},
        {"shift": 40},
        {"seed": (1 << 32) - 1},
    ],
)
def test_tables_and_shifts(changes: dict[str, Any], stall: tuple[float, float]) -> None:
    neuron = neuron_of(5, **changes)
    simulate(neuron, random_membranes(3, 4, 5, 6), lanes=2, stall=stall)


@pytest.mark.parametrize("stall", STALLS)
def test_by_hand(stall: tuple[float, float]) -> None:
    """R = 2 and a seed whose bits come in pairs 1, 3, 0, 2, 2, 1, so that r = 1, 3, 0, 2, 2, 1.

    Table 4, 2, 1, shift 1. V = 5, 1, 3: d = 0, 2, 1, e = 4, 1, 2, S = 7; 7·r < 4·e: 7 < 16, 21 < 4
    not, 0 < 8. Then V = 0, 1, −9: ⌊1/2⌋ = 0, 0, ⌊10/2⌋ = 5 → 2, e = 4, 4, 1, S = 9: 18 < 16 not,
    18 < 16 not, 9 < 4 not.
    """
    numbers = [1, 3, 0, 2, 2, 1]
    seed = sum(number << 2 * n for n, number in enumerate(numbers))
    neuron = neuron_of(2, shift=1, table=np.array([4, 2, 1]), random_bits=2, seed=seed)
    assert numbers_of(neuron, 6) == numbers
    membranes = np.array([[[5, 1, 3], [0, 1, -9]]] * 3)
    simulate(neuron, membranes, expected=[[1, 0, 1]] * 3, stall=stall)


def test_a_single_class_always_spikes_and_one_beyond_the_table_never() -> None:
    """For any r: r·S < e·2^R if e = S, and not if e = 0."""
    neuron = neuron_of(50, table=np.array([9, 4, 0]), random_bits=2)
    membranes = np.array([[[100, -100, -500]] * 50])
    simulate(neuron, membranes, expected=[[50, 0, 0]])


@pytest.mark.parametrize(
    "case",
    [
        Case(classes=1, lanes=1, steps=4, random_bits=16),
        Case(classes=2, lanes=2, steps=3, random_bits=5),
        Case(classes=5, lanes=2, steps=4, random_bits=16),
        Case(classes=10, lanes=4, steps=3, random_bits=16),
        Case(classes=13, lanes=13, steps=2, random_bits=1),
    ],
    ids=case_id,
)
def test_cycles_equal_the_model(case: Case) -> None:
    """Membranes arrive as fast as they are taken; counts are taken immediately."""
    neuron = neuron_of(case.steps, random_bits=case.random_bits)
    membranes = random_membranes(1, 3, case.steps, case.classes)
    plan, _, sent, got = simulate(neuron, membranes, lanes=case.lanes)
    source, out = Link(), Link()
    source.ready = [0] * len(words_of(membranes, case.lanes))

    def take_at_once():
        for word in range(3 * case.classes):
            while len(out.ready) <= word:
                yield len(out.taken)
            out.taken.append(out.ready[word])

    run([draw_spikes(plan, case.lanes, 3, source, out), take_at_once()])
    assert sent.cycles == source.taken
    assert got.cycles == out.taken


def test_a_class_takes_four_cycles() -> None:
    """Ten classes of 16 bits, so four stages: 4·(10 + 4) + 2 cycles per timestep."""
    neuron = neuron_of(20)
    plan, _, _, got = simulate(neuron, random_membranes(1, 3, 20, 10), lanes=10)
    assert plan.step_cycles == 58
    assert got.cycles[20] - got.cycles[10] == 20 * 58 + 10 == plan.sample_cycles
