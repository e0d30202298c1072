"""Timing of :mod:`hwgen.rtl.input.pixel_encoder` and of its address-event counterpart.

The latter is :mod:`hwgen.rtl.input.address_event_encoder`. Beats are always available.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hwgen.network import InputCode
from hwgen.plan.timing.process import Link, Process
from hwgen.plan.units.encoder import EncoderPlan
from hwgen.plan.units.geometry import WordLayout

NULL = -1
"""Word of a beat without an event."""


def encode_pixels(plan: EncoderPlan, samples: int, out: Link, first_beats: list[int]) -> Process:
    """The pixel encoder.

    Appends the cycle of each sample's first beat to ``first_beats``.
    """
    words = plan.output.words_per_plane
    steps = plan.output.timesteps
    takes_per_beat = plan.beat_pixels // plan.pixels_per_cycle
    takes_per_word = plan.word_pixels // plan.pixels_per_cycle
    takes = -(-plan.sample_pixels // plan.pixels_per_cycle)
    apart = 4 if plan.code == InputCode.RATE and plan.burst_words < 4 else 1
    frame_free = [0, 0]  # cycle from which each frame memory may be written again
    beat = take = -1  # cycles of the last beat, and of the last take of pixels from it
    sent = -apart
    for sample in range(samples):
        frame = sample % 2
        written = []
        for index in range(takes):
            if index % takes_per_beat == 0:
                beat = max(beat + 1, take)
                if index == 0:
                    first_beats.append(beat)
            take = max(take + 1, beat + 1, frame_free[frame])
            if index % takes_per_word == takes_per_word - 1 or index == takes - 1:
                written.append(take)
        for burst in range(0, words, plan.burst_words):
            for step in range(steps):
                for word in range(burst, burst + plan.burst_words):
                    while (free := out.credit()) < 0:
                        yield len(out.ready)
                    sent = max(sent + apart, free, written[word] + 1 if step == 0 else 0)
                    out.ready.append(sent + 4)
        frame_free[frame] = sent + 1


def encode_address_events(
    plan: EncoderPlan, trains: NDArray[np.uint8], out: Link, first_beats: list[int]
) -> Process:
    """The address-event encoder.

    Appends the cycle of each sample's first beat to ``first_beats``. ``trains`` has the shape
    (samples, timesteps, channels, height, width). The events of a timestep arrive in the order
    y, x, channel, each once; a sample without events is one null beat.
    """
    words = plan.output.words_per_plane
    moved, took = (0, -1)  # cycles in which the last beat became an event, and the event was taken
    sent = -1
    begun = [(-3, -1)] * 2  # last two words that were read for an update, with their cycles
    free = 0  # first cycle in which an event may be taken
    for planes in trains:
        steps = [_words_of(plan, plane) for plane in planes]
        last = max((step for step, events in enumerate(steps) if events), default=0)
        if not steps[last]:
            steps[0] = [NULL]
        first_beats.append(moved)  # the register of the previous beat is free
        for step, events in enumerate(steps):
            for word in events:
                moved = max(moved + 1, took)
                took = max(moved + 1, free)
                if word != NULL and all(took - at > 2 or word != old for at, old in begun):
                    begun = [begun[1], (took, word)]
            # The next event is a later one, or the last one was taken.
            asked = (max(moved + 1, took) if step < last else took) + 1
            swap = max(asked, begun[1][0] + 3, sent + 1, free)
            for _ in range(words):
                while (room := out.credit()) < 0:
                    yield len(out.ready)
                sent = max(sent + 1, swap + 1, room)
                out.ready.append(sent + 3)
            free = swap + 1


def _words_of(plan: EncoderPlan, plane: NDArray[np.uint8]) -> list[int]:
    """Word of the plane for each event of a timestep, in the order of the events."""
    positions = np.flatnonzero(plane.transpose(1, 2, 0))
    if plan.output.layout == WordLayout.RASTER:
        positions //= plan.word_pixels
    else:
        positions //= plan.output.shape[0]
    words: list[int] = positions.tolist()
    return words
