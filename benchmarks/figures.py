"""Figures that several benchmarks report: accuracy and cost in golden, cycles in simulation."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from hwgen import boards, golden
from hwgen.boards import Resource
from hwgen.datasets import Dataset
from hwgen.generation.design import unit_files
from hwgen.golden import Result
from hwgen.network import Network
from hwgen.plan.units.hardware_plan import HardwarePlan
from hwgen.simulation.report import SimulationReport
from hwgen.synthesis import BuildReport
from hwgen.synthesis.netlist import synthesise_out_of_context

BOARD = "ulx3s-85f"
"""Board of the ECP5-85F, on which benchmarks count resources."""


def percent_right(classes: Any, labels: Any) -> float:
    """Accuracy of ``classes`` in per cent."""
    return 100 * float((classes == labels).mean())


def golden_figures(network: Network, result: Result, test: Dataset) -> dict[str, Any]:
    """Accuracy in per cent over ``test``; spikes per firing neuron and operations per sample."""
    firing = [layer.name for layer in network.layers if layer.name in result.spikes]
    neurons = sum(result.neurons[name] for name in firing)
    return {
        "samples": len(test),
        "accuracy": percent_right(result.classes, test.labels),
        "spikes_per_neuron": sum(float(result.spikes[name].mean()) for name in firing) / neurons,
        "synaptic_operations": operations_per_sample(result),
    }


def operations_per_sample(result: Result) -> float:
    """Mean synaptic operations of all layers (SpikeConverter, Eq. 14)."""
    return sum(float(counts.mean()) for counts in result.synaptic_operations.values())


def cycles(report: SimulationReport) -> dict[str, Any]:
    """Measured and predicted cycles."""
    keys = ("latency_cycles", "interval_cycles")
    return {f"{way}{key}": getattr(report, f"{way}{key}") for way in ("", "predicted_")
            for key in keys}  # fmt: skip


def lane_utilisation(
    network: Network, plan: HardwarePlan, images: Any, interval_cycles: float
) -> float:
    """Additions of the busiest layer, over the additions that its lanes could do in an interval."""
    operations = golden.run(network, images).synaptic_operations
    return max(
        float(operations[layer.node].mean()) / (interval_cycles * layer.lanes * layer.scanners)
        for layer in plan.layers
    )


def routed_resources(report: BuildReport) -> dict[str, int]:
    """LUT4, flip-flops and block RAMs of the routed design."""
    counted = (Resource.LUT4, Resource.FF, Resource.BLOCK_RAM)
    return {resource.value: report.utilisation[resource].used for resource in counted}


def synthesise_node(
    network: Network, plan: HardwarePlan, node: str
) -> dict[str, Counter[Resource]]:
    """Resources of each unit of ``node``, synthesised out of context for :data:`BOARD`."""
    files = unit_files(network, plan, node)
    with tempfile.TemporaryDirectory() as folder:
        return synthesise_out_of_context(boards.load(BOARD), files, top="unit", folder=Path(folder))
