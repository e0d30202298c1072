"""Made-up reports of simulations."""

from __future__ import annotations

from hwgen.plan.units.counters import CounterKind
from hwgen.simulation.options import Simulator, StallPattern
from hwgen.simulation.report import CounterValue, SimulationReport


def simulation_report(**changes: object) -> SimulationReport:
    """Bit-exact simulation with latency 500 and interval 250; ``changes`` replace fields."""
    report = SimulationReport(
        network="tiny",
        network_hash="abc",
        simulator=Simulator.VERILATOR,
        idle=StallPattern.NONE,
        backpressure=StallPattern.NONE,
        seed=1,
        samples=12,
        bit_exact=True,
        difference=None,
        latency_cycles=500,
        interval_cycles=250.0,
        predicted_latency_cycles=499,
        predicted_interval_cycles=249.5,
        cycles=3000,
        cycles_per_second=1e6,
        build_seconds=1.0,
        run_seconds=0.5,
        wall_seconds=2.0,
        accuracy=None,
        counters=(
            CounterValue(node="", kind=CounterKind.CYCLES, value=3000),
            CounterValue(node="<i>conv", kind=CounterKind.BUSY, value=200),
            CounterValue(node="<i>conv", kind=CounterKind.STALL, value=5),
        ),
        streams=(),
        first_beat_cycles=(0,),
        last_result_cycles=(500,),
        waves=None,
    )
    return report.model_copy(update=changes)
