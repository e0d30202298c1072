"""Flip-flops of units, counted from the registers that the RTL has; memories are not included."""

from __future__ import annotations

from math import ceil

from hwgen.network import InputCode
from hwgen.plan.units.encoder import EncoderPlan
from hwgen.plan.units.geometry import StreamPlan, WindowPlan
from hwgen.plan.units.hardware_plan import HardwarePlan
from hwgen.plan.units.layer import LayerPlan, UnitKind
from hwgen.plan.units.pool import PoolPlan
from hwgen.plan.units.softmax import SoftmaxPlan
from hwgen.plan.units.synaptic_path import PathKind, SynapticPathPlan

FIFO = 13
"""Slot counters of a credit FIFO."""
COUNTED = 33
"""A performance counter, and the register of its step."""


def path_registers(path: SynapticPathPlan) -> int:
    """Writer and reader of a window buffer, chunk queues and scanners of a synaptic path."""
    window, base = path.window, base_bits(path)
    total = _writer(window) + _reader(path)
    total += base + 1 + window.scanners  # chunk queue
    for _ in range(window.scanners):
        # The slice, whether it is pushed and has spikes, the level, two addresses.
        total += window.slice_width + 14
        if path.kind == PathKind.SPIKES:
            row = bits(path.weight_depth)
            chunk = 1 + window.slice_width + base + 3
            total += 1 + chunk + bits(window.slice_width) + base + 4 + row + 3 + FIFO
    return total


def base_bits(path: SynapticPathPlan) -> int:
    """Bits of a chunk's first weight row that are not always 0: it is a multiple of a slice."""
    depth = bits(path.weight_depth)
    if path.kind != PathKind.SPIKES:
        return depth
    size = path.window.slice_width
    return max(0, depth - ((size & -size).bit_length() - 1))


def layer_registers(plan: LayerPlan) -> int:
    """A layer with its paths."""
    total = sum(map(path_registers, plan.paths))

    # Synapse array: a row of weights per scanner, an adder tree, accumulators and currents.
    widths = []
    for path in plan.paths:
        enables = 2 * (plan.lanes if path.is_masked else 1)
        for _ in range(path.window.scanners):
            total += plan.lanes * path.weight_bits + enables
            widths.append(path.weight_bits)
    levels = 0
    while len(widths) > 1:
        widths = [
            min(plan.current_width, max(pair) + (len(pair) > 1))
            for pair in (widths[n : n + 2] for n in range(0, len(widths), 2))
        ]
        total += plan.lanes * sum(widths)
        levels += 1
    total += 2 * plan.lanes * plan.current_width + 4 * (3 + levels) + 8

    # Serializer: a word's register for each group of lanes, and their OR.
    total += (plan.lanes + plan.membrane_lanes) * plan.current_width + plan.words_per_round + 1
    total += _membrane_unit(plan) + FIFO
    return total + (0 if plan.softmax is None else _softmax(plan.softmax, plan.membrane_width))


def pool_registers(plan: PoolPlan) -> int:
    """A max-pool with its window buffer."""
    width, candidate = plan.output.width, bits(plan.words * plan.candidates)
    state = (plan.count_bits or 2) * width
    delayed = 2 * (width + candidate + bits(plan.words) + 1)
    kept = (1 + plan.count_bits) * width + (0 if plan.count_bits else width)
    issue = candidate + bits(plan.words) + bits(plan.window.timesteps) + 4
    return path_registers(plan.path) + state + delayed + kept + issue + FIFO


def encoder_registers(plan: EncoderPlan) -> int:
    """The input encoder."""
    output = plan.output
    word, steps = plan.word_pixels, bits(output.timesteps)
    if plan.reads_address_events:
        address = bits(plan.plane_depth)
        return plan.input_width + 4 * (address + word) + 3 * address + 3 * steps + 24 + FIFO
    radix = plan.code == InputCode.RADIX
    pixel = min(plan.pixel_bits, output.timesteps) if radix else plan.pixel_bits
    frame = bits(2 * output.words_per_plane)
    total = plan.input_width + 2 * word * pixel + word + 6 * frame + FIFO
    total += 3 * steps + 4 * bits(plan.burst_words) + bits(plan.sample_pixels) + 28
    if plan.code == InputCode.RATE:
        total += 2 * word * pixel
    if plan.code == InputCode.POISSON:
        total += (word + 2) * 32
    return total


def core_registers(plan: HardwarePlan) -> int:
    """Result unit, reset sequencer and performance counters, without :func:`stream_registers`."""
    last = plan.layers[-1]
    index = bits(last.fan_out)
    total = 2 * last.membrane_width + 4 * index + plan.logit_width + 8
    total += 2 + len(plan.stages) + 3
    if plan.counters:
        total += 32 + COUNTED * (2 + 2 * len(plan.streams) + 2 * len(plan.layers))
    return total


def stream_registers(stream: StreamPlan, consumers: int, *, counters: bool) -> int:
    """Fork of a stream to its consumers, and the word that is counted."""
    return consumers * (2 * stream.width + 3) + (stream.width if counters else 0)


def bits(count: int) -> int:
    """Bits of a number below ``count``."""
    return (count - 1).bit_length()


def _axes(*sizes: int) -> int:
    """Nested counters: each with a flag for its last value and one for its wrap."""
    return sum(bits(size) + 2 for size in sizes if size > 1)


def _writer(window: WindowPlan) -> int:
    slots, row = bits(window.slots * window.planes), bits(window.row_chunks + 1)
    total = _axes(window.words, window.columns) + _axes(window.planes) + row + slots
    total += window.word_width * (window.pack - 1)
    if window.chunks > 1 and window.pack > 1:
        total += bits(window.pack) + 1
    if window.wide:
        total += window.chunk_width - window.pixel_width
        total += bits(window.kernel[1] + 1) + bits(window.flush_chunks + 1)
    return total + bits(window.depth) + window.chunk_width + 1  # the memory's write port


def _reader(path: SynapticPathPlan) -> int:
    window = path.window
    (tile_y, tile_x), (ky, kx) = path.tile, window.kernel
    run = (window.chunks, tile_x, kx // tile_x) if tile_x > 1 else (window.kernel_row_chunks,)
    total = _axes(tile_y) if tile_y < ky else 0
    total += _axes(
        *run, window.kernel[0], window.rounds, window.out_columns, window.timesteps, window.out_rows
    )
    slots = bits(window.slots * window.planes)
    total += slots * (2 if window.kernel[0] > 1 else 1)
    total += 2 * bits(window.padding[0] + 1) if window.kernel[0] > 1 else 0
    if not window.wide:
        reach = (window.out_columns - 1) * window.stride[1] + window.kernel[1]
        total += 2 * (max(reach * window.chunks, window.row_pitch).bit_length() + 1)
    total += base_bits(path) * (4 + (tile_x > 1) + (tile_y > 1))
    total += bits(window.depth) + 6 + 3 * any(window.padding)
    total += window.chunk_width * (4 if window.pad_planes else 1)
    return total + bits(window.slots + 1) + 2 * bits(window.row_chunks + 1) + 1


def _membrane_unit(plan: LayerPlan) -> int:
    """Control and pipeline of a membrane unit, with the registers of its constants."""
    word = plan.membrane_lanes * plan.membrane_width
    address = bits(plan.banks * plan.membrane_depth)
    if plan.is_single_phase:
        total = _axes(plan.membrane_depth, plan.timesteps_in) + _axes(plan.words)
        return total + 5 * address + 3 * bits(plan.words) + 16 + 6 * word + plan.membrane_lanes
    total = _axes(plan.positions * plan.rounds, plan.timesteps_in)
    total += _axes(plan.membrane_depth, plan.timesteps_out) + _axes(plan.words)
    total += 6 * plan.banks + bits(plan.membrane_depth) + 1
    total += max(0, plan.membrane_latency - plan.membrane_depth)
    total += max(plan.words_per_round, plan.membrane_latency) + 2
    total += 2 * bits(plan.words) + 2 + word  # address and row of the constants
    if plan.fractional:
        wide = plan.membrane_lanes * max(plan.leak_in.m, plan.leak_out.m)
        total += 6 * (address + 4) + 8 * word + 2 * wide + 10 * plan.membrane_lanes
        total += 2 * plan.membrane_lanes * plan.current_width + 8 * bits(2 * plan.words)
    else:
        total += 3 * address + 12 + 2 * word
    if plan.kind == UnitKind.CONSTANT_CURRENT:
        total += 2 * plan.membrane_lanes * plan.constant_current_width + 3 * address + 4 * word
    if plan.accumulates_slopes:
        total += 2 * plan.membrane_lanes * plan.current_width + 2 * word + address + 5
    return total


def _softmax(plan: SoftmaxPlan, membrane_width: int) -> int:
    stages = plan.stages * (2 * plan.sum_width + 8)
    return (
        stages
        + 3 * membrane_width
        + 2 * plan.random_bits
        + 4 * plan.sum_width
        + ceil(8 * bits(plan.classes))
    )
