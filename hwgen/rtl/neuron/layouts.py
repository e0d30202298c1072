"""Layouts of membrane words and of their steps."""

from amaranth import signed
from amaranth.lib import data

from hwgen.plan.units.layer import LayerPlan


def issue_layout(plan: LayerPlan) -> data.Layout:
    """One step of one membrane word. The lowest bits of ``address`` select the bank."""
    return data.StructLayout(
        {"valid": 1, "fire": 1, "first": 1, "address": range(plan.banks * plan.membrane_depth)}
    )


def membrane_layout(plan: LayerPlan) -> data.ArrayLayout:
    """A membrane word: the membranes of ``membrane_lanes`` channels."""
    return data.ArrayLayout(signed(plan.membrane_width), plan.membrane_lanes)
