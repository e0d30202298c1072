"""Cycles of each chunk against the chunks that the window buffer must yield, bit by bit."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen import golden
from hwgen.plan.activity import busy_cycles, stream_words, window_costs
from hwgen.plan.folding import make_plan
from hwgen.plan.hardware import LayerPlan
from tests.random_networks import KINDS, random_images, random_network
from tests.rtl.cores import words_of
from tests.rtl.windows import chunk_words


@pytest.mark.parametrize("seed", range(12))
def test_costs_are_the_spikes_of_each_scanners_chunks(seed: int) -> None:
    network = random_network(seed, neuron=KINDS[seed % len(KINDS)], max_size=5, max_channels=6)
    plan = make_plan(network, lanes=1 + seed % 4, scanners=1 + seed % 3, input_width=64)
    trains = golden.run(network, random_images(seed, network, 2), trains=True).trains
    source = plan.encoder.output
    for stage in plan.stages:
        sample = trains[source.node][1]
        words = np.array(words_of(sample[None], source))
        bits = stream_words(sample, source).reshape(len(words), source.width)
        assert [sum(int(b) << n for n, b in enumerate(row)) for row in bits] == words.tolist()
        if isinstance(stage, LayerPlan):
            window = stage.window
            planes = words.reshape(len(sample), window.rows, window.columns, window.words)
            costs = window_costs(sample, source, window)
            slowest = 0
            shape = (len(sample), window.out_rows, window.out_columns, stage.fold, -1)
            counts = []
            for scanner in range(window.scanners):
                mask = (1 << window.slice_width) - 1
                chunks = [word & mask for word in chunk_words(window, planes, scanner)]
                cost = np.array([max(1, chunk.bit_count()) for chunk in chunks]).reshape(shape)
                for fold in range(stage.fold):
                    assert (costs[..., scanner] == cost[:, :, :, fold]).all()
                counts.append(cost.sum(axis=-1))
            slowest = int(np.max(counts, axis=0).sum())
            assert busy_cycles(costs, stage) == slowest
        source = stage.output
