"""Dividers of a part's phase-locked loop for the core's clock.

Ranges: ECP5, Lattice FPGA-DS-02012, section 3.19; iCE40 UltraPlus, Lattice FPGA-DS-02008,
section 4.15, and FPGA-TN-02052 for the filter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hwgen.boards import Board
from hwgen.errors import PlanError


@dataclass(frozen=True, kw_only=True)
class Pll:
    """What the template ``hwgen_board_pll_FAMILY.v`` takes, and the clock that comes out, in Hz."""

    reference: int
    feedback: int
    output: int
    filter: int
    hz: float


def choose(board: Board, hz: float) -> Pll | None:
    """The loop whose clock is nearest to ``hz``; None where that is the oscillator's.

    Raises
    ------
    PlanError
        No dividers come within 2 % of it.
    """
    if abs(hz - board.clock.hz) < 0.5:
        return None
    candidates = _ecp5(board.clock.hz) if board.family == "ecp5" else _ice40(board.clock.hz)
    best = min(candidates, key=lambda pll: (abs(pll.hz - hz), pll.reference, pll.output))
    if abs(best.hz - hz) > 0.02 * hz:
        raise PlanError(
            f"{board.name} cannot make {hz / 1e6:g} MHz from its {board.clock.hz / 1e6:g} MHz "
            f"oscillator; the nearest is {best.hz / 1e6:g} MHz"
        )
    return best


def _ecp5(oscillator: int) -> Iterator[Pll]:
    for reference in range(1, 129):
        phase_hz = oscillator / reference
        if not 3.125e6 <= phase_hz <= 400e6:
            continue
        for feedback in range(1, 129):
            hz = phase_hz * feedback
            # The oscillator's middle, 600 MHz, or what its range of 400 to 800 MHz leaves.
            output = min(range(1, 129), key=lambda n: abs(hz * n - 600e6))
            if 400e6 <= hz * output <= 800e6 and hz <= 400e6:
                yield Pll(reference=reference, feedback=feedback, output=output, filter=0, hz=hz)


def _ice40(oscillator: int) -> Iterator[Pll]:
    for reference in range(16):
        phase_hz = oscillator / (reference + 1)
        if not 10e6 <= phase_hz <= 133e6:
            continue
        limits = (17e6, 26e6, 44e6, 66e6, 101e6)
        band = 1 + sum(phase_hz >= limit for limit in limits)
        for feedback in range(128):
            vco_hz = phase_hz * (feedback + 1)
            if not 533e6 <= vco_hz <= 1066e6:
                continue
            for output in range(1, 7):
                hz = vco_hz / (1 << output)
                if 16e6 <= hz <= 275e6:
                    yield Pll(
                        reference=reference, feedback=feedback, output=output, filter=band, hz=hz
                    )
