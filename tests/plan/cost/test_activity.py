"""Spike counts per chunk against the chunks that the window buffer must yield, bit by bit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hwgen import golden
from hwgen.plan.assembly import make_plan
from hwgen.plan.cost.activity import busy_cycles, stream_words, window_costs
from hwgen.plan.units.options import PlanOptions
from hwgen.plan.units.synaptic_path import SynapticPathPlan
from tests.support.random_networks import KINDS, random_images, random_network
from tests.support.rtl.cores import words_of
from tests.support.rtl.windows import chunk_bits, owned_bits, reads_of


def counts_of(path: SynapticPathPlan, words: np.ndarray) -> tuple[np.ndarray, list[int]]:
    """Spikes (timesteps, rows, columns, rounds, chunks, scanners) and busy cycles per scanner.

    A spike takes one cycle, and so does a silent last chunk; a masked chunk is one spike index.
    """
    plan = path.window
    size = -(-plan.chunk_width // plan.scanners)
    owned = [owned_bits(plan, scanner, size) for scanner in range(plan.scanners)]
    counts, busy = [], [0] * plan.scanners
    for read in reads_of(replace(plan, schedule="time")):
        bits = [*chunk_bits(plan, words, read), 0]
        row = [sum(bits[bit] for bit in owned_by_one) for owned_by_one in owned]
        if path.is_masked:
            row = [int(any(bits))]
        counts.append(row)
        for scanner, count in enumerate(row):
            busy[scanner] += max(count, 1) if read.last else count
    shape = (plan.timesteps, plan.out_rows, plan.out_columns, plan.rounds, -1, plan.scanners)
    return np.array(counts).reshape(shape), busy


@pytest.mark.parametrize("schedule", ["time", "row"])
@pytest.mark.parametrize("seed", range(12))
def test_costs_equal_the_spikes_per_scanner_and_chunk(seed: int, schedule: str) -> None:
    network = random_network(
        seed, neuron=KINDS[seed % len(KINDS)], max_size=5, max_channels=6, residual=seed % 2 == 0
    )
    plan = make_plan(
        network,
        PlanOptions(lanes=1 + seed % 4, scanners=1 + seed % 3, input_width=64, schedule=schedule),
    )
    trains = golden.run(network, random_images(seed, network, 2), trains=True).trains
    for stage in plan.layers:
        all_costs, slowest = [], 0
        for path in stage.paths:
            source, window = plan.stream(path.source), path.window
            sample = trains[source.node][1]
            words = np.array(words_of(sample[None], replace(source, schedule="time")))
            bits = stream_words(sample, source)
            assert bits.shape == (
                len(sample), source.rows, source.words_per_row, source.width
            )  # fmt: skip
            flat = bits.reshape(len(words), source.width)
            assert [sum(int(b) << n for n, b in enumerate(row)) for row in flat] == words.tolist()
            planes = words.reshape(len(sample), window.rows, window.columns, window.words)
            counts, busy = counts_of(path, planes)
            costs = window_costs(sample, source, path)
            for round_index in range(window.rounds):
                assert (
                    costs[:, :, :, round_index % costs.shape[3]] == counts[:, :, :, round_index]
                ).all()
            all_costs.append(costs)
            slowest = max(slowest, *busy)
        assert busy_cycles(all_costs, stage) == slowest
