"""Values of options as users write them."""

from __future__ import annotations

import click
import pytest

from hwgen.commands.generate import _per_layer
from hwgen.commands.options import ByLayer, Fraction, Numbers, Rate, by_layer


@pytest.mark.parametrize(("text", "value"), [("0.5", 0.5), ("1/4", 0.25), ("3/2", 1.5), ("2", 2.0)])
def test_fractions(text: str, value: float) -> None:
    assert Fraction().convert(text, None, None) == value


def test_numbers_rates_and_layers() -> None:
    assert Numbers().convert("0.5,0.25", None, None) == (0.5, 0.25)
    assert Rate().convert("max", None, None) == "max"
    assert Rate().convert("1e3", None, None) == 1000.0
    assert ByLayer().convert("conv1=8", None, None) == ("conv1", 8)
    assert ByLayer().convert("8", None, None) == ("", 8)
    assert by_layer([("", 4), ("a", 2)], option="--lanes") == (4, {"a": 2})


def test_a_number_for_all_layers_holds_beside_those_by_name() -> None:
    known = {"option": "--lanes", "layers": ["a", "b"]}
    assert _per_layer([("", 4), ("a", 2)], **known) == {None: 4, "a": 2}
    assert _per_layer([("a", 2)], **known) == {"a": 2}
    assert _per_layer([("", 4)], **known) == 4
    assert _per_layer([], **known) is None


@pytest.mark.parametrize("text", ["1/0", "one", "1/2/3"])
def test_other_fractions_are_rejected(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is not a number such as 0.5 or 1/255"):
        Fraction().convert(text, None, None)
