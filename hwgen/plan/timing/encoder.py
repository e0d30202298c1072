"""Timing of :mod:`hwgen.rtl.input.pixel_encoder`."""

from __future__ import annotations

from hwgen.network import InputCode
from hwgen.plan.timing.process import Link, Process
from hwgen.plan.units.encoder import EncoderPlan


def encode_pixels(plan: EncoderPlan, samples: int, out: Link, first_beats: list[int]) -> Process:
    """The pixel encoder, whose beats are always available.

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
