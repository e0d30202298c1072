# amaranth: UnusedElaboratable=no
"""Checks of the convention that components verify their parameters and expose them."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from amaranth.hdl import Fragment

from hwgen.rtl.parameters import Parameter


def check_exposed(component: Any, parameters: dict[str, Any]) -> None:
    """Every parameter is keyword-only and readable, and cannot be assigned."""
    signature = inspect.signature(component.__init__).parameters
    for name, parameter in list(signature.items())[1:]:
        assert parameter.kind is inspect.Parameter.KEYWORD_ONLY, name
        assert isinstance(getattr(component, name), Parameter), name
    unit = component(**parameters)
    Fragment.get(unit, None)
    for name, value in parameters.items():
        assert getattr(unit, name) is value or getattr(unit, name) == value, name
        with pytest.raises(AttributeError):
            setattr(unit, name, value)


def check_rejected(component: Any, parameters: dict[str, Any], name: str, value: Any) -> None:
    """``value`` for the parameter ``name`` is rejected; the other parameters are accepted."""
    Fragment.get(component(**parameters), None)
    with pytest.raises((TypeError, ValueError)):
        component(**{**parameters, name: value})
