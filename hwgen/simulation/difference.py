"""Names what the core did otherwise than expected: the first difference in the data flow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hwgen.simulation.core import Build
from hwgen.simulation.expected import Expected
from hwgen.simulation.layout import StreamLayout

Seen = Mapping[str, Any]


def first_difference(build: Build, expected: Expected, seen: Seen) -> str | None:
    """The earliest difference, or None where the core did all that was expected.

    Streams are judged in the order of the data flow, each by its first wrong word; then the
    results, what is missing, what the AXI4-Stream models received, and the counters.
    """
    states = seen["streams"]
    for layout, state in zip(build.streams, states, strict=True):
        if text := _stream_difference(layout, state, expected.samples):
            return text
    if text := _result_difference(expected, seen["result_stream"]):
        return text
    return (
        _missing(build, expected, seen)
        or _unstable(build, seen)
        or _bus_difference(expected, seen["bus"])
        or _counter_difference(build, expected, seen["counters"])
    )


def _stream_difference(layout: StreamLayout, state: Mapping[str, Any], samples: int) -> str | None:
    if wrong := state.get("wrong"):
        word, measured, wanted = wrong["word"], wrong["data"], wrong["expected"]
        bit = _first_bit(measured, wanted)
        place = layout.locate(word, bit)
        detail = f"word {word % layout.words} of the sample is {measured}, expected {wanted}"
        if place is None:
            sample = word // layout.words
            return f"layer {layout.node!r}, sample {sample}: padding bit {bit} is not 0; {detail}"
        return (
            f"layer {layout.node!r}, sample {place.sample}, "
            f"timestep {place.timestep} of {layout.timesteps}, row {place.row}, "
            f"column {place.column}, channel {place.channel}: spike is {measured[-1 - bit]}, "
            f"expected {wanted[-1 - bit]}; {detail}"
        )
    if extra := state.get("extra"):
        return (
            f"layer {layout.node!r} sends a word after the last of its {samples} samples "
            f"({layout.words * samples} words): {extra['data']}"
        )
    return None


def _first_bit(measured: str, wanted: str) -> int:
    """The lowest bit in which two words differ."""
    return next(
        bit
        for bit, (one, other) in enumerate(zip(reversed(measured), reversed(wanted)))
        if one != other
    )


def _result_difference(expected: Expected, state: Mapping[str, Any]) -> str | None:
    results = expected.results
    if wrong := state.get("wrong"):
        sample, label = results.locate(wrong["word"])
        what = "the class" if label is None else f"the logit of class {label}"
        measured, wanted = wrong["data"], wrong["expected"]
        if measured[1:] == wanted[1:]:
            return f"result of sample {sample}, {what}: tlast is {measured[0]}, not {wanted[0]}"
        return (
            f"result of sample {sample}, {what}: is {_number(measured[1:])}, "
            f"expected {_number(wanted[1:])}"
        )
    if extra := state.get("extra"):
        return (
            f"a result comes after those of all {expected.samples} samples: "
            f"{_number(extra['data'][1:])}"
        )
    return None


def _number(bits: str) -> str:
    """A word of bits as a signed number; as bits where some are undefined."""
    if set(bits) - {"0", "1"}:
        return bits
    value = int(bits, 2)
    return str(value - (1 << len(bits)) if bits[0] == "1" else value)


def _missing(build: Build, expected: Expected, seen: Seen) -> str | None:
    samples, results = expected.samples, expected.results
    progress = [("input", "beats", seen["beats"], sum(expected.beats))]
    for layout, state in zip(build.streams, seen["streams"], strict=True):
        progress.append((layout.node, "words", state["words"], layout.words * samples))
    progress.append(("results", "words", seen["result_stream"]["words"], results.words * samples))
    lacking = [row for row in progress if row[2] < row[3]]
    if not lacking:
        return None
    done = ", ".join(f"{name} {got} of {wanted} {unit}" for name, unit, got, wanted in progress)
    if not seen["stuck"]:
        return f"all results came, but not all that should lead to them: {done}"
    return (
        f"deadlock: nothing has moved for {seen['quiet']} cycles after cycle "
        f"{seen['cycles'] - seen['quiet']}; done: {done}"
    )


def _unstable(build: Build, seen: Seen) -> str | None:
    for layout, state in zip(build.streams, seen["streams"], strict=True):
        if "unstable" in state:
            return (
                f"layer {layout.node!r} changes or withdraws word {state['unstable']} before it "
                f"is taken"
            )
    if "unstable" in (state := seen["result_stream"]):
        return f"result word {state['unstable']} changes or is withdrawn before it is taken"
    return None


def _bus_difference(expected: Expected, bus: Mapping[str, Any] | None) -> str | None:
    if bus is None:
        return None
    frames: Sequence[str] = bus["frames"]
    if len(frames) != expected.samples or not bus["empty"]:
        left = "" if bus["empty"] else " and part of another"
        return f"the sink received {len(frames)} packets{left}, expected {expected.samples}"
    for sample, frame in enumerate(frames):
        if bytes.fromhex(frame) != expected.packets[sample].tobytes():
            return f"the sink's packet of sample {sample} is not that which the core sent: {frame}"
    return None


def _counter_difference(build: Build, expected: Expected, values: Sequence[int]) -> str | None:
    spikes = {
        layout.node: count for layout, count in zip(build.streams, expected.spikes, strict=True)
    }
    for counter, value in zip(build.counters, values, strict=True):
        wanted = None
        if counter.kind == "spikes":
            wanted = spikes.get(counter.node)
        elif counter.kind == "samples":
            wanted = expected.samples
        if wanted is not None and value != wanted % (1 << 32):
            of = f" of layer {counter.node!r}" if counter.node else ""
            return f"counter {counter.kind}{of} is {value}, expected {wanted % (1 << 32)}"
    return None
