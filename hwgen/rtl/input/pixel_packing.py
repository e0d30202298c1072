"""Packing of AXI beats of pixels into words of a frame memory."""

from amaranth import Cat, Module, Mux, Signal, Value
from amaranth.lib import data

from hwgen.plan.units.encoder import EncoderPlan
from hwgen.rtl.streams.loops import step_axes


def pack_pixels(
    m: Module,
    plan: EncoderPlan,
    *,
    beats: Value,
    write_port: Value,
    word_layout: data.ArrayLayout,
    room: Value,
) -> tuple[Value, Value]:
    """Write the pixels of ``beats`` to a memory of two frames; the low bits of a pixel that
    ``word_layout`` does not hold are dropped.

    A beat is split into groups, one per cycle, and groups are gathered into words.

    Returns
    -------
    write_word, write_end
        A word is written; it is the last one of its frame.
    """
    pixel_width = 8 * plan.pixel_bytes
    stored_bits = word_layout.elem_shape.width
    dropped_bits = plan.pixel_bits - stored_bits
    frame_words = plan.output.words_per_plane
    groups_per_beat = plan.beat_pixels // plan.pixels_per_cycle
    groups_per_word = plan.word_pixels // plan.pixels_per_cycle
    groups_per_sample = -(-plan.sample_pixels // plan.pixels_per_cycle)

    beat = Signal(plan.input_width, reset_less=True)
    left = Signal(range(groups_per_beat + 1))  # groups of the beat that are not yet taken
    some_left, one_left = Signal(), Signal()
    frame = Signal()
    word_index = Signal(range(frame_words))
    take = Signal()
    sample_end = step_axes(m, take, [("group_index", groups_per_sample)])["group_index"].end
    m.d.comb += [
        take.eq(some_left & room),
        # The next beat may arrive with the last group of this beat or of the sample.
        beats.ready.eq(~some_left | (take & one_left) | sample_end),
    ]
    with m.If(take):
        m.d.sync += [
            beat.eq(beat >> (plan.pixels_per_cycle * pixel_width)),
            left.eq(left - 1),
            one_left.eq(left == 2),
            some_left.eq(~one_left),
        ]
    with m.If(sample_end):
        m.d.sync += some_left.eq(0)
    with m.If(beats.valid & beats.ready):
        m.d.sync += [
            beat.eq(beats.payload),
            left.eq(groups_per_beat),
            one_left.eq(groups_per_beat == 1),
            some_left.eq(1),
        ]

    # A word is complete with its last group, or with the last group of the sample.
    group = Signal(plan.pixels_per_cycle * stored_bits)
    m.d.comb += group.eq(
        Cat(
            beat[n * pixel_width + dropped_bits : n * pixel_width + dropped_bits + stored_bits]
            for n in range(plan.pixels_per_cycle)
        )
    )
    spare = groups_per_sample * plan.pixels_per_cycle - plan.sample_pixels
    if spare:  # the padding of the last beat must not spike
        with m.If(sample_end):
            m.d.comb += group[len(group) - spare * stored_bits :].eq(0)
    position = Signal(range(groups_per_word))
    gathered = Signal(len(group) * groups_per_word)
    word = Signal.like(gathered)
    m.d.comb += word.eq(gathered | group)
    if groups_per_word > 1:
        with m.Switch(position):
            for index in range(1, groups_per_word):
                with m.Case(index):
                    m.d.comb += word.eq(gathered | group << (index * len(group)))
    complete = Signal()
    m.d.comb += [
        complete.eq(take & ((position == groups_per_word - 1) | sample_end)),
        write_port.addr.eq(Mux(frame, frame_words, 0) + word_index),
        write_port.data.as_value().eq(word),
        write_port.en.eq(complete),
    ]
    with m.If(take):
        m.d.sync += [gathered.eq(word), position.eq(position + 1)]
    with m.If(complete):
        m.d.sync += [gathered.eq(0), position.eq(0), word_index.eq(word_index + 1)]
    with m.If(sample_end):
        m.d.sync += [word_index.eq(0), frame.eq(~frame)]
    return complete, sample_end
