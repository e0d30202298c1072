"""The layer processing unit: window buffers → spike scanners → synapse array → membrane unit."""

from collections.abc import Sequence

from amaranth import Module, Value, unsigned
from amaranth.hdl import ShapeLike
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.plan.units.layer import LayerPlan
from hwgen.plan.units.layer_constants import LayerConstants
from hwgen.rtl.neuron.layouts import membrane_layout
from hwgen.rtl.neuron.units import make_membrane_unit
from hwgen.rtl.output.softmax import SoftmaxUnit, count_layout
from hwgen.rtl.parameters import Parameter
from hwgen.rtl.synapses.array import SynapseArray, SynapseInput
from hwgen.rtl.synapses.scanner import SpikeScanner
from hwgen.rtl.synapses.weight_memory import WeightMemory
from hwgen.rtl.window.buffer import WindowBuffer


def word_layout(plan: LayerPlan) -> ShapeLike:
    """A word that a layer sends: spikes, logits, or the spike count of a class."""
    if plan.softmax is not None:
        return count_layout(plan.softmax)
    return membrane_layout(plan) if plan.gives_logits else unsigned(plan.membrane_lanes)


class LayerUnit(wiring.Component):
    """One layer of the network, with a stream of spike words for each of its projections.

    Members
    -------
    inputs_N : ``In(stream.Signature(plan.paths[N].window.word_width))``
    words : ``Out(stream.Signature(word_layout(plan)))``
    busy, stall : ``Out(1)``
        The first scanner holds a chunk; a window waits for the membrane unit.
    """

    plan = Parameter(LayerPlan)
    constants = Parameter(LayerConstants)
    files = Parameter[tuple[str | None, ...]](tuple)
    """Files of the weight memories, one per scanner; None keeps the weights in the Verilog."""

    def __init__(
        self,
        *,
        plan: LayerPlan,
        constants: LayerConstants,
        files: Sequence[str | None] | None = None,
    ) -> None:
        self.plan, self.constants = plan, constants
        if plan.softmax is not None and constants.neuron.table is None:
            raise ValueError("constants.neuron.table is missing; a softmax needs it")
        pairs = [
            (path, rows)
            for path, weights in zip(plan.paths, constants.weights, strict=True)
            for rows in weights
        ]
        self.files = tuple(files or [None] * len(pairs))
        if len(self.files) != len(pairs):
            raise ValueError(f"files must name {len(pairs)} memories, not {len(self.files)}")
        self._synapses = SynapseArray(
            inputs=[
                SynapseInput(
                    rows=rows,
                    masked=path.is_masked,
                    file=file,
                    memory=path.memory,
                    silent_steps=plan.silent_steps(path),
                )
                for (path, rows), file in zip(pairs, self.files, strict=True)
            ],
            lanes=plan.lanes,
            weight_bits=plan.weight_bits,
            current_width=plan.current_width,
            windows=plan.positions * plan.rounds,
            timesteps=plan.timesteps_in,
        )
        members = {
            **{
                f"inputs_{n}": In(stream.Signature(path.window.word_width))
                for n, path in enumerate(plan.paths)
            },
            "words": Out(stream.Signature(word_layout(plan))),
            "busy": Out(1),
            "stall": Out(1),
        }
        super().__init__(members)

    @property
    def memories(self) -> tuple[WeightMemory, ...]:
        """The weight memories, one per scanner."""
        return self._synapses.memories

    def elaborate(self, platform: object) -> Module:
        m = Module()
        plan, constants = self.plan, self.constants.neuron
        m.submodules.synapses = synapses = self._synapses
        m.submodules.membranes = membranes = make_membrane_unit(plan=plan, constants=constants)
        scanners = 0
        for index, path in enumerate(plan.paths):
            m.submodules[f"window_{index}"] = window = WindowBuffer(path=path)
            wiring.connect(m, wiring.flipped(getattr(self, f"inputs_{index}")), window.words)
            for chunks in window.chunks:
                spikes = getattr(synapses, f"spikes_{scanners}")
                if path.is_masked:
                    busy = _connect_masked(m, chunks, spikes)
                else:
                    scanner = SpikeScanner(
                        chunk_width=path.window.slice_width, depth=path.weight_depth
                    )
                    m.submodules[f"scanner_{scanners}"] = scanner
                    wiring.connect(m, chunks, scanner.chunks)
                    wiring.connect(m, scanner.spikes, spikes)
                    busy = scanner.busy
                if scanners == 0:
                    m.d.comb += self.busy.eq(busy)
                scanners += 1
        wiring.connect(m, synapses.currents, membranes.currents)
        words = membranes.words
        if plan.softmax is not None and constants.table is not None:
            m.submodules.softmax = softmax = SoftmaxUnit(
                plan=plan.softmax, word_layout=membrane_layout(plan), table=constants.table
            )
            wiring.connect(m, words, softmax.membranes)
            words = softmax.counts
        wiring.connect(m, words, wiring.flipped(self.words))
        m.d.comb += self.stall.eq(synapses.stall)
        return m


def _connect_masked(m: Module, chunks: Value, spikes: Value) -> Value:
    """Connect a masked path without a scanner: the bits of a chunk select lanes of one row."""
    m.d.comb += [
        spikes.payload.row.eq(chunks.payload.base),
        spikes.payload.mask.eq(chunks.payload.bits),
        spikes.payload.last.eq(chunks.payload.last),
        spikes.valid.eq(chunks.valid),
        chunks.ready.eq(spikes.ready),
    ]
    return chunks.valid
