"""The core: encoder, layers, pools and result unit between two AXI4-Streams."""

from amaranth import Cat, Const, Module, ResetInserter, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hwgen.plan.units.layer import LayerPlan
from hwgen.plan.units.weight_rows import pack_weights
from hwgen.rtl.counters import CounterBank, popcount
from hwgen.rtl.input.address_event_encoder import AddressEventEncoder
from hwgen.rtl.input.pixel_encoder import PixelEncoder
from hwgen.rtl.layer import LayerUnit, word_shape
from hwgen.rtl.names import identifier
from hwgen.rtl.output.result import ResultUnit
from hwgen.rtl.pool import MaxPool
from hwgen.rtl.streams.fork import StreamFork
from hwgen.rtl.streams.reset_sequencer import ResetSequencer
from hwgen.rtl.synapses.weight_memory import INLINE_BITS

SUBMODULES = ("encoder", "results", "counters", "reset_sequencer")
"""Those beside the layers and pools, which are called after their nodes."""


def make_unit(plan, network, index):
    """The unit of a stage of the plan, by its index, and its weight files by name."""
    stage = plan.stages[index]
    if not isinstance(stage, LayerPlan):
        return MaxPool(plan=stage), {}
    layer = next(node for node in network if node.name == stage.node)
    weights = [
        pack_weights(projection, feed, stage, plan.stream(feed.source))
        for projection, feed in zip(layer.projections, stage.paths, strict=True)
    ]
    rows = [rows for of_scanners in weights for rows in of_scanners]
    large = [part.size * stage.weight_bits > INLINE_BITS for part in rows]
    names = [f"weights_{index}_{n}.hex" if is_large else None for n, is_large in enumerate(large)]
    given = network.train_types[layer.sources[0]]
    unit = LayerUnit(stage, layer, given, weights=weights, files=names)
    return unit, {memory.file: memory.hex_lines() for memory in unit.memories if memory.file}


class Core(wiring.Component):
    """A whole network. ``docs/hardware.md`` describes its ports.

    Parameters
    ----------
    plan : :class:`hwgen.plan.units.hardware_plan.HardwarePlan`
    network : :class:`hwgen.network.Network`

    Attributes
    ----------
    files : :class:`dict`
        Content of each weight file by name.
    counters : list of (node, kind)
        What each counter counts, by address.
    """

    def __init__(self, plan, network):
        self._plan = plan
        self.files = {}
        self.counters = []
        self._list_counters()
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
        }
        if self.counters:
            ports["counter_address"] = In(range(max(2, len(self.counters))))
            ports["counter_data"] = Out(32)
        for index, stream_plan in enumerate(plan.streams):
            ports[f"tap_{index}_data"] = Out(stream_plan.width)
            ports[f"tap_{index}_valid"] = Out(1)
            ports[f"tap_{index}_ready"] = Out(1)
        events = plan.encoder.code == "events"
        self._encoder = (AddressEventEncoder if events else PixelEncoder)(plan=plan.encoder)
        taken = {*SUBMODULES, "clk", *ports}
        self._units = self._make_units(network, taken=taken)
        self._fork_names = {}
        for stream_plan in plan.streams:
            name = identifier(f"fork_{stream_plan.node}", taken=taken)
            taken.add(name)
            self._fork_names[stream_plan.node] = name
        self._results = ResultUnit(
            classes=network.classes,
            word_layout=word_shape(plan.stages[-1]),
            width=plan.logit_width,
        )
        super().__init__(ports)

    def _make_units(self, network, *, taken):
        units = []
        for index, stage in enumerate(self._plan.stages):
            name = identifier(stage.node, taken=taken)
            taken.add(name)
            unit, files = make_unit(self._plan, network, index)
            self.files.update(files)
            units.append((name, unit))
        return units

    def _list_counters(self):
        if not self._plan.counters:
            return
        self.counters += [("", "cycles"), ("", "samples")]
        for stream_plan in self._plan.streams:
            self.counters += [(stream_plan.node, "spikes"), (stream_plan.node, "blocked")]
        for stage in self._plan.layers:
            self.counters += [(stage.node, "busy"), (stage.node, "stall")]

    def elaborate(self, platform):
        m = Module()
        encoder, results = self._encoder, self._results
        chain = [("encoder", encoder), *self._units, ("results", results)]
        m.submodules.reset_sequencer = sequencer = ResetSequencer(units=len(chain))
        # The registers of a unit follow its own reset only: the core's domain has none.
        resets = dict(zip((name for name, _ in chain), sequencer.resets, strict=True))
        for name, unit in chain:
            m.submodules[name] = ResetInserter(resets[name])(unit)
        settled = sequencer.settled
        m.d.comb += [
            sequencer.rst.eq(self.rst),
            # Pixels are counted, and do not need to be told which is the last one.
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
            zip(self._plan.streams, sources[:-1], strict=True)
        ):
            m.d.comb += [
                getattr(self, f"tap_{index}_data").eq(words.payload),
                getattr(self, f"tap_{index}_valid").eq(words.valid & settled),
                getattr(self, f"tap_{index}_ready").eq(words.ready),
            ]
            self._distribute(m, stream_plan, words, resets[name])
        wiring.connect(m, sources[-1][1], results.logits)
        if self.counters:
            self._count(m, resets["encoder"])
        return m

    def _distribute(self, m, stream_plan, words, reset):
        """Connect a stream to all that read it."""
        takers = []
        for stage, (_, unit) in zip(self._plan.stages, self._units, strict=True):
            for index, source in enumerate(stage.sources):
                if source == stream_plan.node:
                    pool = not isinstance(stage, LayerPlan)
                    takers.append(unit.inputs if pool else getattr(unit, f"inputs_{index}"))
        fork = StreamFork(shape=stream_plan.width, consumers=len(takers))
        name = self._fork_names[stream_plan.node]
        m.submodules[name] = ResetInserter(reset)(fork)
        wiring.connect(m, words, fork.words)
        for copy, taker in zip(fork.copies, takers, strict=True):
            wiring.connect(m, copy, taker)

    def _count(self, m, reset):
        steps = {("", "cycles"): Const(1, 1)}
        sample = Signal()
        m.d.comb += sample.eq(self.m_axis_tvalid & self.m_axis_tready & self.m_axis_tlast)
        steps["", "samples"] = sample
        for index, stream_plan in enumerate(self._plan.streams):
            data = getattr(self, f"tap_{index}_data")
            valid = getattr(self, f"tap_{index}_valid")
            ready = getattr(self, f"tap_{index}_ready")
            # Counted a cycle late, so that the sum of bits is in nobody's way.
            sent = Signal.like(data, name=f"sent_{index}")
            m.d.sync += sent.eq(0)
            with m.If(valid & ready):
                m.d.sync += sent.eq(data)
            steps[stream_plan.node, "spikes"] = popcount(sent)
            steps[stream_plan.node, "blocked"] = valid & ~ready
        for (_, unit), stage in zip(self._units, self._plan.stages, strict=True):
            if isinstance(stage, LayerPlan):
                steps[stage.node, "busy"] = unit.busy
                steps[stage.node, "stall"] = unit.stall
        values = [steps[counter] for counter in self.counters]
        bank = CounterBank(widths=[len(value) for value in values])
        m.submodules.counters = ResetInserter(reset)(bank)
        m.d.comb += [getattr(bank, f"step_{n}").eq(value) for n, value in enumerate(values)]
        m.d.comb += [bank.address.eq(self.counter_address), self.counter_data.eq(bank.data)]
