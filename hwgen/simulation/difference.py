"""Finds the first difference between a simulation and golden, in the order of the data flow."""

from __future__ import annotations

from hwgen.artefact.build_folder import Manifest
from hwgen.plan.units.counters import CounterKind
from hwgen.simulation.expected import Expected
from hwgen.simulation.layout import StreamLayout
from hwgen.simulation.simulation_log import CheckerState, SimulationLog, SinkState


def first_difference(manifest: Manifest, expected: Expected, log: SimulationLog) -> str | None:
    """Message that names the first difference, or None if there is none.

    Streams are compared first, in the order of the data flow and each by its first wrong word; then
    the results, missing words, the packets of the AXI4-Stream sink, the counters and packet_errors.
    """
    for layout, state in zip(expected.streams, log.streams, strict=True):
        if text := _stream_difference(layout, state, expected.samples):
            return text
    return (
        _result_difference(expected, log.results)
        or _missing(expected, log)
        or _unstable(expected, log)
        or _sink_difference(expected, log.sink)
        or _counter_difference(manifest, expected, log)
        or _packet_errors(log)
    )


def _stream_difference(layout: StreamLayout, state: CheckerState, samples: int) -> str | None:
    if wrong := state.wrong:
        pairs = zip(reversed(wrong.data), reversed(wrong.expected), strict=True)
        bit = next(bit for bit, (one, other) in enumerate(pairs) if one != other)
        position = layout.locate(wrong.word, bit)
        sample, word = divmod(wrong.word, layout.words)
        detail = f"word {word} of the sample is {wrong.data}, expected {wrong.expected}"
        if position is None:
            return f"layer {layout.node!r}, sample {sample}: padding bit {bit} is not 0; {detail}"
        return (
            f"layer {layout.node!r}, sample {position.sample}, "
            f"timestep {position.timestep} of {layout.entry.timesteps}, row {position.row}, "
            f"column {position.column}, channel {position.channel}: "
            f"spike is {wrong.data[-1 - bit]}, expected {wrong.expected[-1 - bit]}; {detail}"
        )
    if state.extra:
        return (
            f"layer {layout.node!r} sends a word after the last of its {samples} samples "
            f"({layout.words * samples} words): {state.extra.data}"
        )
    return None


def _result_difference(expected: Expected, state: CheckerState) -> str | None:
    if wrong := state.wrong:
        sample, label = expected.results.locate(wrong.word)
        word = "the class" if label is None else f"the logit of class {label}"
        where = f"result of sample {sample}, {word}"
        if wrong.data[1:] == wrong.expected[1:]:
            return f"{where}: tlast is {wrong.data[0]}, not {wrong.expected[0]}"
        measured, wanted = _number(wrong.data[1:]), _number(wrong.expected[1:])
        return f"{where}: is {measured}, expected {wanted}"
    if state.extra:
        return (
            f"a result comes after those of all {expected.samples} samples: "
            f"{_number(state.extra.data[1:])}"
        )
    return None


def _number(bits: str) -> str:
    """A word of bits as a signed number; the bits themselves if some are undefined."""
    if set(bits) - {"0", "1"}:
        return bits
    value = int(bits, 2)
    return str(value - (1 << len(bits)) if bits[0] == "1" else value)


def _missing(expected: Expected, log: SimulationLog) -> str | None:
    samples = expected.samples
    progress = [
        ("input", "beats", log.beats, sum(expected.beats)),
        *(
            (layout.node, "words", state.words, layout.words * samples)
            for layout, state in zip(expected.streams, log.streams, strict=True)
        ),
        ("results", "words", log.results.words, expected.results.words * samples),
    ]
    if all(got >= wanted for _, _, got, wanted in progress):
        return None
    done = ", ".join(f"{name} {got} of {wanted} {unit}" for name, unit, got, wanted in progress)
    if not log.stuck:
        return f"all results came, but not all words that lead to them: {done}"
    return (
        f"deadlock: nothing has moved for {log.quiet} cycles after cycle "
        f"{log.cycles - log.quiet}; done: {done}"
    )


def _unstable(expected: Expected, log: SimulationLog) -> str | None:
    for layout, state in zip(expected.streams, log.streams, strict=True):
        if state.unstable is not None:
            word = f"word {state.unstable}"
            return f"layer {layout.node!r} changes or withdraws {word} before it is taken"
    if log.results.unstable is not None:
        return f"result word {log.results.unstable} changes or is withdrawn before it is taken"
    return None


def _sink_difference(expected: Expected, sink: SinkState | None) -> str | None:
    if sink is None:
        return None
    if len(sink.packets) != expected.samples or not sink.empty:
        left = "" if sink.empty else " and part of another"
        return f"the sink received {len(sink.packets)} packets{left}, expected {expected.samples}"
    for sample, packet in enumerate(sink.packets):
        if bytes.fromhex(packet) != expected.packets[sample].tobytes():
            return f"the sink's packet of sample {sample} differs from the core's: {packet}"
    return None


def _counter_difference(manifest: Manifest, expected: Expected, log: SimulationLog) -> str | None:
    spikes = dict(zip((s.node for s in expected.streams), expected.spikes, strict=True))
    for counter, value in zip(manifest.counters, log.counters, strict=True):
        wanted = None
        if counter.kind is CounterKind.SPIKES:
            wanted = spikes.get(counter.node)
        elif counter.kind is CounterKind.SAMPLES:
            wanted = expected.samples
        if wanted is not None and value != wanted % (1 << 32):
            of = f" of layer {counter.node!r}" if counter.node else ""
            return f"counter {counter.kind}{of} is {value}, expected {wanted % (1 << 32)}"
    return None


def _packet_errors(log: SimulationLog) -> str | None:
    if log.packet_errors:
        return f"packet_errors is {log.packet_errors} after correct packets, expected 0"
    return None
