"""How far a PLL's clock may be from the one that was asked for."""

from __future__ import annotations

import pytest

from hwgen import boards
from hwgen.errors import PlanError
from hwgen.synthesis import families
from hwgen.synthesis.families.family import Pll

# An iCE40's VCO has 533 to 1066 MHz and is divided by up to 2^6; the clock is at least 16 MHz. From
# 12 MHz the slowest are 12·(86 … 88)/64 = 16.125, 16.3125, 16.5 MHz. 2 % of what is asked for:
# 16.125 MHz is 1.99 % above 15.81 MHz and 2.06 % above 15.80 MHz.
NEAREST = 16.125e6


def test_a_clock_up_to_two_per_cent_too_fast_is_taken() -> None:
    settings = families.choose_pll(boards.load("icebreaker"), 15.81e6)
    assert settings is not None
    assert settings.hz == NEAREST
    with pytest.raises(PlanError, match=r"cannot make 15\.8 MHz .* the nearest clock is 16\.125"):
        families.choose_pll(boards.load("icebreaker"), 15.80e6)


def test_a_clock_up_to_two_per_cent_too_slow_is_taken() -> None:
    """The fastest clock is 12·45/2 = 270 MHz: below 275 MHz, and 12·46/2 is above."""
    board = boards.load("icebreaker")
    settings = families.choose_pll(board, 275.5e6)  # 2.00 % of it are 5.51 MHz
    assert settings is not None
    assert settings.hz == 270e6
    with pytest.raises(PlanError, match=r"cannot make 276 MHz .* the nearest clock is 270"):
        families.choose_pll(board, 276e6)  # 2 % of it are 5.52 MHz


def test_every_ecp5_clock_has_a_legal_phase_and_vco() -> None:
    """FPGA-DS-02012: phase detector 3.125 to 400 MHz, VCO 400 to 800 MHz, output up to 400 MHz."""
    clocks: list[Pll] = list(families.family_of(boards.load("ulx3s-85f")).plls(25_000_000))
    assert len(clocks) > 100
    for clock in clocks:
        phase = 25e6 / clock.reference
        assert 3.125e6 <= phase <= 400e6
        assert clock.hz == pytest.approx(phase * clock.feedback)
        assert 400e6 <= clock.hz * clock.output <= 800e6
        assert clock.hz <= 400e6
