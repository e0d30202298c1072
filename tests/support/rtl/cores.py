"""A complete core in Amaranth's simulator: every stream and every packet against golden."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from amaranth import Cat

from hwgen import golden
from hwgen.network import Input, Network
from hwgen.plan.units.geometry import StreamPlan, WordLayout
from hwgen.plan.units.hardware_plan import HardwarePlan
from hwgen.plan.units.layer_constants import layer_constants
from hwgen.rtl import core as core_module
from tests.support.rtl.bench import Bench
from tests.support.rtl.words import join


class CoreBench:
    """A testbench for the core of ``network`` with ``plan``.

    ``run`` compares all words. Then ``sample_cycles`` holds the cycle of the first beat of each
    sample, ``result_cycles`` the cycle of each class, ``counters`` the values of the counters, and
    ``blocked`` the number of cycles in which a word of each stream waited.
    """

    def __init__(self, plan: HardwarePlan, network: Network, images: np.ndarray) -> None:
        with pytest.MonkeyPatch.context() as patch:
            # Amaranth cannot simulate weights in a file.
            patch.setattr(core_module, "INLINE_BITS", 1 << 40)
            self.core = core_module.Core(plan=plan, constants=layer_constants(network, plan))
        assert not self.core.files
        self.plan, self._images, self._source = plan, images, network.input
        self._gold = golden.run(network, images, trains=True)
        self.trains = self._gold.trains

    def run(
        self,
        *,
        stall: tuple[float, float] = (0.0, 0.0),
        reset_at: tuple[int, ...] = (),
        seed: int = 0,
        timeout: int = 60_000,
    ) -> int:
        core, plan = self.core, self.plan
        bench = Bench(core, seed=seed, reset=core.rst)
        beats = beats_of(self._images, self._source, plan.encoder.input_width)
        pixels = SimpleNamespace(
            payload=Cat(core.s_axis_tdata, core.s_axis_tlast),
            valid=core.s_axis_tvalid,
            ready=core.s_axis_tready,
        )
        beats = [with_last(packet, plan.encoder.input_width) for packet in beats]
        sent = bench.send(pixels, [beat for sample in beats for beat in sample], stall=stall[0])
        waits = {}
        for tap, stream in enumerate(plan.streams):
            ports = SimpleNamespace(
                payload=getattr(core, f"tap_{tap}_data"),
                valid=getattr(core, f"tap_{tap}_valid"),
                ready=getattr(core, f"tap_{tap}_ready"),
            )
            words = words_of(self.trains[stream.node], stream)
            bench.expect(ports, words, name=stream.node, observe=True)
            waits[stream.node] = bench.watch(ports.valid & ~ports.ready)
        results = SimpleNamespace(
            payload=Cat(core.m_axis_tdata, core.m_axis_tlast),
            valid=core.m_axis_tvalid,
            ready=core.m_axis_tready,
        )
        classes, packets = self._gold.logits.shape[1], []
        for logits, winner in zip(self._gold.logits, self._gold.classes, strict=True):
            packets += [join([logit], plan.logit_width) for logit in logits]
            packets.append(int(winner) | 1 << plan.logit_width)
        got = bench.expect(results, packets, stall=stall[1], name="results")
        cycles = bench.run(reset_at=reset_at, timeout=timeout, then=self._read_counters)
        self.blocked = {node: sum(values) for node, values in waits.items()}
        starts = np.cumsum([0, *(len(packet) for packet in beats[:-1])])
        self.sample_cycles = [sent.cycles[start] for start in starts]
        self.result_cycles = got.cycles[classes :: classes + 1]
        return cycles

    async def _read_counters(self, ctx: Any) -> None:
        assert ctx.get(self.core.packet_errors) == 0
        self.counters = {}
        for address, counter in enumerate(self.core.counters):
            ctx.set(self.core.counter_address, address)
            await ctx.tick()
            self.counters[counter] = ctx.get(self.core.counter_data)


def beats_of(images: np.ndarray, source: Input, input_width: int) -> list[list[int]]:
    """Packet of each image: pixels of one or two bytes in the order y, x, c, then noise.

    Address events are sorted by timestep and then in the same order.
    """
    if source.code == "events":
        return [event_beats(frames, source) for frames in images]
    size = 8 if source.pixel_bits <= 8 else 16
    per_beat = input_width // size
    rng = np.random.default_rng(1)
    packets = []
    for image in images:
        pixels = image.transpose(1, 2, 0).ravel().tolist()
        pixels += rng.integers(0, 1 << size, -len(pixels) % per_beat).tolist()
        packets.append(
            [join(pixels[n : n + per_beat], size) for n in range(0, len(pixels), per_beat)]
        )
    return packets


def event_beats(frames: np.ndarray, source: Input) -> list[int]:
    """The events of a sample (T, channels, height, width), or a null beat if it has none."""
    found = np.argwhere(frames.transpose(0, 2, 3, 1))
    beats = [pack_event(source, t=t, y=y, x=x, channel=c) for t, y, x, c in found.tolist()]
    return beats or [pack_event(source, null=1)]


def pack_event(source: Input, **values: int) -> int:
    """Pack the fields of a beat, x lowest, each just wide enough for its largest value."""
    channels, height, width = source.shape
    sizes = {"x": width, "y": height, "channel": channels, "t": source.timesteps, "null": 2}
    word = low = 0
    for name, size in sizes.items():
        bits = max(1, (size - 1).bit_length())
        assert 0 <= (value := values.get(name, 0)) < 1 << bits
        word |= value << low
        low += bits
    return word


def with_last(packet: list[int], width: int) -> list[int]:
    """Beats of a packet with tlast as an additional highest bit."""
    return [*packet[:-1], packet[-1] | 1 << width]


def words_of(trains: np.ndarray, stream: StreamPlan) -> list[int]:
    """Words of trains (samples, T, channels, height, width), in the layout of ``stream``."""
    words = []
    pixels = trains.transpose(0, 1, 3, 4, 2)
    if stream.layout == WordLayout.RASTER:
        pixels = pixels.reshape(*trains.shape[:2], 1, 1, -1)
    if stream.schedule == "row":
        pixels = pixels.transpose(0, 2, 1, 3, 4)
    for row in pixels.reshape(-1, pixels.shape[-1]).tolist():
        words += [join(row[n : n + stream.width], 1) for n in range(0, len(row), stream.width)]
    return words
