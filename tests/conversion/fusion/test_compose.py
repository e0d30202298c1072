"""Projections of one source and geometry are added."""

from __future__ import annotations

import numpy as np

from hwgen.conversion.float_graph import FloatConv2d, FloatIdentity, FloatProjection
from hwgen.conversion.fusion.compose import join


def conv(value: float, **geometry: object) -> FloatConv2d:
    return FloatConv2d(source="x", weights=np.full((1, 1, 3, 3), value), **geometry)


def values(projections: tuple[FloatProjection, ...]) -> list[float]:
    return [float(projection.weights.flat[0]) for projection in projections]


def test_weights_of_equal_projections_add_up() -> None:
    one, two = (FloatIdentity(source="x", weights=np.array(pair)) for pair in ([1, 2], [10, 20]))
    (both,) = join([one, two])
    assert both.weights.tolist() == [11, 22]
    assert values(join([conv(1), conv(2), conv(4)])) == [7]


def test_other_geometry_stays_apart() -> None:
    padded = conv(2, padding=(1, 1, 1, 1))
    valued = conv(4, padding=(1, 1, 1, 1), pad_value=np.array([0.5]))
    assert values(join([conv(1), padded, valued, conv(8, stride=(2, 2)), padded])) == [1, 4, 4, 8]
    other = FloatIdentity(source="y", weights=np.array([3.0]))
    assert values(join([FloatIdentity(source="x", weights=np.array([5.0])), other])) == [5, 3]
