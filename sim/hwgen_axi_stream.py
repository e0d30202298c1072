"""AXI4-Stream models that drive both ends of a core: one sends packets, one takes them.

A model wakes once per clock cycle with pauses, and without them only while something moves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import Any

from cocotb.triggers import RisingEdge

Pauses = Iterator[bool]
"""One value per clock cycle, True to pause; see :mod:`hwgen_stall_patterns`."""


class Source:
    """Drives ``PREFIX_tdata``, ``_tvalid`` and ``_tlast`` of the module ``dut``.

    A word stays valid until it is taken, pause or not. ``pauses`` None sends without pauses.
    """

    def __init__(self, dut: Any, prefix: str, pauses: Pauses | None = None) -> None:
        self._clk = dut.clk
        self._data, self._valid, self._last, self._ready = _ports(dut, prefix)
        self._pauses = pauses
        self._bytes = len(self._data) // 8

    async def run(self, packets: Iterable[bytes]) -> None:
        """Send ``packets``, each of whole words, the first byte in the lowest bits."""
        edge, freed = RisingEdge(self._clk), RisingEdge(self._ready)
        pauses = repeat(False) if self._pauses is None else self._pauses
        words = self._words(packets)
        word = next(words, None)
        waits = False  # for its word to be taken
        while waits or word is not None:
            await edge
            pause = next(pauses)
            if waits and not self._ready.value:
                if self._pauses is None:
                    await freed
                continue
            if word is None or pause:
                if waits:
                    self._valid.value = 0
                    self._last.value = 0
                waits = False
                continue
            self._data.value, last = word
            if not waits:
                self._valid.value = 1
            self._last.value = last
            waits = True
            word = next(words, None)

    def _words(self, packets: Iterable[bytes]) -> Iterator[tuple[int, int]]:
        """Each word with its ``last``."""
        for packet in packets:
            for start in range(0, len(packet), self._bytes):
                end = start + self._bytes
                yield int.from_bytes(packet[start:end], "little"), int(end >= len(packet))


class Sink:
    """Drives ``PREFIX_tready`` of the module ``dut`` and collects packets.

    ``packets`` are those that are whole, ``partial`` the bytes of one that is not.
    """

    def __init__(self, dut: Any, prefix: str, pauses: Pauses | None = None) -> None:
        self._clk = dut.clk
        self._data, self._valid, self._last, self._ready = _ports(dut, prefix)
        self._pauses = pauses
        self._bytes = len(self._data) // 8
        self.packets: list[bytes] = []
        self.partial = bytearray()

    async def run(self) -> None:
        """Take words until the simulation ends."""
        edge, offered = RisingEdge(self._clk), RisingEdge(self._valid)
        takes = False  # the value of tready in the cycle that ends at the next edge
        while True:
            await edge
            moved = takes and bool(self._valid.value)
            if moved:
                self._take()
            ready = self._pauses is None or not next(self._pauses)
            if ready != takes:
                self._ready.value = int(ready)
            if self._pauses is None and takes and not moved:
                await offered
            takes = ready

    def _take(self) -> None:
        self.partial += int(self._data.value).to_bytes(self._bytes, "little")
        if self._last.value:
            self.packets.append(bytes(self.partial))
            self.partial.clear()


def _ports(dut: Any, prefix: str) -> tuple[Any, Any, Any, Any]:
    names = ("tdata", "tvalid", "tlast", "tready")
    data, valid, last, ready = (getattr(dut, f"{prefix}_{name}") for name in names)
    return data, valid, last, ready
