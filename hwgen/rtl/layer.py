"""The layer processing unit: window buffers → event scanners → synapse array → membrane unit."""

from amaranth import Module, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl.neuron.membrane import membrane_layout
from hwgen.rtl.neuron.single_phase import SinglePhaseUnit
from hwgen.rtl.neuron.two_phase import TwoPhaseUnit
from hwgen.rtl.output.softmax import SoftmaxUnit, count_layout
from hwgen.rtl.synapses.array import SynapseArray, SynapseInput
from hwgen.rtl.synapses.scanner import SpikeScanner
from hwgen.rtl.window.buffer import WindowBuffer


def word_shape(plan):
    """Of what a layer sends: spikes, or logits."""
    if plan.softmax is not None:
        return count_layout(plan.softmax)
    return membrane_layout(plan) if plan.gives_logits else unsigned(plan.membrane_lanes)


class LayerUnit(wiring.Component):
    """One layer of the network, on a stream of spike words for each of its projections.

    Parameters
    ----------
    plan : :class:`hwgen.plan.units.layer.LayerPlan`
    layer : :class:`hwgen.network.Layer`
    given : :class:`hwgen.network.TrainType`
        What its sources give.
    weights : sequence of integer arrays, shape (scanners, weight_depth, lanes)
        One a projection.
    files : sequence of :class:`str` or None
        Files of the weight memories, of one scanner after the other.

    Members
    -------
    inputs_N : ``In(stream.Signature(plan.paths[N].window.word_width))``
    words : ``Out(stream.Signature(...))``
        Spikes of ``membrane_lanes`` channels, or the logits of as many; of a softmax, one's.
    busy, stall : ``Out(1)``
        The first scanner holds a chunk; a window waits for the membrane unit.
    """

    def __init__(self, plan, layer, given, *, weights, files=None):
        self._plan = plan
        self._layer = layer
        self._given = given
        pairs = [
            (feed, rows)
            for feed, of_scanners in zip(plan.paths, weights, strict=True)
            for rows in of_scanners
        ]
        files = files or [None] * len(pairs)
        self._synapses = SynapseArray(
            inputs=[
                SynapseInput(rows=rows, masked=feed.is_masked, file=file, memory=feed.memory)
                for (feed, rows), file in zip(pairs, files, strict=True)
            ],
            lanes=plan.lanes,
            weight_bits=plan.weight_bits,
            current_width=plan.current_width,
        )
        super().__init__(
            {
                **{
                    f"inputs_{n}": In(stream.Signature(feed.window.word_width))
                    for n, feed in enumerate(plan.paths)
                },
                "words": Out(stream.Signature(word_shape(plan))),
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
        m.submodules.synapses = synapses = self._synapses
        if plan.is_single_phase:
            membranes = SinglePhaseUnit(plan, self._layer)
        else:
            membranes = TwoPhaseUnit(plan, self._layer, self._given)
        m.submodules.membranes = membranes
        taken = 0
        for index, feed in enumerate(plan.paths):
            m.submodules[f"window_{index}"] = window = WindowBuffer(path=feed)
            wiring.connect(m, wiring.flipped(getattr(self, f"inputs_{index}")), window.words)
            for chunks in window.chunks:
                spikes = getattr(synapses, f"spikes_{taken}")
                if feed.is_masked:
                    busy = self._connect_masked(m, chunks, spikes)
                else:
                    scanner = SpikeScanner(
                        chunk_width=feed.window.slice_width, depth=feed.weight_depth
                    )
                    m.submodules[f"scanner_{taken}"] = scanner
                    wiring.connect(m, chunks, scanner.chunks)
                    wiring.connect(m, scanner.spikes, spikes)
                    busy = scanner.busy
                if taken == 0:
                    m.d.comb += self.busy.eq(busy)
                taken += 1
        wiring.connect(m, synapses.currents, membranes.currents)
        words = membranes.words
        if plan.softmax is not None:
            m.submodules.softmax = softmax = SoftmaxUnit(
                plan=plan.softmax,
                word_layout=membrane_layout(plan),
                table=self._layer.neuron.table,
            )
            wiring.connect(m, words, softmax.membranes)
            words = softmax.counts
        wiring.connect(m, words, wiring.flipped(self.words))
        m.d.comb += self.stall.eq(synapses.stall)
        return m

    def _connect_masked(self, m, chunks, spikes):
        """A chunk of a masked feed is an event: its bits choose lanes."""
        m.d.comb += [
            spikes.payload.row.eq(chunks.payload.base),
            spikes.payload.mask.eq(chunks.payload.bits),
            spikes.payload.last.eq(chunks.payload.last),
            spikes.valid.eq(chunks.valid),
            chunks.ready.eq(spikes.ready),
        ]
        return chunks.valid
