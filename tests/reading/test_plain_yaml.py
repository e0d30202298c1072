"""YAML of plain values: read as PyYAML reads it, or refused with the place."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.reading import ReadingError
from hwgen.reading.plain_yaml import parse_yaml

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)
SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
)  # fmt: skip
TREES = st.recursive(
    SCALARS,
    lambda parts: st.lists(parts, max_size=4) | st.dictionaries(TEXTS, parts, max_size=4),
    max_leaves=15,
)


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(TREES)
def test_plain_values_come_back(value: object) -> None:
    text = yaml.safe_dump(value, sort_keys=False, default_flow_style=None)
    assert repr(parse_yaml(text)) == repr(value)  # repr: 1 is not 1.0 or True, and −0.0 not 0.0


@pytest.mark.parametrize(
    "text",
    [
        "0x1F",
        "0b101",
        "0o17",
        "017",
        "1_000",
        "1:30",
        "+5",
        "-.5",
        "1e5",
        "1.e+3",
        "~",
        "Yes",
        "08",
    ],
)
def test_scalars_of_other_writers_are_read_as_pyyaml_reads_them(text: str) -> None:
    assert repr(parse_yaml(text)) == repr(yaml.safe_load(text))


def bomb() -> str:
    """Ten levels of ten aliases: ten thousand million strings from a few hundred bytes."""
    levels = [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]
    return "\n".join(["a0: &a0 [lol, lol]", *levels])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (bomb(), "line 1, column 5: anchors and aliases are not read"),
        ("a: &a [*a]", "anchors and aliases"),
        ("a: !!python/object/apply:os.getcwd []", "the tag '.*os.getcwd' is not read"),
        ("a: !!binary aGVsbG8=", "the tag .*binary' is not read"),
        ("a: 2001-01-01", "'2001-01-01' is neither a number nor a string; quote it"),
        ("<<: {a: 1}", "'<<' is neither"),
        ("a: 1\nb: 2\na: 3", "line 3, column 1: the key 'a' is there twice"),
        ("1: 2", "the key '1' must be a string; quote it"),
        ("? [1]\n: 2", "a key must be a string"),
        ("a: .nan", "a number must be finite, not .nan"),
        ("a: -.inf", "a number must be finite"),
        ("a: 1.0e+999", "a number must be finite"),
        ("a: " + "1" * 20_000, "a number has 20,000 characters, at most 100 are read"),
        ("a: 0x" + "f" * 20_000, "a number has 20,002 characters"),
        ("a: 1" + ":59" * 20_000, "a number has 60,001 characters"),
        ("a: 0b_", "'0b_' is not a number; quote it"),
        ("[" * 100_000, "nested deeper|maximum nesting depth"),
        ("[" * 41 + "]" * 41, "line 1, column 41: is nested deeper than 40 levels"),
        ("- " * 100_000, "is nested deeper"),
        ("{a: " * 100_000, "is nested deeper"),
        ("[" + "1," * 250_000 + "]", "has more than 250,000 values"),
        ("--- 1\n--- 2", "line 2, column 5: a second YAML document begins"),
        ("", "is empty"),
        ("a: [", "is not YAML in line 2, column 1: did not find"),
        ("a: \x07", "is not YAML: .*control characters are not allowed$"),
    ],
    ids=lambda text: text[:20],
)  # fmt: skip
def test_what_is_not_plain_is_refused(text: str, message: str) -> None:
    with pytest.raises(ReadingError, match=message) as refused:
        parse_yaml(text)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 700


def test_the_deepest_nesting_and_the_longest_number() -> None:
    deep = parse_yaml("[" * 40 + "]" * 40)
    for _ in range(39):
        [deep] = deep
    assert deep == []
    assert parse_yaml("9" * 100) == 10**100 - 1
