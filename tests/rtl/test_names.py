"""Verilog identifiers from arbitrary names."""

from __future__ import annotations

import re

import pytest

from hwgen.rtl.names import MAX_LENGTH, identifier

AWKWARD = [
    "module", "Always", "wire", "signed", "", " ", "...", "_", "__x", "0", "9lives", "a.b/c d",
    "größe", "層", "x" * 200, "conv-1", "a\nb", "a\\b", "$display", "tab\there", "ends_", "\x00",
]  # fmt: skip


@pytest.mark.parametrize("name", AWKWARD)
def test_any_name_becomes_a_plain_identifier(name: str) -> None:
    chosen = identifier(name)
    assert re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", chosen)
    assert len(chosen) <= MAX_LENGTH + 2
    assert chosen.lower() not in {"module", "always", "wire", "signed"}


def test_plain_names_stay_as_they_are() -> None:
    for name in ("conv1", "Layer_3", "a", "modules", "x_y_2"):
        assert identifier(name) == name


def test_characters_are_replaced_one_by_one() -> None:
    assert identifier("block.0/relu 2") == "block_0_relu_2"
    assert identifier("module") == "n_module"
    assert identifier("1x1") == "n_1x1"
    assert identifier("hwgen_weight_memory") == "n_hwgen_weight_memory"
    assert identifier("") == "n"


def test_clashes_get_numbers_whatever_their_case() -> None:
    taken: set[str] = set()
    chosen = []
    for name in ("a.b", "a/b", "A_B", "a_b_2", "a b"):
        chosen.append(identifier(name, taken=taken))
        taken.add(chosen[-1])
    assert chosen == ["a_b", "a_b_2", "A_B_3", "a_b_2_2", "a_b_4"]
    assert len({name.lower() for name in chosen}) == 5


def test_long_names_that_differ_at_the_end_differ() -> None:
    first = identifier("x" * 100 + "1")
    assert identifier("x" * 100 + "2", taken=[first]) != first
