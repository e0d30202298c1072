"""A compiled simulator is kept until something that it was made from changes."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest

from hwgen.artefact.build_folder import Manifest, read_manifest
from hwgen.simulation import cache, runtime_objects, tools
from hwgen.simulation import compile as compiling
from hwgen.simulation.jobs import CompileJob
from hwgen.simulation.options import Simulator
from hwgen.simulation.work_folder import WorkFolder
from tests.support.cores.mock_core import write_mock_core

CORE = "mock_core.v"


class Compiler:
    """Stands in for the process that compiles; its product is the sources that it was given."""

    def __init__(self, work: WorkFolder, manifest: Manifest) -> None:
        self.work, self.manifest, self.runs = work, manifest, 0

    def launch(self, job: CompileJob, **_: object) -> None:
        self.runs += 1
        text = "".join(f"{Path(source).name}: {Path(source).read_text()}" for source in job.sources)
        (Path(job.folder) / "sim.vvp").write_text(text)

    def compiles(self, manifest: Manifest | None = None) -> bool:
        """Whether a simulation compiles a simulator, or keeps the one that is there."""
        before = self.runs
        compiling.compile_simulator(manifest or self.manifest, self.work)
        return self.runs > before


@pytest.fixture
def compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Compiler:
    monkeypatch.setenv("HWGEN_CACHE", str(tmp_path / "cache"))
    build = tmp_path / "build"
    write_mock_core(build, 1)
    work = WorkFolder(build=build, simulator=Simulator.ICARUS, waves=False)
    work.path.mkdir(parents=True)
    made = Compiler(work, read_manifest(build))
    monkeypatch.setattr(compiling, "launch", made.launch)
    monkeypatch.setattr(tools, "versions", lambda simulator: {"iverilog": "12.0"})
    assert made.compiles()
    assert not made.compiles()
    return made


def test_an_edited_source_is_compiled_again(compiler: Compiler) -> None:
    source = compiler.work.build / CORE
    source.write_text(source.read_text() + "// one more line\n")
    assert compiler.compiles()
    assert not compiler.compiles()
    assert "// one more line" in (compiler.work.path / "sim.vvp").read_text()


def test_a_simulator_with_waves_is_another_one(
    compiler: Compiler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(WorkFolder, "is_traced", property(lambda work: True))
    assert compiler.compiles()


def test_a_renamed_source_is_compiled_again(compiler: Compiler) -> None:
    """Its name is in the messages of the simulator, and may be in an `include."""
    (compiler.work.build / CORE).rename(compiler.work.build / "other.v")
    sources = tuple("other.v" if name == CORE else name for name in compiler.manifest.sources)
    assert compiler.compiles(compiler.manifest.model_copy(update={"sources": sources}))


def test_other_arguments_compile_again(compiler: Compiler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(compiling._ARGUMENTS, Simulator.ICARUS, ["-g2012"])
    assert compiler.compiles()


def test_another_version_of_the_tools_compiles_again(
    compiler: Compiler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools, "versions", lambda simulator: {"iverilog": "13.0"})
    assert compiler.compiles()
    assert not compiler.compiles()


def test_a_missing_simulator_is_compiled_again(compiler: Compiler) -> None:
    (compiler.work.path / "sim.vvp").unlink()
    assert not compiler.compiles()
    assert (compiler.work.path / "sim.vvp").is_file()
    (entry,) = cache.root().glob("simulator-*")
    (entry / "sim.vvp").unlink()
    assert compiler.compiles()


def test_a_simulator_of_the_folder_is_not_taken(compiler: Compiler) -> None:
    """Whoever made the folder may have left one, with any key beside it."""
    (compiler.work.path / "sim.vvp").write_text("foreign")
    assert not compiler.compiles()
    assert "foreign" not in (compiler.work.path / "sim.vvp").read_text()


def test_another_build_folder_with_the_same_sources_shares_the_simulator(
    compiler: Compiler, tmp_path: Path
) -> None:
    shutil.copytree(tmp_path / "build", tmp_path / "other")
    other = WorkFolder(build=tmp_path / "other", simulator=Simulator.ICARUS, waves=False)
    (other.path / "sim.vvp").unlink()
    compiler.work = other
    assert not compiler.compiles()
    assert (other.path / "sim.vvp").is_file()


def test_only_the_newest_simulators_are_kept(
    compiler: Compiler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "KEPT", 2)
    source, texts = compiler.work.build / CORE, []
    for number in range(3):
        source.write_text(f"module other_{number}; endmodule\n")
        texts.append(source.read_text())
        assert compiler.compiles()
        for age, entry in enumerate(
            sorted(cache.root().glob("simulator-*"), key=lambda entry: -entry.stat().st_mtime)
        ):
            os.utime(entry, (1000 - age, 1000 - age))
    assert len(list(cache.root().glob("simulator-*"))) == 2
    assert not compiler.compiles(), "the newest is still there"


def test_an_interrupted_build_leaves_no_simulator_of_other_sources(
    compiler: Compiler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Interrupted when the new simulator has its place."""
    source, move = compiler.work.build / CORE, compiling.shutil.move
    before = source.read_text()
    source.write_text("module other; endmodule\n")

    def interrupted(*paths: Path) -> None:
        move(*paths)
        raise KeyboardInterrupt

    monkeypatch.setattr(compiling.shutil, "move", interrupted)
    with pytest.raises(KeyboardInterrupt):
        compiler.compiles()
    monkeypatch.setattr(compiling.shutil, "move", move)
    source.write_text(before)
    assert not compiler.compiles()
    assert "module other" not in (compiler.work.path / "sim.vvp").read_text()


def test_versions_name_the_compiler_that_is_on_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Verilator's model is compiled by c++, so that another one makes another simulator."""

    def with_compiler(release: str) -> dict[str, str]:
        program = tmp_path / "c++"
        program.write_text(f"#!/bin/sh\necho 'c++ {release}'\n")
        program.chmod(0o755)
        environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
        monkeypatch.setattr(tools, "environment", lambda: environment)
        return tools.versions(Simulator.VERILATOR)

    assert with_compiler("13")["c++"].endswith("c++ 13")
    assert with_compiler("13") == with_compiler("13") != with_compiler("14")


def test_other_flags_of_the_compiler_make_another_simulator(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPT_FAST", "-O3 -march=native")
    assert r"OPT_FAST=-O3\ -march=native OPT_GLOBAL" in tools.environment()["MAKEFLAGS"]
    fast = tools.versions(Simulator.VERILATOR)
    monkeypatch.delenv("OPT_FAST")
    assert "OPT_FAST=-O1 " in tools.environment()["MAKEFLAGS"]
    assert tools.versions(Simulator.VERILATOR) != fast


def test_runtime_objects_are_kept_for_equal_flags_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Objects of other flags, of waves, or of another Verilator are not taken."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def use(flags: str, release: str) -> None:
        monkeypatch.setattr(runtime_objects, "environment", lambda: {"MAKEFLAGS": flags})
        monkeypatch.setattr(runtime_objects, "versions", lambda simulator: {"verilator": release})

    def fetched(waves: bool) -> list[str]:
        folder = tmp_path / "made"
        folder.mkdir(exist_ok=True)
        runtime_objects.fetch(folder, waves=waves)
        found = sorted(path.name for path in folder.iterdir())
        for path in folder.iterdir():
            path.unlink()
        return found

    made = tmp_path / "first"
    made.mkdir()
    (made / "verilated.o").write_bytes(b"code")
    (made / "other.o").write_bytes(b"code")
    use("OPT_FAST=-O1", "5.40")
    runtime_objects.store(made, waves=False)
    assert fetched(waves=False) == ["verilated.o"]
    assert fetched(waves=True) == []
    use("OPT_FAST=-O3", "5.40")
    assert fetched(waves=False) == []
    use("OPT_FAST=-O1", "5.41")
    assert fetched(waves=False) == []


# --- where the cache is --------------------------------------------------------------------------


def test_the_cache_is_where_the_user_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HWGEN_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache.root() == tmp_path / "home/.cache/hwgen"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache.root() == tmp_path / "xdg/hwgen"
    monkeypatch.setenv("HWGEN_CACHE", str(tmp_path / "named"))
    assert cache.root() == tmp_path / "named"
    assert stat.S_IMODE((tmp_path / "named").stat().st_mode) == 0o700


@pytest.fixture
def only_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The one folder that the environment leaves for the cache; HOME is a file."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HOME", str(tmp_path / "file"))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HWGEN_CACHE", str(tmp_path / "cache"))
    assert cache.root() == tmp_path / "cache"
    return tmp_path / "cache"


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702])
def test_a_cache_that_others_can_write_is_not_used(only_one: Path, mode: int) -> None:
    only_one.chmod(mode)
    private = cache.root()
    assert private != only_one
    assert stat.S_IMODE(private.stat().st_mode) == 0o700


def test_a_cache_of_somebody_else_is_not_used(
    only_one: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache.os, "geteuid", lambda: only_one.stat().st_uid + 1)
    assert cache.root() != only_one


def test_without_a_home_the_cache_is_temporary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HWGEN_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)

    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(cache.Path, "home", no_home)
    assert cache.root().is_dir()
    assert cache.root() == cache.root()
