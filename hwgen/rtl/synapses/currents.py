"""The interface between the synapse array and the membrane unit."""

from amaranth import signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

position_tag_layout = data.StructLayout({"first": 1, "plane_end": 1, "pass_end": 1})
"""A window's position in its pass: in the first timestep; last of its timestep; last of all."""


def currents_signature(width: int, lanes: int) -> wiring.Signature:
    """Currents of one window after the other, from the synapse array to the membrane unit.

    Members
    -------
    grant : ``In(1)``
        The last spike indices of a window may be taken in this cycle.
    tag_in : ``In(position_tag_layout)``
        Position of the window whose last spike indices were taken in the previous cycle.
    start : ``Out(1)``
        The last spike indices of a window are taken.
    valid : ``Out(1)``
        The first cycle of a window's ``values`` and ``tag_out``, a fixed time after ``start``.
    values : ``Out(data.ArrayLayout(signed(width), lanes))``
        Stable until those of the next window.
    tag_out : ``Out(position_tag_layout)``
    """
    return wiring.Signature(
        {
            "grant": In(1),
            "tag_in": In(position_tag_layout),
            "start": Out(1),
            "valid": Out(1),
            "values": Out(data.ArrayLayout(signed(width), lanes)),
            "tag_out": Out(position_tag_layout),
        }
    )
