"""Parameters of components: checked once, then read-only."""

from __future__ import annotations

from collections.abc import Callable
from types import UnionType
from typing import Generic, TypeVar, overload

from amaranth import Shape
from amaranth.hdl import ShapeLike

T = TypeVar("T")


def is_positive(value: object) -> bool:
    """Whether ``value`` is a positive integer; a bool is not."""
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


class Parameter(Generic[T]):
    """Read-only attribute of a component, which ``__init__`` sets by assignment.

    A value that is not a ``kind``, or that ``accepts`` rejects, raises :class:`TypeError` with the
    ``rule``; a second assignment raises :class:`AttributeError`.
    """

    def __init__(
        self,
        kind: type[T] | UnionType,
        *,
        rule: str | None = None,
        accepts: Callable[[T], bool] = lambda value: True,
    ) -> None:
        self._kind, self._accepts = kind, accepts
        self._rule = rule or f"a {getattr(kind, '__name__', kind)}"

    @staticmethod
    def positive() -> Parameter[int]:
        """A positive integer."""
        return Parameter(int, rule="a positive integer", accepts=is_positive)

    @staticmethod
    def shape() -> Parameter[ShapeLike]:
        """The shape of a value; Amaranth raises :class:`TypeError` for anything else."""
        return Parameter(object, accepts=lambda shape: Shape.cast(shape) is not None)

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, component: None, owner: type) -> Parameter[T]: ...
    @overload
    def __get__(self, component: object, owner: type) -> T: ...
    def __get__(self, component: object | None, owner: type) -> Parameter[T] | T:
        if component is None:
            return self
        if self._name not in vars(component):
            raise AttributeError(f"{self._name} is not set yet")
        value: T = vars(component)[self._name]
        return value

    def __set__(self, component: object, value: T) -> None:
        if self._name in vars(component):
            raise AttributeError(f"{self._name} is read-only")
        if not isinstance(value, self._kind) or not self._accepts(value):
            raise TypeError(f"{self._name} must be {self._rule}, not {value!r}")
        vars(component)[self._name] = value
