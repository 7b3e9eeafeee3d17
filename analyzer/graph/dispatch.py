"""Functions that are chosen by the type of their first argument: ``functools.singledispatch`` and its method."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.graph.atoms import (
    Atom,
    Class,
    Collection,
    Constant,
    Dispatcher,
    External,
    Function,
    Instance,
    Method,
    Object,
    Registration,
    Value,
    Wrapper,
)
from analyzer.graph.heap import Cell
from analyzer.graph.values import NOTHING, Arguments, union

if TYPE_CHECKING:
    from analyzer.graph.frames import Frame
    from analyzer.graph.machine import Machine

_ABSTRACT: Final = ("collections.abc.", "numbers.", "abc.", "typing.", "os.PathLike")
"""Types whose instances are told by what they can do: any may be one."""

_ANY: Final = ""
"""The key of a function whose type is not known."""

Key = str | Class


class Dispatch:
    """Registers functions for types, and calls those that fit."""

    def __init__(self, machine: Machine) -> None:
        self._m = machine

    def declare(self, name: str, arguments: Arguments, frame: Frame, _at: int) -> Value:
        """Return what ``singledispatch(function)`` gives."""
        function = arguments.get(0, "func") or NOTHING
        position = 1 if name.endswith("method") else 0
        made = Dispatcher(function, position, frame.home, Cell())
        return self._m.make(("dispatcher", function), lambda: frozenset((made,)))

    def attribute(self, atom: Dispatcher, name: str) -> Value:
        """Return ``function.register`` and its kin."""
        if name in ("register", "dispatch"):
            return self._m.make(("method", atom, name), lambda: frozenset((Method(atom, name),)))
        return atom.function if name in ("func", "__wrapped__") else NOTHING

    def call_method(self, atom: Dispatcher, name: str, arguments: Arguments, frame: Frame) -> Value:
        """Call ``register(function)``, ``register(type)``, ``register(type, function)`` or ``dispatch(type)``."""
        if name == "dispatch":
            return atom.function | self._m.read(atom.all, frame)
        first, second = arguments.get(0, "cls") or NOTHING, arguments.get(1, "func")
        if second is not None:
            return self.register(atom, first, second)
        functions = frozenset(entry for entry in first if isinstance(entry, Function | Wrapper))
        if functions:
            return self.register(atom, self._annotated(functions, frame), functions)
        return self._m.make(("registration", atom, first), lambda: frozenset((Registration(atom, first),)))

    def _annotated(self, functions: Value, frame: Frame) -> Value:
        """Return the types in the annotation of the first argument."""
        found = NOTHING
        for function in functions:
            inner = function.function if type(function) is Wrapper else frozenset((function,))
            for entry in inner:
                if type(entry) is Function:
                    named = [each for each in entry.facts.parameters if each.annotation is not None]
                    if named and named[0].annotation is not None:
                        scope = frame if entry.owner is None else entry.owner.frame
                        found |= self._m.annotations.instances(named[0].annotation, scope, frame)
        return found

    def register(self, atom: Dispatcher, types: Value, functions: Value) -> Value:
        """Have functions called for some types; return them."""
        self._m.touches(atom.home)
        keys = {self._key(each) for each in types} or {_ANY}
        for key in keys:
            self._m.write(self._m.cell(atom.cases, key), functions)
        self._m.write(atom.all, functions)
        return functions

    def _key(self, atom: Atom) -> Key:
        if type(atom) is Class:
            return atom
        if type(atom) is External:
            return self._m.catalogue.canonical(atom.name)
        found = self._types(atom)
        return _ANY if not found else found[0]

    # --- calling ------------------------------------------------------------------------------------------------------

    def call(self, atom: Dispatcher, arguments: Arguments, frame: Frame, at: int, in_task: bool) -> Value:
        """Call the functions that fit the first argument; all when its type is not known."""
        return self._m.calls.call(self._fitting(atom, arguments, frame), arguments, frame, at, in_task=in_task)

    def _fitting(self, atom: Dispatcher, arguments: Arguments, frame: Frame) -> Value:
        everything = atom.function | self._m.read(atom.all, frame)
        given = arguments.get(atom.position) or NOTHING
        found = NOTHING
        for each in given:
            types = self._types(each)
            if not types:
                return everything
            found |= self._for_types(atom, types)
        return found or everything

    def _for_types(self, atom: Dispatcher, types: list[Key]) -> Value:
        loose = union(
            cell.value for key, cell in atom.cases.items() if type(key) is str and (not key or _is_abstract(key))
        )
        for key in types:
            if key in atom.cases:
                return atom.cases[key].value
        return atom.function | loose

    def _types(self, atom: Atom) -> list[Key]:
        """Return the types that something is of, the nearest first; none when it is not known."""
        if type(atom) is Constant:
            name = type(atom.value).__name__
            return ["builtins.bool", "builtins.int"] if name == "bool" else [f"builtins.{name}"]
        if type(atom) is Instance:
            return [self._m.catalogue.canonical(atom.type)]
        if type(atom) is Collection and atom.kind != "iterator":
            return [f"builtins.{atom.kind}"]
        if type(atom) is Object:
            return [
                base if type(base) is Class else self._m.catalogue.canonical(base.name)  # type: ignore[union-attr]
                for base in self._m.classes.order(atom.cls)
            ]
        return []


def _is_abstract(key: str) -> bool:
    return key.startswith(_ABSTRACT)
