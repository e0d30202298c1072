"""Timing of :mod:`hwgen.rtl.input.pixel_encoder`."""

from __future__ import annotations

from hwgen.plan.timing.process import Link, Process
from hwgen.plan.units.encoder import EncoderPlan


def feed_encoder(plan: EncoderPlan, samples: int, out: Link, first_beats: list[int]) -> Process:
    """Beats that come as fast as they are taken; appends each sample's first beat."""
    words = plan.output.words_per_plane
    steps = plan.output.timesteps
    pieces_in_beat = plan.beat_pixels // plan.pixels_per_cycle
    pieces_in_word = plan.word_pixels // plan.pixels_per_cycle
    pieces = -(-plan.sample_pixels // plan.pixels_per_cycle)
    apart = 4 if plan.code == "rate" and plan.burst_words < 4 else 1
    frame_free = [0, 0]  # cycle in which the frame memory may be written again
    beat = piece = -1  # when the last beat, and the last piece, was taken
    sent = -apart
    for sample in range(samples):
        frame = sample % 2
        written = []
        for index in range(pieces):
            if index % pieces_in_beat == 0:
                beat = max(beat + 1, piece)
                if index == 0:
                    first_beats.append(beat)
            piece = max(piece + 1, beat + 1, frame_free[frame])
            if index % pieces_in_word == pieces_in_word - 1 or index == pieces - 1:
                written.append(piece)
        for line in range(0, words, plan.burst_words):
            for step in range(steps):
                for word in range(line, line + plan.burst_words):
                    while (free := out.credit()) < 0:
                        yield len(out.ready)
                    sent = max(sent + apart, free, written[word] + 1 if step == 0 else 0)
                    out.ready.append(sent + 4)
        frame_free[frame] = sent + 1
