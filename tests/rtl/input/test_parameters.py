# amaranth: UnusedElaboratable=no
"""Input encoders reject bad parameters and expose the accepted ones."""

from __future__ import annotations

from typing import Any

import pytest

from hwgen.network import Input
from hwgen.rtl.input.address_event_encoder import AddressEventEncoder
from hwgen.rtl.input.packet_length import PacketLength
from hwgen.rtl.input.pixel_encoder import PixelEncoder
from hwgen.rtl.input.poisson import PoissonDraws
from tests.support.rtl.encoders import encoder_plan
from tests.support.rtl.parameters import check_exposed, check_rejected

PLANS = {
    AddressEventEncoder: encoder_plan(
        Input(name="input", shape=(2, 4, 4), timesteps=3, pixel_bits=1, code="events"), "pixel", 32
    ),
    PixelEncoder: encoder_plan(Input(name="input", shape=(2, 4, 4), timesteps=3), "pixel", 32),
    PoissonDraws: encoder_plan(
        Input(name="input", shape=(2, 4, 4), timesteps=3, code="poisson"), "pixel", 32
    ),
}


@pytest.mark.parametrize("component", PLANS)
def test_parameters_are_checked_and_exposed(component: Any) -> None:
    check_exposed(component, {"plan": PLANS[component]})
    check_rejected(component, {"plan": PLANS[component]}, "plan", PLANS[component].output)


def test_the_length_of_a_packet_is_positive() -> None:
    check_exposed(PacketLength, {"beats": 3})
    for beats in (0, -1, 1.5):
        check_rejected(PacketLength, {"beats": 3}, "beats", beats)
