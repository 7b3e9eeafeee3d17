"""Functions and classes where they are defined: decorators, bodies of classes; and what catches a cancellation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.facts import tree
from analyzer.graph.atoms import Atom, Class, External, Function, Instance, Value, Wrapper
from analyzer.graph.declared import Job, Task
from analyzer.graph.frames import Frame, Leaf
from analyzer.graph.heap import Cell
from analyzer.graph.sdk_names import SDK
from analyzer.graph.values import NOTHING, Arguments, exactly

if TYPE_CHECKING:
    from analyzer.graph.machine import Machine

SWALLOWED: Final = "TRG405"
_KNOWN_DECORATORS: Final = tuple(
    f"{module}." for module in ("builtins", "functools", "contextlib", "typing", "abc", "dataclasses", "enum", SDK)
)
"""Beginnings of the names of decorators that pass on what they are given."""

_NO_JUMP: Final = "Let the `finally` end without `return`, `break` or `continue`."
_NARROWER: Final = "Suppress `Exception`, or what is expected, and nothing wider."
_CATCHING: Final = frozenset(
    (
        "builtins.BaseException",
        "builtins.BaseExceptionGroup",
        "asyncio.CancelledError",
        "asyncio.exceptions.CancelledError",
        "concurrent.futures.CancelledError",
        "trigger_sdk.Canceled",
        "trigger_sdk.errors.Canceled",
        "trigger_sdk.errors.Suspended",
    )
)
"""What a handler must not catch without raising it again."""


class Definitions:
    """Defines functions and classes."""

    def __init__(self, machine: Machine) -> None:
        self._m = machine

    def define(self, node: tree.Define, frame: Frame) -> None:
        """Carry out a ``def``."""
        function = self._m.expressions.function(node.function, frame)
        if frame.cls is not None:
            function.owner = frame.cls
        facts = function.facts
        value = exactly(function)
        if frame.cls is not None and facts.name in ("__new__", "__init_subclass__", "__class_getitem__"):
            kind = "staticmethod" if facts.name == "__new__" else "classmethod"
            value = self._m.builtins.call(f"builtins.{kind}", Arguments((value,)), frame, facts.at) or value
        before, self._m.defining = self._m.defining, function
        try:
            for decorator in reversed(facts.decorators):
                if self._is_setter(decorator, facts.name, value, frame):
                    return
                value = self._decorated(decorator, value, frame)
        finally:
            self._m.defining = before
        self._m.names.store(facts.name, value, frame, facts.at)

    def _is_setter(self, decorator: tree.Expression, name: str, value: Value, frame: Frame) -> bool:
        """Handle ``@x.setter``: the property stays what it is."""
        if not isinstance(decorator, tree.Attribute) or decorator.name not in ("setter", "deleter", "getter"):
            return False
        owner = self._m.expressions.evaluate(decorator.value, frame)
        if not any(type(atom) is Wrapper and atom.kind in ("property", "cached_property") for atom in owner):
            return False
        self._m.class_changes += 1
        cell = frame.cells.setdefault(f"{name}.{decorator.name}", Cell())
        self._m.write(cell, value)
        frame.env.setdefault(name, owner)
        return True

    def _decorated(self, decorator: tree.Expression, value: Value, frame: Frame) -> Value:
        """Return what a decorator makes of a function or class; of a library's, the function as well."""
        function = self._m.expressions.evaluate(decorator, frame)
        at = getattr(decorator, "at", 0)
        result = self._m.calls.call(function, Arguments((value,)), frame, at) if function else NOTHING
        if any(_may_give_more(atom) for atom in function):
            for atom in value:
                if type(atom) is Function:
                    atom.is_given_more = True
        return result | value if not result or any(type(atom) is Instance for atom in result) else result

    def define_class(self, node: tree.DefineClass, frame: Frame) -> None:
        """Carry out a ``class``: its body is evaluated in a frame of its own."""
        facts = frame.home.source.facts.classes[node.index]

        def build() -> Class:
            parent = frame if frame.kind == "function" else frame.parent
            body = Frame("class", frame.home, parent=parent, era=frame.era)
            body.cls = Class(facts, frame.home, body)
            return body.cls

        outer = frame if frame.kind == "function" else frame.parent
        cls = self._m.make(("class", frame.home, node.index, outer, frame.era), build)
        cls.bases = tuple([self._m.expressions.evaluate(base, frame) for base in facts.bases])
        self._m.class_changes += 1
        cls.frame.entry = frame.entry
        self._m.evaluate(cls.frame)
        cls.frame.callers[frame] = frame.runs
        self._has_effects_of(cls.frame, frame)
        self._m.class_changes += 1
        value = exactly(cls)
        for decorator in reversed(facts.decorators):
            inner = decorator.function if isinstance(decorator, tree.Call) else decorator
            for atom in self._m.expressions.evaluate(inner, frame):
                if type(atom) is External and self._m.classes.is_field_decorator(atom.name):
                    cls.flavour = "fields"
            value = self._decorated(decorator, value, frame)
        self._m.names.store(facts.name, value, frame, facts.at)
        self._init_subclass(cls, frame)

    def _has_effects_of(self, body: Frame, frame: Frame) -> None:
        """Note the effects of a class's body, which runs where the class stands."""
        for at, steps in list(body.sites.items()):
            for step in steps.values():
                self._m.happens(frame, at, step.leaf, step.callee)
        for step in list(body.steps.values()):
            self._m.happens(frame, step.at, step.leaf, step.callee)

    def _init_subclass(self, cls: Class, frame: Frame) -> None:
        for base in self._m.classes.order(cls)[1:]:
            if type(base) is Class:
                found = self._m.classes.own(base, "__init_subclass__")
                for entry in NOTHING if found is None else found:
                    function = entry.function if type(entry) is Wrapper else frozenset((entry,))
                    self._m.calls.call(function, Arguments((frozenset((cls,)),)), frame, cls.facts.at)
                if found is not None:
                    return

    # --- cancellation -------------------------------------------------------------------------------------------------

    def check_handlers(self, node: tree.Try, frame: Frame) -> None:
        """Note handlers that keep a cancellation from those around the durable call."""
        for handler in node.handlers:
            kinds = NOTHING if handler.type is None else self._caught(handler.type, frame)
            names = sorted(atom.name for atom in kinds if type(atom) is External and atom.name in _CATCHING)
            if handler.type is not None and not names:
                continue
            if _raises(handler.body) or _awaits_cancelled(node.body):
                return
            what = "except" if handler.type is None else f"except {names[0].removeprefix('builtins.')}"
            self._m.happens(frame, handler.at, Leaf(SWALLOWED, what))
            return
        if any(isinstance(statement, tree.Return | tree.Jump) for statement in node.final):
            at = next(
                getattr(statement, "at", node.at)
                for statement in node.final
                if isinstance(statement, tree.Return | tree.Jump)
            )
            self._m.happens(
                frame,
                at,
                Leaf(
                    SWALLOWED,
                    "a `finally` that ends with `return`, `break` or `continue`",
                    "Let it end without one.",
                    is_code=False,
                ),
            )

    def _caught(self, node: tree.Expression, frame: Frame) -> Value:
        if isinstance(node, tree.Sequence):
            result = NOTHING
            for element in node.elements:
                result |= self._caught(element, frame)
            return result
        value = self._m.expressions.evaluate(node, frame)
        inner = [self._m.iteration.exhaust(frozenset((atom,)), frame, 0) for atom in value if hasattr(atom, "elements")]
        for found in inner:
            value |= found
        return value

    def check_suppress(self, node: tree.With, manager: Value, frame: Frame) -> None:
        """Note ``contextlib.suppress(BaseException)`` around a durable call."""
        if any(type(atom) is Instance and atom.type == "contextlib.suppress(BaseException)" for atom in manager):
            self._m.happens(
                frame,
                node.at,
                Leaf(SWALLOWED, "contextlib.suppress", _NARROWER),
            )

    @staticmethod
    def is_suppress(manager: Value) -> bool:
        """Tell whether a manager keeps exceptions in."""
        return any(type(atom) is Instance and atom.type.startswith("contextlib.suppress") for atom in manager)


def _may_give_more(decorator: Atom) -> bool:
    """Tell whether what a library's decorator makes may pass more to the function than is passed to it."""
    if type(decorator) is External:
        return not decorator.name.startswith(_KNOWN_DECORATORS)
    return type(decorator) is Instance


def suppressed(arguments: Arguments) -> str:
    """Return the type of ``contextlib.suppress(...)``: whether it keeps cancellations in."""
    for value in arguments.positional:
        if any(type(atom) is External and atom.name in _CATCHING for atom in value):
            return "contextlib.suppress(BaseException)"
    return "contextlib.suppress"


def _raises(body: list[tree.Statement]) -> bool:
    """Tell whether a block raises somewhere, or leaves the process to it."""
    return any(_has_raise(statement) for statement in body)


def _has_raise(node: object) -> bool:
    if isinstance(node, tree.Raise):
        return True
    if isinstance(node, tree.Call) and isinstance(node.function, tree.Attribute):
        return node.function.name == "throw" or any(_has_raise(getattr(node, field)) for field in ("args", "function"))
    if isinstance(node, tree.Define | tree.DefineClass | tree.Lambda):
        return False
    if isinstance(node, tree.Node):
        return any(_has_raise(getattr(node, field)) for field in node.__struct_fields__)
    if isinstance(node, list | tuple):
        return any(_has_raise(part) for part in node)
    return False


def _awaits_cancelled(body: list[tree.Statement]) -> bool:
    """Tell whether a block only awaits a task that was started before: the usual way to end one after ``cancel()``."""
    return len(body) == 1 and (
        isinstance(body[0], tree.Evaluate)
        and isinstance(body[0].value, tree.Await)
        and isinstance(body[0].value.value, tree.Name | tree.Attribute)
    )


__all__ = ["Definitions", "Function", "Job", "Task", "suppressed"]
