"""The layer processing unit: window buffer → event scanners → synapse array → membrane unit."""

from amaranth import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl.membrane import membrane_layout
from hwgen.rtl.scanner import EventScanner
from hwgen.rtl.singlephase import SinglePhaseUnit
from hwgen.rtl.synapses import Feed, SynapseArray
from hwgen.rtl.twophase import TwoPhaseUnit
from hwgen.rtl.window import WindowBuffer


class LayerUnit(wiring.Component):
    """One layer of the network, on a stream of spike words.

    Parameters
    ----------
    plan : :class:`hwgen.plan.hardware.LayerPlan`
    layer : :class:`hwgen.network.Layer`
    given : :class:`hwgen.network.Signal`
        What its source gives.
    weights : integer array, shape (scanners, weight_depth, lanes)
    files : sequence of :class:`str` or None
        Files of the weight memories.

    Members
    -------
    inputs : ``In(stream.Signature(plan.window.word_width))``
    words : ``Out(stream.Signature(...))``
        Spikes of ``membrane_lanes`` channels, or the logits of as many.
    busy, stall : ``Out(1)``
        The first scanner holds a chunk; a window waits for the membrane unit.
    """

    def __init__(self, plan, layer, given, *, weights, files=None):
        self._plan = plan
        self._layer = layer
        self._given = given
        self._synapses = SynapseArray(
            feeds=[
                Feed(rows=rows, file=files[n] if files else None)
                for n, rows in enumerate(weights)
            ],
            lanes=plan.lanes,
            weight_bits=plan.weight_bits,
            current_width=plan.current_width,
        )
        word = membrane_layout(plan) if plan.kind == "readout" else plan.membrane_lanes
        super().__init__(
            {
                "inputs": In(stream.Signature(plan.window.word_width)),
                "words": Out(stream.Signature(word)),
                "busy": Out(1),
                "stall": Out(1),
            }
        )

    @property
    def memories(self):
        """The weight memories, one a scanner."""
        return self._synapses.memories

    def elaborate(self, platform):
        m = Module()
        plan = self._plan
        m.submodules.window = window = WindowBuffer(plan.window)
        m.submodules.synapses = synapses = self._synapses
        if plan.kind == "single-phase":
            membranes = SinglePhaseUnit(plan, self._layer)
        else:
            membranes = TwoPhaseUnit(plan, self._layer, self._given)
        m.submodules.membranes = membranes
        wiring.connect(m, wiring.flipped(self.inputs), window.words)
        for index in range(plan.window.scanners):
            scanner = EventScanner(
                chunk_width=plan.window.slice_width, depth=plan.weight_depth
            )
            m.submodules[f"scanner_{index}"] = scanner
            wiring.connect(m, window.chunks[index], scanner.chunks)
            wiring.connect(m, scanner.events, getattr(synapses, f"events_{index}"))
            if index == 0:
                m.d.comb += self.busy.eq(scanner.busy)
        wiring.connect(m, synapses.currents, membranes.currents)
        wiring.connect(m, membranes.words, wiring.flipped(self.words))
        m.d.comb += self.stall.eq(synapses.stall)
        return m
