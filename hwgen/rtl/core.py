"""The core: encoder, layers, pools and result unit between two AXI4-Streams."""

from collections.abc import Mapping

from amaranth import Cat, Const, Module, ResetInserter, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hwgen.plan.units.counters import CounterKind
from hwgen.plan.units.geometry import StreamPlan
from hwgen.plan.units.hardware_plan import HardwarePlan
from hwgen.plan.units.layer import LayerPlan
from hwgen.plan.units.layer_constants import LayerConstants
from hwgen.rtl.counters import ERROR_WIDTH, CounterBank, SaturatingCounter, popcount
from hwgen.rtl.input.address_event_encoder import AddressEventEncoder
from hwgen.rtl.input.packet_length import PacketLength
from hwgen.rtl.input.pixel_encoder import PixelEncoder
from hwgen.rtl.layer import LayerUnit, word_layout
from hwgen.rtl.names import identifier
from hwgen.rtl.output.result import ResultUnit
from hwgen.rtl.parameters import Parameter
from hwgen.rtl.pool import MaxPool
from hwgen.rtl.streams.fork import StreamFork
from hwgen.rtl.streams.reset_sequencer import ResetSequencer
from hwgen.rtl.synapses.weight_memory import INLINE_BITS

SUBMODULES = (
    "encoder", "results", "counters", "reset_sequencer", "packet_length", "packet_error_counter",
)  # fmt: skip
"""Submodules besides the layers and pools, which are named after their nodes."""


def make_unit(
    plan: HardwarePlan, constants: Mapping[str, LayerConstants], index: int
) -> tuple[LayerUnit | MaxPool, dict[str, str]]:
    """The unit of stage ``index``, and the content of its weight files by name."""
    stage = plan.stages[index]
    if not isinstance(stage, LayerPlan):
        return MaxPool(plan=stage), {}
    values = constants[stage.node]
    sizes = [rows.size * stage.weight_bits for path in values.weights for rows in path]
    files = [
        f"weights_{index}_{n}.hex" if size > INLINE_BITS else None for n, size in enumerate(sizes)
    ]
    unit = LayerUnit(plan=stage, constants=values, files=files)
    return unit, {memory.file: memory.hex_lines() for memory in unit.memories if memory.file}


class Core(wiring.Component):
    """A complete network; ``docs/hardware.md`` describes the ports."""

    plan = Parameter(HardwarePlan)
    constants = Parameter[dict[str, LayerConstants]](dict)
    """Constants of each layer, by its node."""

    def __init__(self, *, plan: HardwarePlan, constants: dict[str, LayerConstants]) -> None:
        self.plan, self.constants = plan, constants
        if missing := {stage.node for stage in plan.layers} - constants.keys():
            raise ValueError(f"constants of {', '.join(sorted(missing))} are missing")
        self.files: dict[str, str] = {}
        """Content of each weight file by name."""
        self.counters = _counters(plan)
        """(node, kind) of each counter, by address."""
        ports = {
            "rst": In(1),
            "s_axis_tdata": In(plan.encoder.input_width),
            "s_axis_tvalid": In(1),
            "s_axis_tready": Out(1),
            "s_axis_tlast": In(1),
            "m_axis_tdata": Out(plan.logit_width),
            "m_axis_tvalid": Out(1),
            "m_axis_tready": In(1),
            "m_axis_tlast": Out(1),
            "packet_errors": Out(ERROR_WIDTH),
        }
        if self.counters:
            ports["counter_address"] = In(range(max(2, len(self.counters))))
            ports["counter_data"] = Out(32)
        for index, stream_plan in enumerate(plan.streams):
            ports[f"tap_{index}_data"] = Out(stream_plan.width)
            ports[f"tap_{index}_valid"] = Out(1)
            ports[f"tap_{index}_ready"] = Out(1)
        encoder = AddressEventEncoder if plan.encoder.reads_address_events else PixelEncoder
        self._encoder = encoder(plan=plan.encoder)
        taken = {*SUBMODULES, "clk", *ports}
        self._units = []
        for index, stage in enumerate(plan.stages):
            unit, files = make_unit(plan, constants, index)
            self.files.update(files)
            self._units.append((_claim(stage.node, taken), unit))
        self._fork_names = {
            stream_plan.node: _claim(f"fork_{stream_plan.node}", taken)
            for stream_plan in plan.streams
        }
        readout = plan.layers[-1]
        self._results = ResultUnit(
            classes=readout.fan_out, word_layout=word_layout(readout), width=plan.logit_width
        )
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        encoder, results = self._encoder, self._results
        chain = [("encoder", encoder), *self._units, ("results", results)]
        m.submodules.reset_sequencer = sequencer = ResetSequencer(units=len(chain))
        # Only the reset of a unit reaches its registers: the core's clock domain has none.
        resets = dict(zip((name for name, _ in chain), sequencer.resets, strict=True))
        for name, unit in chain:
            m.submodules[name] = ResetInserter(resets[name])(unit)
        settled = sequencer.settled
        m.d.comb += [
            sequencer.rst.eq(self.rst),
            # Beats of pixels are counted; only the address-event encoder uses tlast.
            encoder.beats.payload.eq(Cat(self.s_axis_tdata, self.s_axis_tlast)),
            encoder.beats.valid.eq(self.s_axis_tvalid & settled),
            self.s_axis_tready.eq(encoder.beats.ready & settled),
            self.m_axis_tdata.eq(results.results.payload.data),
            self.m_axis_tlast.eq(results.results.payload.last),
            self.m_axis_tvalid.eq(results.results.valid & settled),
            results.results.ready.eq(self.m_axis_tready),
        ]
        sources = [(name, unit.words) for name, unit in chain[:-1]]
        for index, (stream_plan, (name, words)) in enumerate(
            zip(self.plan.streams, sources[:-1], strict=True)
        ):
            m.d.comb += [
                getattr(self, f"tap_{index}_data").eq(words.payload),
                getattr(self, f"tap_{index}_valid").eq(words.valid & settled),
                getattr(self, f"tap_{index}_ready").eq(words.ready),
            ]
            self._distribute(m, stream_plan, words, resets[name])
        wiring.connect(m, sources[-1][1], results.logits)
        self._check_packets(m, resets["encoder"])
        if self.counters:
            self._count(m, resets["encoder"])
        return m

    def _check_packets(self, m: Module, reset: Value) -> None:
        """Count what shows that an input packet is too long, too short or out of order."""
        counter = SaturatingCounter()
        m.submodules.packet_error_counter = ResetInserter(reset)(counter)
        m.d.comb += self.packet_errors.eq(counter.total)
        if self.plan.encoder.reads_address_events:  # a packet has any number of beats
            m.d.comb += counter.step.eq(self._encoder.disordered)
            return
        length = PacketLength(beats=self.plan.encoder.beats)
        m.submodules.packet_length = ResetInserter(reset)(length)
        m.d.comb += [
            length.moved.eq(self.s_axis_tvalid & self.s_axis_tready),
            length.last.eq(self.s_axis_tlast),
            counter.step.eq(length.wrong),
        ]

    def _distribute(self, m: Module, stream_plan: StreamPlan, words: Value, reset: Value) -> None:
        """Connect a stream to all units that read it."""
        consumers = [
            unit.inputs if isinstance(unit, MaxPool) else getattr(unit, f"inputs_{index}")
            for stage, (_, unit) in zip(self.plan.stages, self._units, strict=True)
            for index, source in enumerate(stage.sources)
            if source == stream_plan.node
        ]
        fork = StreamFork(shape=stream_plan.width, consumers=len(consumers))
        m.submodules[self._fork_names[stream_plan.node]] = ResetInserter(reset)(fork)
        wiring.connect(m, words, fork.words)
        for copy, consumer in zip(fork.copies, consumers, strict=True):
            wiring.connect(m, copy, consumer)

    def _count(self, m: Module, reset: Value) -> None:
        """Connect every counter to what it counts."""
        steps: dict[tuple[str, CounterKind], Value] = {("", CounterKind.CYCLES): Const(1, 1)}
        sample = Signal()
        m.d.comb += sample.eq(self.m_axis_tvalid & self.m_axis_tready & self.m_axis_tlast)
        steps["", CounterKind.SAMPLES] = sample
        for index, stream_plan in enumerate(self.plan.streams):
            data = getattr(self, f"tap_{index}_data")
            valid = getattr(self, f"tap_{index}_valid")
            ready = getattr(self, f"tap_{index}_ready")
            # Counted one cycle later, so that the popcount is not on the path of the stream.
            sent = Signal.like(data, name=f"sent_{index}")
            m.d.sync += sent.eq(0)
            with m.If(valid & ready):
                m.d.sync += sent.eq(data)
            steps[stream_plan.node, CounterKind.SPIKES] = popcount(sent)
            steps[stream_plan.node, CounterKind.BLOCKED] = valid & ~ready
        for (_, unit), stage in zip(self._units, self.plan.stages, strict=True):
            if isinstance(unit, LayerUnit):
                steps[stage.node, CounterKind.BUSY] = unit.busy
                steps[stage.node, CounterKind.STALL] = unit.stall
        values = [steps[counter] for counter in self.counters]
        bank = CounterBank(widths=[len(value) for value in values])
        m.submodules.counters = ResetInserter(reset)(bank)
        m.d.comb += [getattr(bank, f"step_{n}").eq(value) for n, value in enumerate(values)]
        m.d.comb += [bank.address.eq(self.counter_address), self.counter_data.eq(bank.data)]


def _claim(name: str, taken: set[str]) -> str:
    """A Verilog identifier for ``name`` that is not in ``taken``, to which it is added."""
    chosen = identifier(name, taken=taken)
    taken.add(chosen)
    return chosen


def _counters(plan: HardwarePlan) -> list[tuple[str, CounterKind]]:
    """(node, kind) of each counter of the core."""
    if not plan.counters:
        return []
    counters = [("", CounterKind.CYCLES), ("", CounterKind.SAMPLES)]
    for stream_plan in plan.streams:
        counters += [(stream_plan.node, kind) for kind in (CounterKind.SPIKES, CounterKind.BLOCKED)]
    for stage in plan.layers:
        counters += [(stage.node, kind) for kind in (CounterKind.BUSY, CounterKind.STALL)]
    return counters
