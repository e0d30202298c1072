"""Checks of the parameters that components take."""

from amaranth import Shape


def require_positive(**parameters: object) -> None:
    """Raise :class:`TypeError` unless every value is a positive integer."""
    for name, value in parameters.items():
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise TypeError(f"{name} must be a positive integer, not {value!r}")


def require_type(kind: type, **parameters: object) -> None:
    """Raise :class:`TypeError` unless every value is a ``kind``."""
    for name, value in parameters.items():
        if not isinstance(value, kind):
            raise TypeError(f"{name} must be a {kind.__name__}, not {value!r}")


def require_shape(shape: object) -> None:
    """Raise :class:`TypeError` unless ``shape`` describes a value."""
    Shape.cast(shape)
