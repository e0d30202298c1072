"""Resources of units on an ECP5, estimated from the plan alone: LUT4 and block RAMs.

Counted as synthesis counts: a carry cell is two LUT4, 16 × 4 bits of distributed RAM are six. Each
term is a part of a unit; the coefficients are fitted to the results of yosys
(``benchmarks/resources.py``). Coefficients named ``…_BIT`` are LUT4 per bit.
"""

from __future__ import annotations

from hwgen.network import InputCode
from hwgen.plan.cost.usage import SELECTED_BIT, Usage, constants_usage, memory_usage, weight_usage
from hwgen.plan.units.encoder import EncoderPlan
from hwgen.plan.units.hardware_plan import HardwarePlan
from hwgen.plan.units.latencies import CHUNK_QUEUE_DEPTH
from hwgen.plan.units.layer import LayerPlan, UnitKind
from hwgen.plan.units.pool import PoolPlan, Stage
from hwgen.plan.units.signed_digits import signed_digits
from hwgen.plan.units.softmax import SoftmaxPlan
from hwgen.plan.units.synaptic_path import PathKind, SynapticPathPlan

LAYER = 125
"""Control of a layer: grants, passes, the ends of its FIFOs."""
CARRY, ADDER = 1.5, 2.3
"""Extra bits of a lane's accumulator, and of the adder of each further scanner."""
MEMBRANE_BIT, SINGLE_PHASE_BIT, CONSTANT_CURRENT_BIT = 1.05, 1.6, 1.05
"""Adders of two-phase membranes, of single-phase ones, and of a constant current."""
LEAKY, LEAKY_BIT, GROWN_BIT, DIGIT_BIT = 39, 2.2, 3.6, 0.9
"""Membranes that grow by less than 2: control, a bit that is added and restored, a bit of the grown
membrane with its fraction, and of each addition beyond two terms."""
SERIALIZED_BIT = 0.52
"""Currents that are serialized into membrane words."""
SCANNER, SCANNED_BIT, ADDRESS_BIT = 38, 2.6, 1.0
"""A scanner: ends of its FIFO, priority encoder, and address of the weights."""
QUEUED_BIT = 3.0
"""A bit of a slice: cut from a chunk, tested, and queued."""
READER_BIT, KERNEL_ROWS, PADDING = 3.0, 45, 15
"""A window's reader: a bit of a counter, a kernel of several rows, and taps outside the map."""
WRITER, PACKED_BIT = 20, 0.3
"""A window's writer, and a bit of a chunk that it packs from words."""
RACE_BIT, COUNTER_BIT, SPIKE_COUNT_BIT = 2.0, 7.5, 3.5
"""A max-pool: a bit of its word, a bit of its counters of candidates and words, and a bit of a
candidate's spike count."""
ENCODERS = {
    InputCode.RADIX: (160, 15.5),
    InputCode.TTFS: (190, 17),
    InputCode.RATE: (262, 26),
    InputCode.POISSON: (420, 45),
    InputCode.EVENTS: (200, 9),
}
"""By input code: LUT4 of an encoder, and of each pixel of its word."""
RESULT_BIT, COUNTER = 5, 50
"""A bit of the result unit, and a performance counter."""
SOFTMAX, STAGE_BIT, TERM_BIT = 170, 3.8, 5
"""A softmax unit: control, a bit of the sum in each comparison stage, and a bit of a membrane on
its way to the table."""
FIFO_DEPTH = 8
"""Depth at which the FIFOs of units were fitted."""


def path_usage(path: SynapticPathPlan) -> Usage:
    """A window buffer and its scanners."""
    window = path.window
    total = memory_usage(window.depth, window.chunk_width) + _reader(path) + Usage(WRITER)
    if window.pack > 1:
        total += Usage(PACKED_BIT * window.pixel_width)
    address = _bits(path.weight_depth)
    for _ in range(window.scanners):
        flags = 2 if path.kind == PathKind.SPIKES else 1
        queue = memory_usage(CHUNK_QUEUE_DEPTH, window.slice_width + address + flags)
        total += queue + Usage(QUEUED_BIT * window.slice_width)
        if path.kind == PathKind.SPIKES:
            total += memory_usage(FIFO_DEPTH, address + 2)
            total += Usage(SCANNER + SCANNED_BIT * window.slice_width + ADDRESS_BIT * address)
    return total


def layer_usage(plan: LayerPlan) -> Usage:
    """A layer without its weights."""
    total = sum(map(path_usage, plan.paths), Usage(LAYER))

    # Synapse array: an accumulator per lane, and an adder per lane for each further scanner.
    total += Usage(plan.lanes * (plan.current_width + CARRY))
    bits = sorted(path.weight_bits for path in plan.paths for _ in range(path.window.scanners))
    total += Usage(sum(plan.lanes * (width + ADDER) for width in bits[:-1]))

    # Membrane unit: adders, and a table of constants with two rows per word.
    width = plan.membrane_lanes * plan.membrane_width
    banks = 1 if plan.kind == UnitKind.CONSTANT_CURRENT else plan.banks
    total += memory_usage(banks * plan.membrane_depth, width)
    if plan.fractional:
        total += _leaky_usage(plan)
    else:
        bit = MEMBRANE_BIT if plan.kind.is_two_phase else SINGLE_PHASE_BIT
        total += Usage(bit * width) + constants_usage(2 * plan.words, width)
    if plan.kind == UnitKind.CONSTANT_CURRENT:
        currents = plan.membrane_lanes * plan.constant_current_width
        total += Usage(CONSTANT_CURRENT_BIT * currents)
        total += memory_usage(plan.banks * plan.membrane_depth, currents)
    if plan.accumulates_slopes:
        slopes = plan.membrane_lanes * plan.current_width
        total += Usage(MEMBRANE_BIT * slopes) + memory_usage(plan.membrane_depth, slopes)
    if plan.words_per_round > 1:
        total += Usage(SERIALIZED_BIT * plan.lanes * plan.current_width)
    word = width if plan.gives_logits else plan.membrane_lanes
    if plan.softmax is not None:
        total += softmax_usage(plan.softmax, plan.membrane_width, plan.membrane_lanes)
    return total + memory_usage(FIFO_DEPTH, word)


def softmax_usage(plan: SoftmaxPlan, membrane_width: int, lanes: int) -> Usage:
    """A softmax unit that reads words of ``lanes`` membranes."""
    total = Usage(SOFTMAX + STAGE_BIT * plan.stages * plan.sum_width)
    total += Usage(TERM_BIT * membrane_width + SELECTED_BIT * (lanes - 1) * membrane_width)
    total += memory_usage(plan.classes, membrane_width)
    total += memory_usage(2 * plan.classes, plan.entry_width)
    total += memory_usage(plan.classes, plan.count_width)
    return total + constants_usage(plan.entries, plan.entry_width)


def _leaky_usage(plan: LayerPlan) -> Usage:
    """The pipeline of a leak below 2, with its tables of constants and of levels.

    Tables of up to four rows are free: there are few functions of two index bits.
    """
    fraction_bits = max(plan.leak_in.m, plan.leak_out.m)
    factors = {plan.leak_in.numerator}
    if plan.kind != UnitKind.READOUT:
        factors.add(plan.leak_out.numerator)
    additions = sum(max(0, len(signed_digits(factor)) - 2) for factor in factors)
    grown = plan.membrane_width + fraction_bits
    lane = LEAKY_BIT * plan.membrane_width + (GROWN_BIT + DIGIT_BIT * additions) * grown
    total = Usage(LEAKY + plan.membrane_lanes * lane)
    width = plan.membrane_lanes * plan.membrane_width
    for rows in (2 * plan.words, plan.words):
        total += constants_usage(rows, width) if rows > 4 else Usage()
    return total


def pool_usage(plan: PoolPlan) -> Usage:
    """A max-pool: a window buffer, the state of each candidate of a word, and a word of outputs."""
    width = plan.output.width
    states = memory_usage(plan.words * plan.candidates, (plan.count_bits or 2) * width)
    outputs = memory_usage(plan.words, width)
    counted = _bits(plan.words * plan.candidates) + _bits(plan.words)
    race = Usage((RACE_BIT + SPIKE_COUNT_BIT * plan.count_bits) * width + COUNTER_BIT * counted)
    return path_usage(plan.path) + states + outputs + memory_usage(FIFO_DEPTH, width) + race


def stage_usage(stage: Stage) -> Usage:
    """A layer with its weights, or a pool."""
    if isinstance(stage, PoolPlan):
        return pool_usage(stage)
    weights = (weight_usage(stage, path, path.memory) for path in stage.paths)
    return sum(weights, layer_usage(stage))


def plan_usage(plan: HardwarePlan) -> dict[str, Usage]:
    """Resources of each stage by node; "" for the logic between the stages."""
    rest = encoder_usage(plan.encoder) + Usage(RESULT_BIT * plan.logit_width)
    if plan.counters:
        rest += Usage(COUNTER * (2 + 2 * len(plan.streams) + 2 * len(plan.layers)))
    return {"": rest, **{stage.node: stage_usage(stage) for stage in plan.stages}}


def encoder_usage(plan: EncoderPlan) -> Usage:
    """The input encoder with its frame memory, or with its planes of address events."""
    fixed, pixel = ENCODERS[plan.code]
    if plan.reads_address_events:  # two planes
        plane = memory_usage(plan.plane_depth, plan.word_pixels)
        memory = plane + plane
    else:
        memory = memory_usage(2 * plan.output.words_per_plane, plan.word_pixels * plan.pixel_bits)
    return memory + Usage(fixed + pixel * plan.word_pixels)


def _reader(path: SynapticPathPlan) -> Usage:
    """A window's reader: counters for its axes and for the address."""
    window = path.window
    axes = (
        window.kernel_row_chunks, window.kernel[0], window.rounds, window.out_columns,
        window.out_rows, window.timesteps, window.slots * window.planes, 2 * window.row_chunks,
        path.weight_depth,
    )  # fmt: skip
    extras = KERNEL_ROWS * (window.kernel[0] > 1) + PADDING * any(window.padding)
    return Usage(READER_BIT * sum(map(_bits, axes)) + extras)


def _bits(count: int) -> int:
    return (count - 1).bit_length()
