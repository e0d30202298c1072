"""Drives and checks the streams of a component in Amaranth's simulator, cycle by cycle."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from amaranth import ClockDomain, Module, Value
from amaranth.sim import Simulator

from tests.support.rtl.streams import PAUSE, Driver, Monitor, Observer


class Bench:
    """A testbench for one component.

    Parameters
    ----------
    dut : Amaranth component
    seed : int
        Seed of stalls and noise.
    reset : signal
        Reset input of the component; its clock domain then has no reset.
    """

    def __init__(self, dut: Any, *, seed: int = 0, reset: Value | None = None) -> None:
        self._rng = random.Random(seed)
        self._ends: list[Driver | Monitor] = []
        self._watched: list[tuple[Value, list[int]]] = []
        self._module = Module()
        self._module.domains.sync = domain = ClockDomain(reset_less=reset is not None)
        self._reset = domain.rst if reset is None else reset
        self._module.submodules.dut = dut

    def send(self, stream: Any, words: Iterable[int], *, stall: float = 0.0) -> Driver:
        driver = Driver(stream, [int(word) for word in words], stall, self._rng)
        self._ends.append(driver)
        return driver

    def expect(
        self,
        stream: Any,
        words: Iterable[Any],
        *,
        stall: float = 0.0,
        read: Callable[[int], Any] = int,
        name: str = "stream",
        observe: bool = False,
    ) -> Monitor:
        """Compare ``stream`` with ``words``; ``read`` converts its unsigned payload first.

        With ``observe``, the ``ready`` of the stream is observed, not driven.
        """
        kind = Observer if observe else Monitor
        monitor = kind(name, stream, words, stall, read, self._rng)
        self._ends.append(monitor)
        return monitor

    def watch(self, signal: Value) -> list[int]:
        """Record the value of ``signal`` in each cycle, appended while the simulation runs."""
        values: list[int] = []
        self._watched.append((signal, values))
        return values

    def run(
        self,
        *,
        timeout: int = 100_000,
        reset_at: Sequence[int] = (),
        idle: int = PAUSE,
        then: Callable[[Any], Awaitable[None]] | None = None,
    ) -> int:
        """Run until all words have passed; returns the number of cycles.

        ``idle`` more cycles follow, to catch surplus words. In each cycle of ``reset_at`` the
        component is reset, and all streams restart. ``then`` is awaited at the end.
        """
        # Drivers first: valid may follow an input in the same cycle.
        ends = sorted(self._ends, key=lambda end: isinstance(end, Monitor))
        cycles = 0

        async def bench(ctx: Any) -> None:
            nonlocal cycles
            left = idle
            while left:
                if reset_at:
                    ctx.set(self._reset, cycles in reset_at)
                for end in ends:
                    end.drive(ctx)
                for signal, values in self._watched:
                    values.append(ctx.get(signal))
                for end in ends:
                    if cycles in reset_at:
                        end.restart()
                    else:
                        end.clock(ctx, cycles)
                await ctx.tick()
                cycles += 1
                if cycles > max(reset_at, default=-1) and all(end.done for end in ends):
                    left -= 1
                elif cycles >= timeout:
                    passed = ", ".join(f"{len(end.cycles)} of {end.total}" for end in ends)
                    raise AssertionError(f"deadlock after {cycles} cycles: {passed} words")
            if then is not None:
                await then(ctx)

        simulator = Simulator(self._module)
        simulator.add_clock(1e-6)
        simulator.add_testbench(bench)
        simulator.run()
        return cycles - idle + 1
