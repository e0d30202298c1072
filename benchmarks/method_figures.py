"""Figures of one conversion in the table of methods: accuracy, spikes, operations, hardware."""

from __future__ import annotations

import copy
import time
from typing import Any

from torch import nn

from benchmarks.figures import BOARD, golden_figures, synthesise_node
from benchmarks.method_cases import Case
from benchmarks.method_subjects import Subject
from hwgen import golden
from hwgen.boards import Resource
from hwgen.conversion import convert
from hwgen.generation.design import Design
from hwgen.generation.generator import generate
from hwgen.network import Network

LANES = 16
ADDITION_PJ, MULTIPLY_ADD_PJ = 0.9, 4.6
"""Energy of 32-bit floating-point operations at 45 nm (Horowitz, ISSCC 2014), as in the SNN papers:
0.9 pJ per synaptic operation, and 4.6 pJ per multiply-add of the CNN. Memories and the clock are
not included."""


def with_epsilon(model: nn.Module, epsilon: float | None) -> nn.Module:
    """Copy of the model with ``epsilon`` in its batch norms; the model itself for None."""
    if epsilon is None:
        return model
    changed = copy.deepcopy(model)
    for module in changed.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            module.eps = epsilon
    return changed


def measure(case: Case, subject: Subject, hits: Any, *, hardware: bool) -> dict[str, Any]:
    """A row of the table; ``hits`` marks the test images that the float model classifies right."""
    started = time.monotonic()
    test = subject.test.take(case.samples)
    options = dict(case.options)
    model = with_epsilon(subject.model, options.pop("epsilon", None))
    network = convert(
        model, subject.training.images, labels=subject.training.labels, method=case.method,
        timesteps=case.timesteps, name=f"{subject.name}_{case.method}", **subject.normalisation,
        **options,
    )  # fmt: skip
    result = golden.run(network, test.images)
    figures = golden_figures(network, result, test)
    floats = 100 * float(hits[: len(test)].mean())
    row = {
        "network": case.network,
        "model": case.model,
        "method": case.method,
        "note": case.note,
        "series": case.series,
        "timesteps": case.timesteps,
        "float_accuracy": floats,
        **figures,
        "loss": floats - figures["accuracy"],
        "energy_uj": figures["synaptic_operations"] * ADDITION_PJ / 1e6,
        "cnn_energy_uj": sum(result.macs.values()) * MULTIPLY_ADD_PJ / 1e6,
        "paper": case.paper,
    }
    if hardware:
        row |= hardware_figures(network, subject.layer)
    row["seconds"] = round(time.monotonic() - started, 1)
    return row


def hardware_figures(network: Network, layer: str) -> dict[str, Any]:
    """Cycles between results with the same lanes in all layers, and LUT4 per neuron lane.

    The cycles do not depend on the board, which ResNet-20 does not fit with this many lanes.
    """
    design = generate(network, board=BOARD, lanes=LANES, membrane_lanes=LANES, force=True)
    assert design.expected is not None
    return {
        "lanes": LANES,
        "interval_cycles": float(design.expected.interval_cycles),
        "exact": design.prediction is not None,
        "neuron_lut4": neuron_lut4(design, layer),
    }


def neuron_lut4(design: Design, layer: str) -> float:
    """LUT4 per lane of a layer's membrane unit, synthesised out of context for the ECP5."""
    stage = next(stage for stage in design.plan.layers if stage.node == layer)
    units = synthesise_node(design.network, design.plan, layer)
    count = sum(
        counts[Resource.LUT4] for path, counts in units.items() if path.split(".")[0] == "membranes"
    )
    return count / stage.membrane_lanes
