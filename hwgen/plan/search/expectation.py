"""What is expected of a plan: figures for the manifest, the folding file and the user."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf

from hwgen.plan.search.planned_design import PlannedDesign
from hwgen.plan.search.target import Target


@dataclass(frozen=True, kw_only=True)
class UnitExpectation:
    """Expected figures of one unit.

    Parameters
    ----------
    cycles : int or None
        Cycles per sample.
    lane_use : float or None
        Share of its lane-cycles in which a layer adds a weight.
    """

    cycles: int | None
    lane_use: float | None
    lut4: int
    block_ram: int
    ff: int | None = None


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """Expected figures of a design.

    Parameters
    ----------
    bottleneck : str
        Unit with the most cycles per sample.
    interval_cycles : float
        Mean distance of results.
    clock_mhz, results_per_s : float or None
        None where no clock is known.
    lut4, block_ram, ff : int
        All units together; ``ff`` is None in a manifest of an earlier version.
    cells : int or None
        Logic cells, where LUT4 and flip-flops share one.
    lut4_available, block_ram_available, ff_available, cells_available : int or None
        Budget; None where it is unlimited.
    units : {node: UnitExpectation}
        "" for the logic between the units.
    """

    bottleneck: str
    interval_cycles: float
    clock_mhz: float | None
    results_per_s: float | None
    lut4: int
    block_ram: int
    lut4_available: int | None
    block_ram_available: int | None
    units: Mapping[str, UnitExpectation]
    ff: int | None = None
    ff_available: int | None = None
    cells: int | None = None
    cells_available: int | None = None

    def folding_notes(self) -> dict[str, str]:
        """Comments of the folding file on each unit, and on the whole network ("")."""
        notes = {
            name: f"{unit.cycles:,} cycles per sample, {unit.lut4:,} LUT4, "
            f"{unit.block_ram} block RAMs"
            for name, unit in self.units.items()
            if unit.cycles is not None
        }
        notes[""] = (
            f"Expected: a result every {self.interval_cycles:,.0f} cycles, limited by "
            f"{self.bottleneck};\n{self.lut4:,} LUT4, {self.ff:,} flip-flops, "
            f"{self.block_ram} block RAMs."
        )
        return notes


def expect(planned: PlannedDesign, target: Target, interval: float | None) -> Expectation:
    """Expectation of a planned design; ``interval`` is that of the cycle model, if known."""
    interval = interval or planned.interval
    budget = target.budget(target.board)
    clock = target.clock_hz
    layers = {layer.node: layer for layer in planned.plan.layers}

    def unit(name: str) -> UnitExpectation:
        usage, is_layer = planned.usage[name], name in planned.works
        return UnitExpectation(
            cycles=round(planned.cycles[name]) if name in planned.cycles else None,
            lane_use=round(planned.lane_use(layers[name], interval), 4) if is_layer else None,
            lut4=round(usage.lut4),
            block_ram=usage.block_rams,
            ff=round(usage.ff),
        )

    def available(limit: float) -> int | None:
        return None if limit == inf else int(limit)

    return Expectation(
        bottleneck=planned.bottleneck,
        interval_cycles=interval,
        clock_mhz=clock / 1e6 if clock else None,
        results_per_s=clock / interval if clock else None,
        lut4=round(planned.total.lut4),
        block_ram=planned.total.block_rams,
        ff=round(planned.total.ff),
        cells=None if budget.cells == inf else round(planned.total.cells(budget.fabric)),
        lut4_available=available(budget.lut4),
        block_ram_available=available(budget.block_rams),
        ff_available=available(budget.ff),
        cells_available=available(budget.cells),
        units={name: unit(name) for name in planned.usage},
    )
