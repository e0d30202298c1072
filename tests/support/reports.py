"""Made-up reports of simulations, and of place and route."""

from __future__ import annotations

from hwgen.boards import Resource
from hwgen.plan.units.counters import CounterKind
from hwgen.simulation.options import Simulator, StallPattern
from hwgen.simulation.report import CounterValue, SimulationReport
from hwgen.synthesis.report import BuildReport, CriticalPath, PathStep, Usage

SYNTHESIS = BuildReport(
    core="tiny",
    board="ulx3s-85f",
    part="ecp5 85k CABGA381",
    seed=1,
    clock_mhz=100.0,
    fmax_mhz=125.5,
    utilisation={Resource.LUT4: Usage(used=2000, available=83640)},
    units={"core": {Resource.LUT4: 1750}, "shell": {Resource.LUT4: 250}},
    critical_path=CriticalPath(
        source="core.a",
        sink="core.b",
        delay_ns=7.968,
        logic_ns=3.0,
        routing_ns=4.968,
        steps=(PathStep(kind="logic", cell="core.b", net="", delay_ns=7.968),),
    ),
    bitstream="synth/bitstream.bit",
    synthesis_seconds=1.0,
    place_seconds=2.0,
    fmax_of_seeds={1: 125.5},
)


def simulation_report(**changes: object) -> SimulationReport:
    """Bit-exact simulation with latency 500 and interval 250; ``changes`` replace fields."""
    report = SimulationReport(
        network="tiny",
        network_hash="ab" * 32,
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
