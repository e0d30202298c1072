"""The version of hwgen: one per state of a checkout, and the installed one elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

import hwgen
from hwgen import version as version_module
from hwgen.artefact.build_folder import read_manifest
from hwgen.cli import run
from hwgen.conversion import Provenance
from hwgen.version import checkout_version, version
from tests.support.command_line import Captured, small_network
from tests.support.conversion import convert
from tests.support.float_models import pixels, tiny_cnn

FILES = {
    "hwgen/__init__.py": "a = 1\n",
    "rtl_templates/unit.v": "module\n",
    "docs/page.md": "text\n",
}


def git(root: Path, *arguments: str) -> str:
    settings = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    result = subprocess.run(
        ["git", *settings, *arguments],
        cwd=root,
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )
    return result.stdout.strip()


def clean_version(root: Path) -> str:
    return f"0+g{git(root, 'rev-parse', 'HEAD')[:12]}"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with one commit and the layout of ours."""
    root = tmp_path / "checkout"
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (root / ".gitignore").write_text("__pycache__/\n")
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "first")
    return root


def test_a_clean_checkout_has_the_version_of_its_commit(checkout: Path) -> None:
    first = checkout_version(checkout)
    assert first == clean_version(checkout)
    git(checkout, "commit", "-q", "--allow-empty", "-m", "second")
    assert checkout_version(checkout) == clean_version(checkout) != first


def test_every_change_of_the_package_has_a_version_of_its_own(checkout: Path) -> None:
    source = checkout / "hwgen/__init__.py"
    seen = {checkout_version(checkout)}

    def expect_another() -> None:
        found = checkout_version(checkout)
        assert found is not None
        assert found.startswith(f"{clean_version(checkout)}.d")
        assert found not in seen
        seen.add(found)

    source.write_text("a = 2\n")
    expect_another()
    source.write_text("a = 3\n")  # of the same size, and as likely as not of the same second
    expect_another()
    (checkout / "hwgen/new file.py").write_text("b = 1\n")
    expect_another()
    (checkout / "hwgen/new file.py").rename(checkout / "hwgen/renamed.py")
    expect_another()
    (checkout / "rtl_templates/unit.v").write_text("endmodule\n")
    expect_another()
    source.unlink()
    expect_another()


def test_the_same_files_have_the_same_version(checkout: Path, tmp_path: Path) -> None:
    """Whatever the depth of the clone, its tags, its times and its index."""
    git(checkout, "commit", "-q", "--allow-empty", "-m", "second")
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{checkout}", "shallow")
    git(checkout, "tag", "v1.0")
    shallow = tmp_path / "shallow"
    assert checkout_version(shallow) == checkout_version(checkout) == clean_version(checkout)
    for root in (shallow, checkout):
        (root / "hwgen/__init__.py").write_text("a = 2\n")
        (root / "hwgen/new.py").write_text("b = 1\n")
    git(checkout, "add", ".")
    os.utime(shallow / "rtl_templates/unit.v", (1, 1))
    assert checkout_version(shallow) == checkout_version(checkout) != clean_version(checkout)
    for root in (shallow, checkout):
        (root / "hwgen/__init__.py").write_text(FILES["hwgen/__init__.py"])
        git(root, "rm", "-q", "-f", "--ignore-unmatch", "hwgen/new.py")
        (root / "hwgen/new.py").unlink(missing_ok=True)
    assert checkout_version(shallow) == checkout_version(checkout) == clean_version(checkout)


def test_what_lies_outside_the_package_changes_no_version(checkout: Path) -> None:
    (checkout / "docs/page.md").write_text("other text\n")
    (checkout / "hwgen/__pycache__").mkdir()
    (checkout / "hwgen/__pycache__/a.pyc").write_text("ignored")
    assert checkout_version(checkout) == clean_version(checkout)


def test_a_hook_of_another_repository_changes_no_version(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    assert checkout_version(checkout) == clean_version(checkout)


def test_outside_a_checkout_it_is_the_installed_version(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "plain").mkdir()
    assert checkout_version(tmp_path / "plain") is None
    (tmp_path / "empty").mkdir()
    git(tmp_path / "empty", "init", "-q")
    assert checkout_version(tmp_path / "empty") is None
    monkeypatch.setenv("PATH", str(tmp_path))  # no git
    assert checkout_version(checkout) is None
    version.cache_clear()
    assert version() == metadata.version("hwgen")
    version.cache_clear()

    def missing(_: str) -> str:
        raise metadata.PackageNotFoundError

    monkeypatch.setattr(version_module.metadata, "version", missing)
    assert version() == "unknown"
    version.cache_clear()


def test_it_is_the_one_that_is_shown_and_recorded(tmp_path: Path, capsys: Captured) -> None:
    root = Path(hwgen.__file__).resolve().parents[1]
    assert version() == (checkout_version(root) or metadata.version("hwgen"))
    assert hwgen.__version__ == version()
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"hwgen, version {version()}\n"
    build = hwgen.generate(small_network()).write(tmp_path / "build")
    assert read_manifest(build.folder).tools["hwgen"] == version()
    network = convert(tiny_cnn(), pixels((2, 8, 8), samples=4))
    assert Provenance.read(network.provenance).hwgen == version()


def test_an_import_asks_no_one_for_it() -> None:
    code = (
        "import sys, hwgen, hwgen.cli\n"
        "assert not {'subprocess', 'importlib.metadata', 'hwgen.version'} & set(sys.modules)\n"
        "assert '__version__' in dir(hwgen)\n"
        "print(hwgen.__version__)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        cwd=Path(__file__).parents[1],
    )  # fmt: skip
    assert result.stdout.strip() == version()
