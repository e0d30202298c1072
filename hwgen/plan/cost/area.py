"""What units take of an FPGA, from the plan alone: LUT4 and block RAMs of an ECP5.

Counted as synthesis is: a carry cell is two LUT4, 16 × 4 bits of distributed RAM are six. Each term
stands for a part of a unit; its coefficients were fitted to what yosys makes of it
(``python -m benchmarks.resources``).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from hwgen.plan.units.encoder import EncoderPlan
from hwgen.plan.units.hardware_plan import HardwarePlan
from hwgen.plan.units.inverse_leak import signed_digits
from hwgen.plan.units.layer import LayerPlan, UnitKind
from hwgen.plan.units.memories import BLOCK_ROWS, MemoryKind, read_only, read_write
from hwgen.plan.units.pool import PoolPlan, Stage
from hwgen.plan.units.softmax import SoftmaxPlan
from hwgen.plan.units.synaptic_path import PathKind, SynapticPathPlan

LAYER = 125
"""What steers a layer: grants, passes, the ends of its FIFOs."""
CARRY, ADDER = 1.5, 2.3
"""Bits that a lane's accumulator, and a further scanner's adder, have beside their terms."""
MEMBRANE_BIT, SINGLE_PHASE_BIT, HELD_BIT = 1.05, 1.6, 1.05
"""Of the adders of a membrane, and of a current that is held."""
LEAKY, LEAKY_BIT, GROWN_BIT, DIGIT_BIT = 39, 2.2, 3.6, 0.9
"""Of membranes that grow by less than 2: what steers them, a bit of what is added and given back,
one of the grown membrane with its fraction, and of an addition that takes past two terms."""
PART_BIT = 0.52
"""Of currents that go through a narrower membrane unit."""
SCANNER, SCANNED_BIT, ADDRESS_BIT = 38, 2.6, 1.0
"""A scanner: its FIFO's ends, the search for the lowest bit, and the address of its weights."""
WAITING_BIT = 3.0
"""A slice's bit: cut from a chunk, looked at, and queued."""
READER_BIT, KERNEL_ROWS, PADDING = 3.0, 45, 15
"""A bit of a counter; the rows of a kernel in a ring of rows; taps outside the map."""
WRITER, PACKED_BIT = 20, 0.3
"""A window's writer, and a bit of a chunk that it packs from words."""
RACE_BIT, RACE_COUNTED, COUNTED_BIT = 2.0, 7.5, 3.5
"""A bit of a max-pool's word, one of its counters, of candidates and of words, and one of the
spikes that a candidate has sent."""
ENCODERS = {
    "radix": (160, 15.5),
    "ttfs": (190, 17),
    "rate": (262, 26),
    "poisson": (420, 45),
    "events": (200, 9),
}
"""By input code: what steers an encoder, and a pixel of a word, or an event's place in one."""
RESULT_BIT, COUNTER = 5, 50
SOFTMAX, STAGE_BIT, TERM_BIT = 170, 3.8, 5
"""What steers a softmax, a bit of the sum in a stage of its comparison, and a bit of a membrane
on its way to the table."""
SPARSE_BIT = 0.75
"""A bit of a weight that is not zero, in LUTs where few are."""
SPLIT = 1.25
"""What a split memory's LUTs become, with the address and the choice between its parts."""
QUEUE_DEPTH, FIFO_DEPTH = 16, 8
BLOCK_WEIGHT, SELECTED_BIT = 128, 0.6


@dataclass(frozen=True)
class Usage:
    """What something takes of an FPGA."""

    lut4: float = 0
    block_rams: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.lut4 + other.lut4, self.block_rams + other.block_rams)

    def cost(self, price: float) -> float:
        """In LUT4, a block RAM being worth ``price`` of them."""
        return self.lut4 + price * self.block_rams


def memory_usage(rows: int, width: int) -> Usage:
    """A memory that is written too, where yosys puts it: to it a block RAM weighs 128, LUT RAM of
    16 × 4 bits four, and a bit that is selected about half a one."""
    banks = ceil(rows / 16)
    in_luts = 4 * banks * ceil(width / 4) + SELECTED_BIT * (banks - 1) * width
    block = read_write(rows, width, MemoryKind.BLOCK)
    cost = (
        block
        if BLOCK_WEIGHT * block.block_rams < in_luts
        else read_write(rows, width, MemoryKind.LUT)
    )
    return Usage(cost.luts, cost.block_rams)


def weight_usage(plan: LayerPlan, path: SynapticPathPlan, kind: MemoryKind) -> Usage:
    """The weight memories of a path. A single row is constants, which adders absorb."""
    if path.weight_depth == 1:
        return Usage()
    cost = read_only(path.weight_depth, plan.lanes * path.weight_bits, kind)
    luts: float = SPLIT * cost.luts if cost.kind == MemoryKind.SPLIT else cost.luts
    if cost.kind == MemoryKind.LUT:
        width = plan.lanes * path.weight_bits
        luts = min(luts, SPARSE_BIT * path.weight_share * path.weight_depth * width)
    count = path.window.scanners
    return Usage(count * luts, count * cost.block_rams)


def path_usage(path: SynapticPathPlan) -> Usage:
    """A window buffer and its scanners."""
    window = path.window
    total = memory_usage(window.depth, window.chunk_width) + _reader(path) + Usage(WRITER)
    if window.pack > 1:
        total += Usage(PACKED_BIT * window.pixel_width)
    address = _bits(path.weight_depth)
    for _ in range(window.scanners):
        flags = 2 if path.kind == PathKind.SPIKES else 1
        queue = memory_usage(QUEUE_DEPTH, window.slice_width + address + flags)
        total += queue + Usage(WAITING_BIT * window.slice_width)
        if path.kind == PathKind.SPIKES:
            total += memory_usage(FIFO_DEPTH, address + 2)
            total += Usage(SCANNER + SCANNED_BIT * window.slice_width + ADDRESS_BIT * address)
    return total


def layer_usage(plan: LayerPlan) -> Usage:
    """All of a layer but its weights."""
    total = Usage(LAYER)
    for path in plan.paths:
        total += path_usage(path)

    # Synapse array: an accumulator a lane, and an adder a lane for each further scanner.
    total += Usage(plan.lanes * (plan.current_width + CARRY))
    bits = sorted(path.weight_bits for path in plan.paths for _ in range(path.window.scanners))
    total += Usage(sum(plan.lanes * (width + ADDER) for width in bits[:-1]))

    # Membrane unit: adders, and a table of constants of two rows a word.
    width = plan.membrane_lanes * plan.membrane_width
    banks = 1 if plan.kind == UnitKind.CONSTANT_CURRENT else plan.banks
    total += memory_usage(banks * plan.membrane_depth, width)
    if plan.fractional:
        total += _leaky_usage(plan)
    else:
        bit = (
            MEMBRANE_BIT
            if plan.kind in (UnitKind.TWO_PHASE, UnitKind.READOUT)
            else SINGLE_PHASE_BIT
        )
        total += Usage(bit * width) + _constants(2 * plan.words, width)
    if plan.kind == UnitKind.CONSTANT_CURRENT:
        held = plan.membrane_lanes * plan.constant_current_width
        total += Usage(HELD_BIT * held) + memory_usage(plan.banks * plan.membrane_depth, held)
    if plan.ramp_in:
        slopes = plan.membrane_lanes * plan.current_width
        total += Usage(MEMBRANE_BIT * slopes) + memory_usage(plan.membrane_depth, slopes)
    if plan.words_per_round > 1:
        total += Usage(PART_BIT * plan.lanes * plan.current_width)
    word = width if plan.gives_logits else plan.membrane_lanes
    if plan.softmax is not None:
        total += softmax_usage(plan.softmax, plan.membrane_width, plan.membrane_lanes)
    return total + memory_usage(FIFO_DEPTH, word)


def softmax_usage(plan: SoftmaxPlan, membrane_width: int, lanes: int) -> Usage:
    """A softmax unit, behind membranes of ``lanes`` a word."""
    total = Usage(SOFTMAX + STAGE_BIT * plan.stages * plan.sum_width)
    total += Usage(TERM_BIT * membrane_width + SELECTED_BIT * (lanes - 1) * membrane_width)
    total += memory_usage(plan.classes, membrane_width)
    total += memory_usage(2 * plan.classes, plan.entry_width)
    total += memory_usage(plan.classes, plan.count_width)
    return total + _constants(plan.entries, plan.entry_width)


def _leaky_usage(plan: LayerPlan) -> Usage:
    """The pipeline of a leak below 2, and its tables, of constants and of levels.

    Few functions of two index bits exist, so that small tables are free.
    """
    places = max(plan.growth_in[1], plan.growth_out[1])
    factors = {plan.growth_in[0]}
    if plan.kind != UnitKind.READOUT:
        factors.add(plan.growth_out[0])
    additions = sum(max(0, len(signed_digits(factor)) - 2) for factor in factors)
    grown = plan.membrane_width + places
    lane = LEAKY_BIT * plan.membrane_width + (GROWN_BIT + DIGIT_BIT * additions) * grown
    total = Usage(LEAKY + plan.membrane_lanes * lane)
    width = plan.membrane_lanes * plan.membrane_width
    for rows in (2 * plan.words, plan.words):
        total += _constants(rows, width) if rows > 4 else Usage()
    return total


def pool_usage(plan: PoolPlan) -> Usage:
    """A max-pool: a window buffer, two bits of state for each candidate of a word, and a word of
    outputs."""
    width = plan.output.width
    states = memory_usage(plan.words * plan.candidates, (plan.count_bits or 2) * width)
    outputs = memory_usage(plan.words, width)
    counted = _bits(plan.words * plan.candidates) + _bits(plan.words)
    race = Usage((RACE_BIT + COUNTED_BIT * plan.count_bits) * width + RACE_COUNTED * counted)
    return path_usage(plan.path) + states + outputs + memory_usage(FIFO_DEPTH, width) + race


def stage_usage(stage: Stage) -> Usage:
    """A whole layer or pool."""
    if isinstance(stage, PoolPlan):
        return pool_usage(stage)
    total = layer_usage(stage)
    for path in stage.paths:
        total += weight_usage(stage, path, path.memory)
    return total


def plan_usage(plan: HardwarePlan) -> dict[str, Usage]:
    """Of each unit by name: the stages' nodes, and "" for what lies between them."""
    rest = encoder_usage(plan.encoder) + Usage(RESULT_BIT * plan.logit_width)
    if plan.counters:
        rest += Usage(COUNTER * (2 + 2 * len(plan.streams) + 2 * len(plan.layers)))
    return {"": rest, **{stage.node: stage_usage(stage) for stage in plan.stages}}


def encoder_usage(plan: EncoderPlan) -> Usage:
    """The input encoder with its frame, or its planes of events."""
    fixed, pixel = ENCODERS[plan.code]
    if plan.code == "events":  # two planes
        plane = memory_usage(plan.plane_depth, plan.word_pixels)
        memory = plane + plane
    else:
        memory = memory_usage(2 * plan.output.words_per_plane, plan.word_pixels * plan.pixel_bits)
    return memory + Usage(fixed + pixel * plan.word_pixels)


def _reader(path: SynapticPathPlan) -> Usage:
    """Counters for the axes of a window and for the address that they give."""
    window = path.window
    axes = (
        window.kernel_row_chunks, window.kernel[0], window.rounds, window.out_columns,
        window.out_rows, window.timesteps, window.slots * window.planes, 2 * window.row_chunks,
        path.weight_depth,
    )  # fmt: skip
    luts = READER_BIT * sum(map(_bits, axes))
    if window.kernel[0] > 1:
        luts += KERNEL_ROWS
    if any(window.padding):
        luts += PADDING
    return Usage(luts)


def _constants(rows: int, width: int) -> Usage:
    """A table that is read; yosys takes a block RAM for one of many rows."""
    cost = read_only(rows, width, MemoryKind.BLOCK if rows >= BLOCK_ROWS else MemoryKind.LUT)
    return Usage(cost.luts, cost.block_rams)


def _bits(count: int) -> int:
    return (count - 1).bit_length()
