"""Context managers: what happens when they are entered and left, by ``with``, on a stack, or around a function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.graph.atoms import Around, Atom, Class, Collection, External, Generator, Instance, Object, Value
from analyzer.graph.values import NOTHING, Arguments, in_order

if TYPE_CHECKING:
    from analyzer.graph.frames import Frame
    from analyzer.graph.machine import Machine

_DECORATING: Final = ("contextlib.ContextDecorator", "contextlib.AsyncContextDecorator")
"""Bases of managers that can be put on functions."""


class Entering:
    """Enters and leaves context managers."""

    def __init__(self, machine: Machine) -> None:
        self._m = machine

    def enter(self, manager: Value, frame: Frame, at: int, *, is_async: bool) -> Value:
        """Enter a context manager; return what ``as`` binds."""
        name = "__aenter__" if is_async else "__enter__"
        result = NOTHING
        for atom in in_order(manager):
            if type(atom) is Generator:
                result |= self._m.iteration.exhaust(frozenset((atom,)), frame, at)
            elif type(atom) is Object:
                found = self._m.calls.method(atom, name, (), frame, at)
                result |= (self._m.expressions.awaited(found, frame, at) if is_async else found) or {atom}
            elif type(atom) is Instance:
                result |= self._m.libraries.call(f"{atom.type}.{name}", None, frame, at) or {atom}
            elif type(atom) is Collection:
                result |= {atom}
        return result

    def leave(self, manager: Value, frame: Frame, at: int, *, is_async: bool) -> None:
        """Leave a context manager."""
        name = "__aexit__" if is_async else "__exit__"
        for atom in in_order(manager):
            if type(atom) is Object:
                found = self._m.calls.method(atom, name, (NOTHING, NOTHING, NOTHING), frame, at)
                self._m.expressions.awaited(found, frame, at)

    # --- by functions -------------------------------------------------------------------------------------------------

    def on_stack(self, name: str, arguments: Arguments, frame: Frame, at: int) -> Value:
        """Evaluate ``stack.enter_context(manager)``: it is left with the stack, in the same function as a rule."""
        manager, is_async = arguments.get(0) or NOTHING, name.endswith("async_context")
        entered = self.enter(manager, frame, at, is_async=is_async)
        self.leave(manager, frame, at, is_async=is_async)
        return entered

    def closing(self, name: str, arguments: Arguments, frame: Frame, at: int) -> Value:
        """Evaluate ``contextlib.closing(thing)``, which closes it in the end."""
        method = "aclose" if name.endswith("aclosing") else "close"
        for atom in in_order(arguments.get(0) or NOTHING):
            if type(atom) is Object:
                self._m.expressions.awaited(self._m.calls.method(atom, method, (), frame, at), frame, at)
        return arguments.get(0) or NOTHING

    # --- around functions ---------------------------------------------------------------------------------------------

    def put_on(self, manager: Atom, arguments: Arguments) -> Value:
        """Return what a manager makes of a function that it is put on."""
        function = arguments.get(0) or NOTHING
        return self._m.make(("around", manager, function), lambda: frozenset((Around(manager, function),)))

    def decorates(self, atom: Object) -> bool:
        """Tell whether a manager's class lets it be put on functions."""
        order = self._m.classes.order(atom.cls)
        return any(type(base) is External and base.name in _DECORATING for base in order)

    def call_around(self, atom: Around, arguments: Arguments, frame: Frame, at: int, in_task: bool) -> Value:
        """Call a function that a manager was put on."""
        manager = frozenset((self._anew(atom.manager, frame),))
        is_async = isinstance(atom.manager, Object) and self._is_async(atom.manager.cls)
        if not in_task:
            self.enter(manager, frame, at, is_async=is_async)
        result = self._m.calls.call(atom.function, arguments, frame, at, in_task=in_task)
        if not in_task:
            self.leave(manager, frame, at, is_async=is_async)
        return result

    def _anew(self, manager: Atom, frame: Frame) -> Atom:
        """Return a manager as it is made for each call of the function: its own call was evaluated on import."""
        if not isinstance(manager, Generator) or manager.frame.function is None or manager.frame.era == frame.era:
            return manager
        made = self._m.function_frame(manager.frame.function, manager.frame.parameters, frame)
        return self._m.make(("manager", made), lambda: Generator(made, is_manager=True))

    def _is_async(self, cls: Class) -> bool:
        return self._m.classes.find(cls, "__aenter__") is not None
