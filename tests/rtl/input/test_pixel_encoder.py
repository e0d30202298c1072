"""The pixel encoder against the input trains of golden."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

from hwgen.golden.inputs import input_train
from hwgen.network import Input
from hwgen.rtl.input.pixel_encoder import PixelEncoder
from tests.support.cases import case_id
from tests.support.rtl.bench import Bench
from tests.support.rtl.cores import beats_of, words_of
from tests.support.rtl.encoders import encoder_plan
from tests.support.rtl.streams import STALLS


def images_of(source: Input, samples: int, seed: int = 0) -> np.ndarray:
    top = (1 << source.pixel_bits) - 1
    images = np.random.default_rng(seed).integers(0, top, (samples, *source.shape), endpoint=True)
    images[0] = top
    images[-1] = 0
    return images.astype(np.uint8 if source.pixel_bits <= 8 else np.uint16)


def run(
    source: Input,
    layout: str,
    input_width: int,
    samples: int,
    *,
    stall: tuple[float, float] = (0.0, 0.0),
    reset_at: tuple[int, ...] = (),
    schedule: str = "time",
):
    plan = encoder_plan(source, layout, input_width, schedule)
    assert (plan.output.layout, plan.output.schedule) == (layout, schedule)
    images = images_of(source, samples)
    dut = PixelEncoder(plan=plan)
    bench = Bench(dut, seed=samples)
    beats = beats_of(images, source, input_width)
    sent = bench.send(dut.beats, [beat for packet in beats for beat in packet], stall=stall[0])
    trains = input_train(images.transpose(0, 2, 3, 1), source).transpose(1, 0, 4, 2, 3)
    words = words_of(trains, plan.output)
    got = bench.expect(dut.words, words, stall=stall[1], name="words")
    bench.run(reset_at=reset_at)
    return plan, sent, got


class Frame(NamedTuple):
    shape: tuple[int, int, int]
    steps: int
    pixel_bits: int
    layout: str
    input_width: int


FRAMES = [
    Frame(shape=(1, 1, 1), steps=3, pixel_bits=8, layout="raster", input_width=8),
    Frame(shape=(1, 3, 5), steps=4, pixel_bits=8, layout="raster", input_width=8),
    Frame(shape=(1, 3, 5), steps=4, pixel_bits=8, layout="raster", input_width=32),
    Frame(shape=(2, 3, 3), steps=8, pixel_bits=8, layout="raster", input_width=64),
    Frame(shape=(1, 7, 9), steps=2, pixel_bits=5, layout="raster", input_width=512),
    Frame(shape=(3, 2, 2), steps=5, pixel_bits=10, layout="raster", input_width=16),
    Frame(shape=(3, 2, 3), steps=5, pixel_bits=10, layout="raster", input_width=128),
    Frame(shape=(1, 2, 2), steps=12, pixel_bits=8, layout="pixel", input_width=8),
    Frame(shape=(3, 2, 3), steps=4, pixel_bits=8, layout="pixel", input_width=32),
    Frame(shape=(5, 2, 2), steps=3, pixel_bits=12, layout="pixel", input_width=64),
    Frame(shape=(2, 3, 2), steps=3, pixel_bits=1, layout="pixel", input_width=256),
    Frame(shape=(1, 3, 3), steps=6, pixel_bits=16, layout="pixel", input_width=16),
]


@pytest.mark.parametrize("stall", STALLS[1:])
@pytest.mark.parametrize("code", ["radix", "rate", "ttfs", "poisson"])
@pytest.mark.parametrize(
    ("frame", "schedule"),
    [
        pytest.param(frame, schedule, id=f"{case_id(frame)}-{schedule}")
        for schedule in ("time", "row")
        for frame in FRAMES
        if schedule == "time" or frame.layout == "pixel"
    ],
)
def test_trains_equal_golden(
    frame: Frame, schedule: str, code: str, stall: tuple[float, float]
) -> None:
    shape, steps, pixel_bits, layout, input_width = frame
    gain, seed = (steps + 3, 0xC0FFEE + steps) if code == "poisson" else (16, 1)
    source = Input(
        shape=shape, timesteps=steps, code=code, pixel_bits=pixel_bits, gain=gain, seed=seed
    )
    run(source, layout, input_width, 5, stall=stall, reset_at=(11, 37), schedule=schedule)


@pytest.mark.parametrize("code", ["radix", "rate", "ttfs", "poisson"])
@pytest.mark.parametrize("pixels", [1, 2, 3, 4, 5])
def test_frames_of_few_words(pixels: int, code: str) -> None:
    """The encoder waits when an accumulator repeats before it is written back."""
    source = Input(shape=(1, 1, pixels), timesteps=6, code=code)
    plan, _, got = run(source, "raster" if pixels == 1 else "pixel", 8, 6)
    assert plan.burst_words == plan.output.words_per_plane == pixels
    apart = 4 if code == "rate" and pixels < 4 else 1
    start = 6 * pixels  # the words of the first sample follow its pixels
    assert got.cycles[start:] == [
        got.cycles[start] + apart * n for n in range(len(got.cycles) - start)
    ]


@pytest.mark.parametrize("code", ["radix", "rate", "ttfs", "poisson"])
@pytest.mark.parametrize("pixels", [1, 2, 3, 4])
def test_rows_of_few_words(pixels: int, code: str) -> None:
    """In schedule ``row`` there are accumulators for one row only, so they repeat sooner."""
    source = Input(shape=(1, 4, pixels), timesteps=6, code=code)
    plan, _, got = run(source, "pixel", 8, 6, schedule="row")
    assert plan.burst_words == pixels
    apart = 4 if code == "rate" and pixels < 4 else 1
    assert got.cycles == [got.cycles[0] + apart * n for n in range(len(got.cycles))]


@pytest.mark.parametrize("schedule", ["time", "row"])
def test_first_words_follow_the_pixels(schedule: str) -> None:
    """A beat taken in cycle n is in the frame at n + 2; its word is sent 4 cycles later."""
    source = Input(shape=(1, 4, 8), timesteps=3)
    _, sent, got = run(source, "pixel", 8, 1, schedule=schedule)
    assert sent.cycles == list(range(32))
    assert got.cycles == [6 + n for n in range(96)]


def test_a_row_is_sent_in_all_timesteps_before_the_next_row_arrives() -> None:
    source = Input(shape=(1, 2, 4), timesteps=3)
    dut = PixelEncoder(plan=encoder_plan(source, "pixel", 8, "row"))
    bench = Bench(dut)
    bench.send(dut.beats, [0xFF] * 4)  # only the first of two rows
    got = bench.expect(dut.words, [1] * 12)
    bench.run()
    assert got.cycles == [6 + n for n in range(12)]


@pytest.mark.parametrize("schedule", ["time", "row"])
def test_a_frame_arrives_while_the_other_is_sent(schedule: str) -> None:
    """32 beats per frame, 32 words per plane, three planes: the planes limit the rate."""
    source = Input(shape=(1, 4, 8), timesteps=3)
    _, sent, got = run(source, "pixel", 8, 6, schedule=schedule)
    assert got.cycles == [6 + n for n in range(6 * 96)]


@pytest.mark.parametrize("layout", ["pixel", "raster"])
def test_two_frames_are_taken_without_a_consumer(layout: str) -> None:
    source = Input(shape=(1, 8, 8), timesteps=3)
    dut = PixelEncoder(plan=encoder_plan(source, layout, 16))
    bench = Bench(dut)
    sent = bench.send(dut.beats, [0x1234] * 100)
    with pytest.raises(AssertionError, match="deadlock"):
        bench.run(timeout=200)
    assert len(sent.cycles) == 2 * 32 + 1  # plus one beat of the third frame in the input register
