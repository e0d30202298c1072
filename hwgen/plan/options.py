"""Options that hold for a whole network or for one layer."""

from __future__ import annotations

from collections.abc import Mapping

from hwgen.errors import PlanError
from hwgen.network import Network

PerLayer = int | Mapping[str | None, int] | None
"""One number for all layers, or numbers by layer; None stands for the others."""

Asked = tuple[int | None, bool]
"""What is asked of a layer, and whether by its name."""


def check_option(network: Network, option: str, value: PerLayer) -> None:
    """Raise :class:`PlanError` for a name that is no layer, or a number that is none."""
    names = [layer.name for layer in network.layers]
    numbers = value if isinstance(value, Mapping) else {None: value}
    for name, number in numbers.items():
        if name is not None and name not in names:
            raise PlanError(f"{option}: no layer {name!r}; have {', '.join(names)}")
        if number is not None and (not isinstance(number, int) or number < 1):
            raise PlanError(f"{option}: must be a positive integer, not {number!r}")


def of_layer(value: PerLayer, name: str) -> Asked:
    """The number for a layer, and whether it was asked for by name."""
    if isinstance(value, Mapping):
        return value.get(name, value.get(None)), name in value
    return value, False


def limit(
    option: str, where: str, asked: Asked, default: int, most: int, of: str
) -> int:
    """The number asked for, cut to ``most`` unless it was asked for by the layer's name."""
    number, by_name = asked
    if number is None:
        return min(default, most)
    if by_name and number > most:
        raise PlanError(
            f"{where}: {option} {number} is more than its {most} {of}; give at most {most}"
        )
    return min(number, most)
