"""Timing of :mod:`hwgen.rtl.input.address_event_encoder`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hwgen.plan.timing.process import Link, Process
from hwgen.plan.units.encoder import EncoderPlan
from hwgen.plan.units.geometry import WordLayout

NULL = -1
"""Word of a beat without an event."""


def encode_address_events(
    plan: EncoderPlan, trains: NDArray[np.uint8], out: Link, first_beats: list[int]
) -> Process:
    """The address-event encoder, whose beats are always available.

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
