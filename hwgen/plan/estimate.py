"""What units take of an FPGA, from the plan alone: LUT4 and block RAMs of an ECP5.

Counted as synthesis is: a carry cell is two LUT4, 16 × 4 bits of distributed RAM are six. Each term
stands for a part of a unit; its coefficients were fitted to what yosys makes of it
(``benchmarks/resources.py``).
"""

from __future__ import annotations

from dataclasses import dataclass

from hwgen.plan.hardware import FeedPlan, HardwarePlan, LayerPlan, PoolPlan, Stage
from hwgen.plan.memories import read_only, read_write


@dataclass(frozen=True)
class Usage:
    """What something takes of an FPGA."""

    lut4: float = 0
    block_rams: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.lut4 + other.lut4, self.block_rams + other.block_rams)

    def cost(self, price: float) -> float:
        """In LUT4, a block RAM being worth ``price`` of them."""
        return self.lut4 + price * self.block_rams


def memory_usage(rows: int, width: int) -> Usage:
    """A memory that is written too."""
    cost = read_write(rows, width)
    return Usage(cost.luts, cost.block_rams)


def weight_usage(plan: LayerPlan, feed: FeedPlan, kind: str) -> Usage:
    """The weight memories of a feed."""
    cost = read_only(feed.weight_depth, plan.lanes * feed.weight_bits, kind)
    count = feed.window.scanners
    return Usage(count * cost.luts, count * cost.block_rams)


def feed_usage(plan: LayerPlan | PoolPlan, feed: FeedPlan) -> Usage:
    """Window buffer and scanners."""
    window = feed.window
    address = (feed.weight_depth - 1).bit_length()
    queue = memory_usage(16, window.slice_width + address + 1)
    total = memory_usage(window.depth, window.chunk_width) + Usage(140 + 20)
    per_scanner = queue + Usage(35)
    if feed.kind == "events":
        per_scanner += memory_usage(8, address + 2)
        per_scanner += Usage(30 + 4 * window.slice_width + 1.5 * address)
    for _ in range(window.scanners):
        total += per_scanner
    return total


def layer_usage(plan: LayerPlan) -> Usage:
    """All of a layer but its weights."""
    total = Usage(60)
    for feed in plan.feeds:
        total += feed_usage(plan, feed)
    adders = plan.lanes * (plan.current_width + (plan.scanners - 1) * (plan.weight_bits + 2))
    membranes = plan.membrane_lanes * (2.6 * plan.membrane_width)
    total += Usage(24 + adders + membranes + 80)
    width = plan.membrane_lanes * plan.membrane_width
    total += memory_usage(plan.banks * plan.membrane_depth, width)
    return total


def pool_usage(plan: PoolPlan) -> Usage:
    return feed_usage(plan, plan.feed) + Usage(200)


def stage_usage(stage: Stage) -> Usage:
    """A whole layer or pool."""
    if isinstance(stage, PoolPlan):
        return pool_usage(stage)
    total = layer_usage(stage)
    for feed in stage.feeds:
        total += weight_usage(stage, feed, feed.memory)
    return total


def plan_usage(plan: HardwarePlan) -> dict[str, Usage]:
    """Of each unit by name: the stages' nodes, and "" for what lies between them."""
    return {"": Usage(600), **{stage.node: stage_usage(stage) for stage in plan.stages}}
