"""Verdicts: what conditions are known to come to, where all is known of the values that they ask about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.graph.atoms import (
    Atom,
    Bound,
    Class,
    Collection,
    Constant,
    External,
    Function,
    Instance,
    Module,
    Object,
    Partial,
    Value,
)
from analyzer.graph.declared import Job, Task
from analyzer.graph.values import Exact

if TYPE_CHECKING:
    from analyzer.graph.machine import Machine

_TRUE: Final = (Function, Bound, Class, Module, Partial, Job, Task)
"""Kinds of atoms that are always true."""

_COMPARED: Final = ("is", "not_is", "eq", "ne")
_SOMETHING: Final = (*_TRUE, Object, Collection, Instance)
"""Kinds of atoms that are never None."""


class Verdicts:
    """Tells what conditions come to."""

    def __init__(self, machine: Machine) -> None:
        self._m = machine

    def truth(self, value: Value) -> bool | None:
        """Return whether a value is true, None when that is not known."""
        if type(value) is not Exact:
            return None
        return _agreed([self._is_true(atom) for atom in value])

    def compared(self, operator: str, left: Value, right: Value) -> bool | None:
        """Return what a comparison comes to (``is``, ``eq`` and their opposites), None when that is not known."""
        if type(left) is not Exact or type(right) is not Exact or operator not in _COMPARED:
            return None
        verdict = _agreed([self._is_same(one, other, operator) for one in left for other in right])
        return None if verdict is None else verdict is (operator in ("is", "eq"))

    def _is_true(self, atom: Atom) -> bool | None:
        if type(atom) is Constant:
            return bool(atom.value)
        if isinstance(atom, _TRUE):
            return True
        if type(atom) is External and self._m.libraries.is_code(atom.name):
            return True
        if type(atom) is Object and self._m.classes.is_own(atom.cls):
            has_own = any(self._m.classes.find(atom.cls, name) is not None for name in ("__bool__", "__len__"))
            return None if has_own else True
        return None

    def _is_same(self, one: Atom, other: Atom, operator: str) -> bool | None:
        if type(one) is Constant and type(other) is Constant:
            return type(one.value) is type(other.value) and one.value == other.value
        if type(one) is not Constant and type(other) is not Constant:
            return True if one is other and isinstance(one, Function | Class | Module) else None
        atom, constant = (other, one) if type(one) is Constant else (one, other)
        if type(constant) is not Constant or constant.value is not None or not self._is_something(atom):
            return None
        # An object may say that it is equal to None; nothing but None is it.
        return False if operator.endswith("is") or type(atom) is not Object else None

    def _is_something(self, atom: Atom) -> bool:
        return isinstance(atom, _SOMETHING) or (type(atom) is External and self._m.libraries.is_code(atom.name))


def _agreed(verdicts: list[bool | None]) -> bool | None:
    return verdicts[0] if verdicts and all(verdict is verdicts[0] for verdict in verdicts) else None
