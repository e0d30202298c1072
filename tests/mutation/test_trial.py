"""The runner tells apart what can become of a mutation, on a made-up package."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutation.entries import Mutation, StaleError
from tests.mutation.run import Judgement, Trial, Verdict
from tests.mutation.score import complaints, score, table

SOURCE = '''"""Two functions."""


def add(a, b):
    return a + b


def count(n):
    i = 0
    while i < n:
        i += 1
    return i


def spare(n):
    return n or 0
'''
TESTS = """import pytest
from toy.sums import add, count


def test_add():
    assert add(2, 3) == 5


def test_count():
    assert count(3) == 3


@pytest.fixture
def five():
    assert add(2, 3) == 5


def test_with_a_fixture(five):
    pass


def test_red():
    assert add(1, 1) == 3


@pytest.mark.skip(reason="no data")
def test_skipped():
    pass


@pytest.mark.slow
def test_slow():
    assert add(0, 1) == 1
"""


def mutation(name: str, old: str, new: str, test: str = "test_add", **more: object) -> Mutation:
    tests = f"test_sums.py::{test}"
    return Mutation(name=name, file="toy/sums.py", old=old, new=new, tests=tests, **more)


MUTATIONS = {
    "killed": mutation("minus", "a + b", "a - b"),
    "killed by a slow test": mutation("minus, slow", "a + b", "a - b", "test_slow"),
    "survived": mutation("commuted", "a + b", "b + a"),
    "equivalent": mutation("spare", "n or 0", "n", equivalent="n is a number"),
    "not equivalent": mutation("wrong reason", "a + b", "a - b", equivalent="it looks so"),
    "no import": mutation("no import", "def spare(n):", "spare = no_such_name\n\n\ndef f(n):"),
    "no syntax": mutation("no syntax", "a + b", "a +"),
    "no name": mutation("no name", "a + b", "a + c"),
    "not there": mutation("not there", "a * b", "a - b"),
    "ambiguous": mutation("ambiguous", "return ", "yield "),
    "anchored": mutation("anchored", "return ", "return 1 + ", "test_count", after="i += 1"),
    "red before": mutation("red before", "a + b", "a - b", "test_red"),
    "skipped": mutation("skipped", "a + b", "a - b", "test_skipped"),
    "no test": mutation("no test", "a + b", "a - b", "test_that_is_not_there"),
    "fixture": mutation("fixture", "a + b", "a - b", "test_with_a_fixture"),
    "hang": mutation("hang", "i += 1", "i += 0", "test_count", hang=3),
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("project")
    (root / "pytest.ini").write_text("[pytest]\naddopts = -m 'not slow'\nmarkers = slow: minutes\n")
    files = {"toy/__init__.py": "", "toy/sums.py": SOURCE, "tests/test_sums.py": TESTS}
    for name, text in files.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text)
    (root / ".editable").mkdir()
    (root / ".editable" / "toy").symlink_to("../toy")
    return root


def contents(root: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def judged(project: Path) -> dict[str, Judgement]:
    before, told = contents(project), []
    found = Trial(project, jobs=2, package="toy").run([*MUTATIONS.values()], told.append)
    assert contents(project) == before, "the checkout itself is not touched"
    assert sorted(item.mutation.name for item in told) == sorted(m.name for m in MUTATIONS.values())
    assert [item.mutation for item in found] == [*MUTATIONS.values()]
    return dict(zip(MUTATIONS, found, strict=True))


@pytest.mark.parametrize(
    ("case", "verdict", "detail"),
    [
        ("killed", Verdict.KILLED, "tests/test_sums.py::test_add"),
        ("killed by a slow test", Verdict.KILLED, "tests/test_sums.py::test_slow"),
        ("survived", Verdict.SURVIVED, "no named test noticed"),
        ("equivalent", Verdict.SURVIVED, "n is a number"),
        ("not equivalent", Verdict.BROKEN, "said to be equivalent, but: tests/test_sums.py"),
        ("no import", Verdict.BROKEN, "toy.sums cannot be imported: NameError: name 'no_"),
        ("no syntax", Verdict.BROKEN, "toy.sums cannot be imported: SyntaxError"),
        ("no name", Verdict.BROKEN, "tests/test_sums.py::test_add: NameError: name 'c'"),
        ("not there", Verdict.STALE, "toy/sums.py contains old: 'a * b' 0 times instead of once"),
        ("ambiguous", Verdict.STALE, "toy/sums.py contains old: 'return ' 3 times"),
        ("anchored", Verdict.KILLED, "tests/test_sums.py::test_count"),
        ("red before", Verdict.BROKEN, "the tests do not pass without the mutation: tests/test_s"),
        ("skipped", Verdict.BROKEN, "the tests do not pass without the mutation: 0 passed"),
        ("no test", Verdict.BROKEN, "the tests do not pass without the mutation: 0 passed"),
        ("fixture", Verdict.BROKEN, "tests/test_sums.py::test_with_a_fixture in its setup: assert"),
        ("hang", Verdict.KILLED, "hang: no end after 3 times the usual"),
    ],
)
def test_outcome(judged: dict[str, Judgement], case: str, verdict: Verdict, detail: str) -> None:
    assert judged[case].detail.startswith(detail), judged[case]
    assert judged[case].verdict is verdict


def test_the_score_counts_explained_survivors_but_no_broken_line(
    judged: dict[str, Judgement],
) -> None:
    killed, explained = judged["killed"], judged["equivalent"]
    assert score([killed, killed, killed, explained]) == 75
    assert score([killed, judged["no import"], judged["not there"]]) == 100
    assert score([judged["no import"]]) is None
    assert complaints([killed, explained], minimum=50) == []
    assert complaints([killed, explained], minimum=50.1) == [
        "the score must be at least 50.1 %, but is 50.0 %"
    ]
    for case in ("survived", "no import", "not there", "red before"):
        (complaint,) = complaints([killed, judged[case]], minimum=0)
        assert judged[case].mutation.name in complaint


def test_the_table_has_a_row_for_each_folder_and_the_reasons(judged: dict[str, Judgement]) -> None:
    shown = table([judged["killed"], judged["equivalent"], judged["hang"]])
    assert "| `toy` | 3 | 2 | 1 | 66.7 % |" in shown
    assert "survived: spare: n is a number" in shown
    assert "killed by time: hang: hang: no end after 3 times the usual" in shown


def test_a_package_from_elsewhere_ends_the_run(project: Path, tmp_path: Path) -> None:
    """Its mutations would never be seen, and all of them would survive."""
    other = tmp_path / "other"
    (other / ".editable").mkdir(parents=True)
    (other / ".editable" / "toy").symlink_to(project / "toy")
    for name in ("toy", "tests"):
        (other / name).mkdir()
    for name in ("toy/sums.py", "tests/test_sums.py", "pytest.ini"):
        (other / name).write_bytes((project / name).read_bytes())
    with pytest.raises(RuntimeError, match=r"toy comes from .*, not from "):
        Trial(other, jobs=1, package="toy").run([MUTATIONS["killed"]], lambda item: None)


def test_text_behind_an_anchor_is_the_first_one_after_it() -> None:
    one = mutation("x", "x", "y", after="b")
    assert one.apply("x a b c x x") == "x a b c y x"
    for source in ("x a b b x", "x a", "x b"):
        with pytest.raises(StaleError):
            one.apply(source)
    with pytest.raises(StaleError, match="the new text is the old one"):
        mutation("x", "x", "x").apply("x")
