"""Complete cores: every stream and packet, including a reset in the middle of a sample."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen import golden
from hwgen.network import Input, InverseLeakyNeuron, Layer, Linear, Network, Readout
from hwgen.plan.assembly import make_plan
from hwgen.plan.units.options import PlanOptions
from tests.support.random_networks import random_images, random_network
from tests.support.rtl.cores import CoreBench
from tests.support.rtl.streams import PAUSE
from tests.support.tiny import layer


def bench_of(seed: int, neuron: str | None, samples: int, **options) -> CoreBench:
    network = random_network(seed, neuron=neuron, max_size=5, max_channels=4, max_timesteps=3)
    return CoreBench(
        make_plan(network, PlanOptions(**options)), network, random_images(seed, network, samples)
    )


@pytest.mark.parametrize(
    ("seed", "neuron", "pipeline"),
    [(11, "radix", "overlap"), (12, "rate_two", "alternate"), (8, "rate_single", "overlap")],
)
def test_after_a_reset_everything_starts_clean(
    seed: int, neuron: str | None, pipeline: str
) -> None:
    """Reset while pixels arrive, while layers process two samples, and twice in succession."""
    options = {"pipeline": pipeline, "lanes": 4, "scanners": 2, "input_width": 16}
    free = bench_of(seed, neuron, 3, **options)
    free.run()
    pixels, first, last = free.sample_cycles[1] // 2, free.result_cycles[0], free.result_cycles[-1]
    again = bench_of(seed, neuron, 3, **options)
    resets = (max(1, pixels), first, first + (first + last) // 2, first + (first + last) // 2 + 1)
    again.run(reset_at=resets)
    # The same cycles as after power-up, plus three for the reset.
    start = again.sample_cycles[0]
    assert start == resets[-1] + 4
    assert again.result_cycles == [start + cycle for cycle in free.result_cycles]


@pytest.mark.parametrize("stall", [(0.5, 0.0), (0.0, 0.7), (0.4, 0.4)])
def test_stalls_on_both_sides(stall: tuple[float, float]) -> None:
    bench_of(5, None, 3, lanes=3, scanners=2).run(stall=stall, seed=2)


def test_counters_equal_what_the_bench_observes() -> None:
    bench = bench_of(3, "radix", 4, lanes=4, input_width=64)
    cycles = bench.run(stall=(0.3, 0.3))
    counted, plan = bench.counters, bench.plan
    layers = [stage.node for stage in plan.layers]
    assert list(counted) == [
        ("", "cycles"),
        ("", "samples"),
        *((stream.node, kind) for stream in plan.streams for kind in ("spikes", "blocked")),
        *((node, kind) for node in layers for kind in ("busy", "stall")),
    ]
    for stream in plan.streams:
        assert counted[stream.node, "spikes"] == int(bench.trains[stream.node].sum())
        assert counted[stream.node, "blocked"] == bench.blocked[stream.node]
    assert any(bench.blocked.values())
    assert counted["", "samples"] == 4
    # The core also counts while the bench waits for surplus words; sums are three cycles late.
    assert counted["", "cycles"] == cycles - 1 + PAUSE - 2 + 1
    assert all(0 < counted[node, "busy"] < cycles for node in layers)


def test_a_core_without_counters() -> None:
    bench = bench_of(3, "radix", 1, counters=False)
    bench.run()
    assert bench.counters == {}
    assert not hasattr(bench.core, "counter_data")


def test_a_core_with_a_single_logit() -> None:
    """Eight grey pixels: logits of both signs, and 0, which is class 0."""
    neuron = InverseLeakyNeuron(threshold=np.array([3, 2]), timesteps=2)
    ends = [("a", "input", [[3], [1]], [0, 0], neuron), ("out", "a", [[1, -1]], [-1], Readout())]
    nodes = tuple(layer(*end) for end in ends)
    network = Network(name="net", input=Input(shape=(1, 1, 1), timesteps=2), nodes=nodes)
    images = np.arange(0, 256, 32, np.uint8).reshape(-1, 1, 1, 1)
    result = golden.run(network, images)
    assert {-1, 0, 1} <= set(np.sign(result.logits[:, 0]))
    assert set(result.classes) == {0, 1}
    CoreBench(make_plan(network), network, images).run(stall=(0.3, 0.3))


def test_forks_of_similar_names() -> None:
    """Three streams with two consumers each, and a layer with the name of a fork."""
    sources, nodes = {"fork_a": "input", "a": "fork_a", "a_": "a"}, []
    for name in (*sources, "out"):
        read = [sources[name]] if name in sources else ["input", *sources]
        weights = np.array([[3, -1], [1, 2]], dtype=np.int32)
        neuron = InverseLeakyNeuron(threshold=np.array([3, 2]), timesteps=2)
        nodes.append(
            Layer(
                name=name,
                projections=tuple(Linear(source=source, weights=weights) for source in read),
                bias=np.zeros(2, dtype=np.int64),
                neuron=Readout() if name == "out" else neuron,
            )
        )
    source = Input(shape=(2, 1, 1), timesteps=2)
    network = Network(name="net", input=source, nodes=tuple(nodes))
    images = np.random.default_rng(0).integers(0, 256, (4, 2, 1, 1)).astype(np.uint8)
    CoreBench(make_plan(network), network, images).run(stall=(0.3, 0.3))
