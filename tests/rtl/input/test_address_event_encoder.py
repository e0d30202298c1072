"""The address-event encoder against a simple model of ``docs/hardware.md``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from hwgen.network import Input
from hwgen.rtl.input.address_event_encoder import AddressEventEncoder
from tests.support.rtl.bench import Bench
from tests.support.rtl.cores import event_beats, pack_event, with_last, words_of
from tests.support.rtl.encoders import encoder_plan
from tests.support.rtl.streams import STALLS


@dataclass(frozen=True)
class Event:
    t: int
    channel: int
    y: int
    x: int
    null: int = 0


def frames_of(sample: list[Event], source: Input) -> np.ndarray:
    """Spikes that the core must derive from the beats of a sample."""
    frames = np.zeros(source.sample_shape, dtype=np.uint8)
    channels, height, width = source.shape
    now = 0
    for event in sample:
        inside = event.channel < channels and event.y < height and event.x < width
        if not now <= event.t < source.timesteps or not (inside or event.null):
            continue
        now = event.t
        if not event.null:
            frames[event.t, event.channel, event.y, event.x] = 1
    return frames


def packet_of(sample: list[Event], source: Input, width: int) -> list[int]:
    beats = [
        pack_event(source, t=e.t, channel=e.channel, y=e.y, x=e.x, null=e.null) for e in sample
    ]
    return with_last(beats, width)


def run(
    source: Input,
    samples: list[list[Event]],
    *,
    layout: str = "pixel",
    stall: tuple[float, float] = (0.0, 0.0),
    reset_at: tuple[int, ...] = (),
):
    plan = encoder_plan(source, layout, 32, "time")
    assert plan.output.layout == layout
    dut = AddressEventEncoder(plan=plan)
    bench = Bench(dut, seed=len(samples))
    beats = [beat for sample in samples for beat in packet_of(sample, source, 32)]
    sent = bench.send(dut.beats, beats, stall=stall[0])
    frames = np.stack([frames_of(sample, source) for sample in samples])
    got = bench.expect(dut.words, words_of(frames, plan.output), stall=stall[1], name="words")
    bench.run(reset_at=reset_at)
    return sent, got, frames


def source_of(shape: tuple[int, int, int], steps: int) -> Input:
    return Input(shape=shape, timesteps=steps, code="events", pixel_bits=1)


def legal(rng: np.random.Generator, source: Input, count: int) -> list[Event]:
    """Events in order of t, in any order within a timestep, with neighbours and duplicates."""
    channels, height, width = source.shape
    events = []
    for t in sorted(rng.integers(0, source.timesteps, count).tolist()):
        if events and events[-1].t == t and rng.random() < 0.5:
            near = events[-1 - int(rng.integers(0, min(3, len(events))))]
            events.append(Event(t, int(rng.integers(channels)), near.y, near.x))
            continue
        events.append(Event(t, *(int(rng.integers(size)) for size in (channels, height, width))))
    return events or [Event(0, 0, 0, 0, null=1)]


CASES = [
    # shape, T, layout
    ((2, 3, 5), 4, "pixel"),
    ((1, 4, 4), 1, "pixel"),
    ((3, 1, 6), 7, "pixel"),
    ((2, 5, 1), 3, "pixel"),
    ((2, 3, 5), 4, "raster"),
    ((1, 1, 1), 3, "raster"),
    ((3, 4, 7), 2, "raster"),
    ((5, 1, 1), 5, "raster"),
]


@pytest.mark.parametrize("stall", STALLS)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_planes_hold_the_events_of_each_timestep(case: tuple, stall: tuple[float, float]) -> None:
    """Samples with many, few and no events; a reset in between leaves no event behind."""
    shape, steps, layout = case
    source, rng = source_of(shape, steps), np.random.default_rng(steps)
    samples = [legal(rng, source, count) for count in (40, 0, 3, 80, 0, 0, 12)]
    _, _, frames = run(source, samples, layout=layout, stall=stall, reset_at=(61, 97))
    assert frames.any(axis=(1, 2, 3, 4)).tolist() == [1, 0, 1, 1, 0, 0, 1]


@pytest.mark.parametrize("stall", STALLS[::3])
@pytest.mark.parametrize("layout", ["pixel", "raster"])
def test_malformed_beats_are_dropped(layout: str, stall: tuple[float, float]) -> None:
    """Random fields: t that decreases or is past the end, and positions outside the map."""
    source, rng = source_of((3, 5, 6), 5), np.random.default_rng(4)
    samples = [
        [
            Event(*(int(rng.integers(n)) for n in (8, 4, 8, 8)), null=int(rng.random() < 0.2))
            for _ in range(int(rng.integers(1, 12)))
        ]
        for _ in range(40)
    ]
    _, _, frames = run(source, samples, layout=layout, stall=stall)
    kept, all_events = int(frames.sum()), sum(len(sample) for sample in samples)
    assert 0.05 * all_events < kept < 0.5 * all_events


@pytest.mark.parametrize(
    ("sample", "expected"),
    {
        "t falls": ([Event(2, 0, 0, 0), Event(1, 0, 1, 1), Event(2, 1, 2, 2)], {(2, 0), (2, 8)}),
        "t past the end": ([Event(3, 0, 0, 0), Event(1, 0, 1, 1)], {(1, 4)}),
        "x outside": ([Event(2, 0, 0, 3), Event(1, 0, 1, 1)], {(1, 4)}),
        "y outside": ([Event(2, 0, 3, 0), Event(1, 0, 1, 1)], {(1, 4)}),
        "null moves t": ([Event(2, 1, 3, 3, null=1), Event(1, 0, 1, 1)], set()),
        "null past the end": ([Event(3, 0, 0, 0, null=1), Event(1, 0, 1, 1)], {(1, 4)}),
        "dropped and last": ([Event(1, 0, 1, 1), Event(3, 0, 0, 0)], {(1, 4)}),
        "duplicates": ([Event(0, 0, 1, 1)] * 6, {(0, 4)}),
    }.values(),
)
def test_rules_by_hand(sample: list[Event], expected: set[tuple[int, int]]) -> None:
    """3×3 pixels of two channels, three timesteps; the following sample is correct."""
    source = source_of((2, 3, 3), 3)
    _, _, frames = run(source, [sample, [Event(0, 1, 2, 2)]])
    spikes = {(t, 3 * y + x) for t, _, y, x in np.argwhere(frames[0]).tolist()}
    assert spikes == expected
    assert np.argwhere(frames[1]).tolist() == [[0, 1, 2, 2]]


def test_one_event_per_cycle_at_any_position() -> None:
    """All events of a busy plane are taken back to back, even those of the same word."""
    source, rng = source_of((2, 4, 4), 1), np.random.default_rng(1)
    events = [Event(0, int(c), int(p) // 4, int(p) % 4) for c, p in rng.integers(0, 2, (60, 2))]
    sent, _, _ = run(source, [events])
    assert sent.cycles == list(range(sent.cycles[0], sent.cycles[0] + 60))


def test_the_next_timestep_arrives_while_a_plane_is_sent() -> None:
    """16 words per plane, 8 events per timestep: no gap between words, 17 cycles per plane."""
    source = source_of((1, 4, 4), 6)
    events = [Event(t, 0, n // 4, n % 4) for t in range(6) for n in range(8)]
    sent, got, _ = run(source, [events, events])
    start = got.cycles[0]
    assert got.cycles == [start + 17 * plane + n for plane in range(12) for n in range(16)]
    # The last event of the second timestep arrives before the first plane is sent.
    assert sent.cycles[15] < start + 16


def test_beats_of_frames_come_in_order() -> None:
    source = source_of((2, 2, 2), 2)
    frames = np.zeros(source.sample_shape, dtype=np.uint8)
    frames[1, 0, 0, 1] = frames[1, 1, 0, 0] = frames[0, 0, 1, 1] = 1
    # x, y, channel, t, null, one bit each: t = 0 (1, 1); t = 1 channel 1 (0, 0), channel 0 (1, 0).
    assert event_beats(frames, source) == [0b00011, 0b01100, 0b01001]
    assert event_beats(frames * 0, source) == [0b10000]
