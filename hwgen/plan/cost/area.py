"""Resources of units, estimated from the plan alone: LUT4, flip-flops and block RAMs.

Counted as synthesis counts: a carry cell of an ECP5 is two LUT4, 16 × 4 bits of distributed RAM are
six. Each term is a part of a unit; the coefficients are fitted to the results of yosys for the ECP5
(``benchmarks/resources.py``) and hold for an iCE40 too, whose memories differ. Coefficients named
``…_BIT`` are LUT4 per bit. Flip-flops are counted, not fitted (:mod:`hwgen.plan.cost.registers`).
"""

from __future__ import annotations

from dataclasses import replace

from hwgen.network import InputCode
from hwgen.plan.cost import registers
from hwgen.plan.cost.fabric import ECP5, Fabric
from hwgen.plan.cost.registers import base_bits, bits
from hwgen.plan.cost.usage import (
    FIFO_ROWS,
    SELECTED_BIT,
    Usage,
    constants_usage,
    fifo_usage,
    memory_usage,
    weight_usage,
)
from hwgen.plan.units.encoder import EncoderPlan
from hwgen.plan.units.hardware_plan import HardwarePlan
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
RESULT_BIT, COUNTER, FORKED = 5, 90, 9
"""A bit of the result unit, a performance counter with its input to a multiplexer of 32 bits, and
the skid buffer of a stream."""
SOFTMAX, STAGE_BIT, TERM_BIT = 170, 3.8, 5
"""A softmax unit: control, a bit of the sum in each comparison stage, and a bit of a membrane on
its way to the table."""


def path_usage(path: SynapticPathPlan, fabric: Fabric = ECP5) -> Usage:
    """A window buffer and its scanners, without their registers."""
    window = path.window
    total = memory_usage(window.depth, window.chunk_width, fabric)
    logic = _reader(path) + WRITER
    if window.pack > 1:
        logic += PACKED_BIT * window.pixel_width
    address, base = bits(path.weight_depth), base_bits(path)
    for _ in range(window.scanners):
        flags = 2 if path.kind == PathKind.SPIKES else 1
        total += fifo_usage(window.slice_width + base + flags, fabric)
        logic += QUEUED_BIT * window.slice_width
        if path.kind == PathKind.SPIKES:
            total += fifo_usage(address + 2, fabric)
            logic += SCANNER + SCANNED_BIT * window.slice_width + ADDRESS_BIT * address
    return total + Usage(logic)


def layer_usage(plan: LayerPlan, fabric: Fabric = ECP5) -> Usage:
    """A layer without its weights."""
    total = sum((path_usage(path, fabric) for path in plan.paths), Usage())
    logic: float = LAYER

    # Synapse array: an accumulator per lane, and an adder per lane for each further scanner.
    logic += plan.lanes * (plan.current_width + CARRY)
    widths = sorted(path.weight_bits for path in plan.paths for _ in range(path.window.scanners))
    logic += sum(plan.lanes * (width + ADDER) for width in widths[:-1])

    # Membrane unit: adders, and a table of constants with two rows per word.
    width = plan.membrane_lanes * plan.membrane_width
    banks = 1 if plan.kind == UnitKind.CONSTANT_CURRENT else plan.banks
    total += memory_usage(banks * plan.membrane_depth, width, fabric)
    if plan.fractional:
        total += _leaky_usage(plan, fabric)
    else:
        logic += (MEMBRANE_BIT if plan.kind.is_two_phase else SINGLE_PHASE_BIT) * width
        total += constants_usage(2 * plan.words, width, fabric)
    if plan.kind == UnitKind.CONSTANT_CURRENT:
        currents = plan.membrane_lanes * plan.constant_current_width
        logic += CONSTANT_CURRENT_BIT * currents
        total += memory_usage(plan.banks * plan.membrane_depth, currents, fabric)
    if plan.accumulates_slopes:
        slopes = plan.membrane_lanes * plan.current_width
        logic += MEMBRANE_BIT * slopes
        total += memory_usage(plan.membrane_depth, slopes, fabric)
    if plan.words_per_round > 1:
        logic += SERIALIZED_BIT * plan.lanes * plan.current_width
    if plan.softmax is not None:
        total += softmax_usage(plan.softmax, plan.membrane_width, plan.membrane_lanes, fabric)
    total += _output_fifo(plan, fabric)
    return total + Usage(logic, ff=registers.layer_registers(plan))


def _output_fifo(plan: LayerPlan, fabric: Fabric) -> Usage:
    """The FIFO of a membrane unit. Logits that come one at a time are read into a register of the
    result unit, which makes the FIFO a memory that is read by the clock."""
    if not plan.gives_logits:
        return fifo_usage(plan.membrane_lanes, fabric)
    width = plan.membrane_lanes * plan.membrane_width
    if plan.membrane_lanes > 1 or fabric.has_lut_ram:
        return fifo_usage(width, fabric)
    return memory_usage(FIFO_ROWS, width, fabric)


def softmax_usage(
    plan: SoftmaxPlan, membrane_width: int, lanes: int, fabric: Fabric = ECP5
) -> Usage:
    """A softmax unit that reads words of ``lanes`` membranes, without its registers."""
    logic = SOFTMAX + STAGE_BIT * plan.stages * plan.sum_width
    logic += TERM_BIT * membrane_width + SELECTED_BIT * (lanes - 1) * membrane_width
    total = memory_usage(plan.classes, membrane_width, fabric)
    total += memory_usage(2 * plan.classes, plan.entry_width, fabric)
    total += memory_usage(plan.classes, plan.count_width, fabric)
    total += constants_usage(plan.entries, plan.entry_width, fabric)
    return total + Usage(logic)


def _leaky_usage(plan: LayerPlan, fabric: Fabric) -> Usage:
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
        total += constants_usage(rows, width, fabric) if rows > 4 else Usage()
    return total


def pool_usage(plan: PoolPlan, fabric: Fabric = ECP5) -> Usage:
    """A max-pool: a window buffer, the state of each candidate of a word, and a word of outputs."""
    width = plan.output.width
    total = path_usage(plan.path, fabric) + fifo_usage(width, fabric)
    total += memory_usage(plan.words * plan.candidates, (plan.count_bits or 2) * width, fabric)
    total += memory_usage(plan.words, width, fabric)
    counted = bits(plan.words * plan.candidates) + bits(plan.words)
    race = (RACE_BIT + SPIKE_COUNT_BIT * plan.count_bits) * width + COUNTER_BIT * counted
    return total + Usage(race, ff=registers.pool_registers(plan))


def stage_usage(stage: Stage, fabric: Fabric = ECP5) -> Usage:
    """A layer with its weights, or a pool."""
    if isinstance(stage, PoolPlan):
        return pool_usage(stage, fabric)
    weights = (weight_usage(stage, path, path.memory, fabric) for path in stage.paths)
    return sum(weights, layer_usage(stage, fabric))


def plan_usage(plan: HardwarePlan, fabric: Fabric = ECP5) -> dict[str, Usage]:
    """Resources of each stage by node; "" for the logic between the stages."""
    rest = core_usage(plan, fabric)
    usage = {}
    for stage in plan.stages:
        usage[stage.node] = with_margin(stage_usage(stage, fabric), fabric)
        rest += output_usage(stage, plan.consumers(stage.node), fabric, counters=plan.counters)
    return {"": rest, **usage}


def core_usage(plan: HardwarePlan, fabric: Fabric = ECP5) -> Usage:
    """What does not depend on how the stages are built: input, counters, control, the result."""
    logic = RESULT_BIT * plan.layers[-1].membrane_width + FORKED * len(plan.streams)
    if plan.counters:
        logic += COUNTER * (2 + 2 * len(plan.streams) + 2 * len(plan.layers))
    source = plan.encoder.output
    ff = registers.core_registers(plan) + registers.stream_registers(
        source, plan.consumers(source.node), counters=plan.counters
    )
    return with_margin(encoder_usage(plan.encoder, fabric) + Usage(logic, ff=ff), fabric)


def output_usage(stage: Stage, consumers: int, fabric: Fabric = ECP5, *, counters: bool) -> Usage:
    """What follows a stage: forks of its stream, or the choice of one membrane as a logit."""
    if isinstance(stage, LayerPlan) and stage.gives_logits:
        chosen = SELECTED_BIT * (stage.membrane_lanes - 1) * stage.membrane_width
        return with_margin(Usage(chosen), fabric)
    ff = registers.stream_registers(stage.output, consumers, counters=counters)
    return Usage(ff=ff)


def with_margin(usage: Usage, fabric: Fabric) -> Usage:
    """``usage`` with a margin on LUT4, so that synthesis finds no more."""
    return replace(usage, lut4=fabric.margin * usage.lut4)


def encoder_usage(plan: EncoderPlan, fabric: Fabric = ECP5) -> Usage:
    """The input encoder with its frame memory, or with its planes of address events."""
    fixed, pixel = ENCODERS[plan.code]
    if plan.reads_address_events:  # two planes
        plane = memory_usage(plan.plane_depth, plan.word_pixels, fabric)
        memory = plane + plane
    else:
        depth, width = 2 * plan.output.words_per_plane, plan.word_pixels * plan.pixel_bits
        memory = memory_usage(depth, width, fabric)
    if not fabric.has_lut_ram:
        memory += fifo_usage(plan.word_pixels, fabric)
    logic = fabric.encoder * (fixed + pixel * plan.word_pixels)
    return memory + Usage(logic, ff=registers.encoder_registers(plan))


def _reader(path: SynapticPathPlan) -> float:
    """LUT4 of a window's reader: counters for its axes and for the address."""
    window = path.window
    axes = (
        window.kernel_row_chunks, window.kernel[0], window.rounds, window.out_columns,
        window.out_rows, window.timesteps, window.slots * window.planes, 2 * window.row_chunks,
        path.weight_depth,
    )  # fmt: skip
    extras = KERNEL_ROWS * (window.kernel[0] > 1) + PADDING * any(window.padding)
    return READER_BIT * sum(map(bits, axes)) + extras
