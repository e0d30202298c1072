"""The build folder as an object: simulation, place and route, report."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hwgen.arguments import require_path
from hwgen.errors import ArtefactError

if TYPE_CHECKING:
    import numpy as np

    from hwgen.artefact.build_folder import Manifest
    from hwgen.boards import Board
    from hwgen.network import Network
    from hwgen.report import BuildFigures
    from hwgen.simulation.report import SimulationReport
    from hwgen.synthesis import BuildReport


@dataclass(frozen=True)
class Build(os.PathLike[str]):
    """Build folder of a generated core; accepted wherever a path is.

    ``hwgen.generate(…).write(path)`` makes one, :meth:`open` opens an existing one.

    Parameters
    ----------
    folder : Path
    """

    folder: Path

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Build:
        """Open a build folder and check its files against the hashes in its manifest.

        Raises
        ------
        ArtefactError
            ``path`` is not a build folder, or one of its files is missing or was edited.
        """
        build = cls(require_path("path", path, error=ArtefactError))
        _ = build.manifest
        return build

    def __fspath__(self) -> str:
        return str(self.folder)

    def __repr__(self) -> str:
        return f"Build({str(self.folder)!r})"

    @property
    def manifest(self) -> Manifest:
        """Manifest of the folder: ports, streams, counters, plan and predictions."""
        from hwgen.artefact.build_folder import read_manifest

        return read_manifest(self.folder)

    @property
    def network(self) -> Network:
        """Network that the core was generated from."""
        from hwgen.artefact import load

        return load(self.folder / "network")

    def simulate(
        self,
        images: object,
        *,
        labels: np.ndarray | None = None,
        samples: int | None = None,
        simulator: str = "verilator",
        idle: str = "none",
        backpressure: str = "none",
        seed: int = 0,
        waves: bool = False,
        progress: Callable[[str], object] | None = None,
    ) -> SimulationReport:
        """Simulate the Verilog and compare every stream with the golden model.

        Writes ``simulation.json`` into the folder; the simulator works in its subfolder ``sim``.

        Parameters
        ----------
        images : array, tensor, Dataset or DataLoader
            As :func:`hwgen.golden.run` takes them.
        labels : integer array, shape (N,), or None
            Classes of the images, for the accuracy.
        samples : int or None
            Number of images to send, back to back; None sends all.
        simulator : "verilator" or "icarus"
        idle, backpressure : "none", "random" or "adversarial"
            Pauses of the input's source and of the results' sink.
        seed : int
            Seed of these pauses.
        waves : bool
            Record every signal.
        progress : callable, or None
            Called with a line of text at each step.

        Raises
        ------
        MismatchError
            The Verilog differs from the golden model; the message names the first difference.
        ArtefactError, DataError, ToolError
            The folder, the images or the simulator cannot be used.
        """
        from hwgen.artefact.claim import in_use
        from hwgen.simulation.runner import simulate

        with in_use(self.folder):
            return simulate(
                self.folder,
                images,
                labels=labels,
                samples=samples,
                simulator=simulator,
                idle=idle,
                backpressure=backpressure,
                seed=seed,
                waves=waves,
                progress=progress,
            )

    def place_and_route(
        self,
        *,
        board: str | os.PathLike[str] | Board | None = None,
        clock_mhz: float | None = None,
        seed: int = 1,
        tries: int = 1,
        progress: Callable[[str], object] | None = None,
    ) -> BuildReport:
        """Synthesise, place and route the core for its board; the bitstream is in ``synth/``.

        Parameters
        ----------
        board : str, Board or None
            Name of a board or path of a ``.yaml`` file; None takes the board of the folder.
        clock_mhz : float or None
            Clock of the core in MHz; None takes the board's default.
        seed : int
            First seed of place and route.
        tries : int
            Seeds to try until one meets the clock; otherwise the fastest is kept.
        progress : callable, or None
            Called with a line of text at each step.

        Raises
        ------
        PlanError
            The core does not fit the board, or the board cannot generate the clock.
        ArtefactError, ToolError
            The folder cannot be used, or a tool is missing or failed.
        """
        from hwgen.synthesis import build

        return build(
            self.folder, board=board, clock_mhz=clock_mhz, seed=seed, tries=tries, progress=progress
        )

    def report(self) -> BuildFigures:
        """Collect all figures of the folder and write ``report.json`` and ``report.html``.

        Figures come from the manifest and the last evaluation, simulation, and place and route.

        Raises
        ------
        ArtefactError
            The folder is damaged, or holds the simulation or evaluation of another network.
        """
        from hwgen.report import gather, write

        figures = gather(self.folder)
        write(self.folder, figures)
        return figures
