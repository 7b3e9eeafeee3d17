"""Attributes: what reading one gives, and what changing one means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.graph.atoms import (
    Around,
    Atom,
    Bound,
    Class,
    Collection,
    Constant,
    Dispatcher,
    External,
    Function,
    Generator,
    Instance,
    Method,
    Module,
    Namespace,
    Object,
    Partial,
    Super,
    Value,
    Wrapper,
)
from analyzer.graph.declared import Job, Task
from analyzer.graph.frames import Frame, Leaf, Mutation
from analyzer.graph.heap import Cell
from analyzer.graph.names import STATE
from analyzer.graph.values import NOTHING, Arguments, Exact, either, exactly, in_order, inexact

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from analyzer.graph.machine import Machine

_REFERENCES: Final = frozenset(
    (
        "django.db.models.ForeignKey",
        "django.db.models.OneToOneField",
        "peewee.ForeignKeyField",
        "mongoengine.ReferenceField",
        "mongoengine.fields.ReferenceField",
    )
)
"""Fields of a model that give an instance of another one."""

_CONSTANT_TYPES: Final = {str: "builtins.str", int: "builtins.int", bool: "builtins.bool"}


class Attributes:
    """Reads and changes attributes."""

    def __init__(self, machine: Machine) -> None:
        self._m = machine
        self._loaders: dict[type[Atom], Callable[[Any, str, Frame, int], Value]] = {
            External: self._of_external,
            Instance: self._of_instance,
            Module: lambda atom, name, frame, _at: machine.names.attribute(atom.state, name, frame),
            Object: self.of_object,
            Class: self.of_class,
            Super: self._of_super,
            Collection: lambda atom, name, _frame, _at: self._method(atom, name),
            Generator: lambda atom, name, _frame, _at: self._method(atom, name),
            Constant: self._of_constant,
            Job: lambda atom, name, _frame, _at: self._method(atom, name),
            Task: self._of_task,
            Function: self._of_function,
            Bound: lambda atom, name, _frame, _at: frozenset((atom,)) if name == "__func__" else NOTHING,
            Partial: lambda atom, name, _frame, _at: atom.function if name == "func" else NOTHING,
            Wrapper: self._of_wrapper,
            Namespace: lambda atom, name, frame, _at: machine.read(machine.cell(atom.fields, name), frame),
            Dispatcher: lambda atom, name, _frame, _at: machine.dispatch.attribute(atom, name),
        }

    def load(self, owner: Value, name: str, frame: Frame, at: int) -> Value:
        """Return ``owner.name``."""
        if len(owner) == 1:
            (atom,) = owner
            loader = self._loaders.get(type(atom))
            found = NOTHING if loader is None else loader(atom, name, frame, at)
            return found if type(owner) is Exact else inexact(found)
        result: Value | None = None
        for atom in in_order(owner):
            loader = self._loaders.get(type(atom))
            found = NOTHING if loader is None else loader(atom, name, frame, at)
            result = found if result is None else either(result, found)
        return NOTHING if result is None else result if type(owner) is Exact else inexact(result)

    # --- libraries ----------------------------------------------------------------------------------------------------

    def _of_external(self, atom: External, name: str, frame: Frame, at: int) -> Value:
        qualname = f"{atom.name}.{name}"
        self._m.libraries.use(qualname, frame, at)
        type_name = self._m.catalogue.attribute(atom.name, name)
        return self._m.external(qualname, atom.of) if type_name is None else self._m.instance(type_name, atom.of)

    def _of_instance(self, atom: Instance, name: str, frame: Frame, at: int) -> Value:
        type_name = self._m.catalogue.attribute(atom.type, name)
        if type_name is not None:
            return self._m.instance(type_name, atom.of)
        qualname = f"{atom.type}.{name}"
        self._m.libraries.use(qualname, frame, at)
        if atom.type in ("builtins.set", "builtins.frozenset", "builtins.str"):
            return self._method(atom, name)
        return self._m.external(qualname, atom.of)

    def _of_constant(self, atom: Constant, name: str, _frame: Frame, _at: int) -> Value:
        type_name = _CONSTANT_TYPES.get(type(atom.value))
        return NOTHING if type_name is None else self._method(atom, name)

    def _method(self, atom: Atom, name: str) -> Value:
        return self._m.make(("method", atom, name), lambda: frozenset((Method(atom, name),)))

    # --- functions ----------------------------------------------------------------------------------------------------

    def _of_task(self, atom: Task, name: str, _frame: Frame, _at: int) -> Value:
        if name in ("fn", "__wrapped__"):
            return atom.function
        return NOTHING

    def _of_function(self, atom: Function, name: str, _frame: Frame, _at: int) -> Value:
        return self._m.make(("function attribute", atom, name), Cell).value

    def _of_wrapper(self, atom: Wrapper, name: str, frame: Frame, at: int) -> Value:
        if atom.kind in ("property", "cached_property") and name in ("setter", "getter", "deleter"):
            return self._m.external("builtins.property.setter")
        return self.load(atom.function, name, frame, at)

    # --- classes and their instances ----------------------------------------------------------------------------------

    def of_object(self, atom: Object, name: str, frame: Frame, at: int) -> Value:
        """Return an attribute of an instance: its own, its class's bound to it, a library base's."""
        found = self._m.classes.find(atom.cls, name)
        raw = NOTHING if found is None else self._m.names.resolve(found, frame)
        for entry in raw:
            if type(entry) is Wrapper and entry.kind in ("property", "cached_property"):
                return self._bind(raw, atom, atom.cls, frame, at)
        if name == "__class__":
            return frozenset((atom.cls,))
        member = self._m.enums.member(atom.cls, name, frame)
        if member is not None:
            return member
        own = self._m.read(self.field(atom, name), frame)
        is_made = atom.frame is not None or bool(atom.parameter)
        if own and (not raw or (is_made and self._m.classes.always_sets(atom.cls, name))):
            return own if self._m.classes.is_own(atom.cls) else inexact(own)
        result = own | self._bind(raw, atom, atom.cls, frame, at)
        if result or found is not None:
            return result
        declared = self._m.classes.declared(atom, name, frame)
        if declared:
            return declared
        return self._inherited(atom, name, frame, at)

    def _inherited(self, atom: Object, name: str, frame: Frame, at: int) -> Value:
        """Return what a library's base class, or ``__getattr__``, gives."""
        result = NOTHING
        for base in self._m.classes.order(atom.cls):
            if type(base) is External and not base.name.startswith(("builtins.", "typing.", "abc.", "enum.")):
                result |= self._of_instance(Instance(self._m.catalogue.canonical(base.name), atom.cls), name, frame, at)
        if not name.startswith("__") and self._m.classes.find(atom.cls, "__getattr__") is not None:
            argument = self._m.constant(name)
            result |= self._m.calls.method(atom, "__getattr__", (argument,), frame, at)
        return result

    def field(self, atom: Object, name: str) -> Cell:
        """Return the cell of an instance's own attribute."""
        return atom.fields.get(name) or self._m.cell(atom.fields, name)

    def of_class(self, atom: Class, name: str, frame: Frame, at: int) -> Value:
        """Return an attribute of a class."""
        member = self._m.enums.member(atom, name, frame)
        if member is not None:
            return member
        if name == "__members__" and self._m.enums.is_enum(atom):
            return self._m.enums.table(atom, frame)
        found = self._m.classes.find(atom, name)
        if found is not None:
            result = NOTHING
            for entry in self._m.names.resolve(found, frame):
                if type(entry) is Wrapper and entry.kind == "classmethod":
                    result |= self.bound(entry.function, atom)
                elif type(entry) is Wrapper and entry.kind == "staticmethod":
                    result |= entry.function
                else:
                    result |= {entry}
            return result
        result = NOTHING
        for base in self._m.classes.order(atom):
            if type(base) is External and not base.name.startswith(("builtins.", "typing.", "abc.", "enum.")):
                result |= self._of_external(External(base.name, atom), name, frame, at)
        if not result and name == "mro":
            return NOTHING
        return result

    def _bind(self, raw: Value, receiver: Atom, owner: Class, frame: Frame, at: int) -> Value:
        """Return what a class's attribute is when it is read from an instance."""
        result = NOTHING
        for entry in raw:
            if type(entry) is Wrapper:
                if entry.kind in ("property", "cached_property"):
                    result |= self._m.calls.call(entry.function, Arguments((frozenset((receiver,)),)), frame, at)
                elif entry.kind == "staticmethod":
                    result |= entry.function
                elif entry.kind == "classmethod":
                    result |= self.bound(entry.function, owner)
                elif entry.kind == "partialmethod":
                    result |= self._bound_partials(entry.function, receiver)
                else:
                    result |= self.bound(frozenset((entry,)), receiver)
            elif isinstance(entry, Around | Function | Task | Job | Dispatcher):
                result |= self.bound(frozenset((entry,)), receiver)
            elif type(entry) is Instance and entry.of is not None and entry.type in _REFERENCES:
                result |= {self._m.classes.any_instance(entry.of, frame)}
            elif type(entry) is Object:
                result |= self._descriptor(entry, receiver, frame, at)
            else:
                result |= {entry}
        return result

    def _descriptor(self, entry: Object, receiver: Atom, frame: Frame, at: int) -> Value:
        if self._m.classes.find(entry.cls, "__get__") is None:
            return frozenset((entry,))
        return self._m.calls.method(entry, "__get__", (frozenset((receiver,)), NOTHING), frame, at)

    def bound(self, functions: Value, receiver: Atom) -> Value:
        """Return functions with their first argument."""
        return frozenset(
            self._m.make(("bound", function, receiver), lambda function=function: Bound(function, receiver))  # type: ignore[misc]
            for function in functions
        )

    def _bound_partials(self, partials: Value, receiver: Atom) -> Value:
        result = NOTHING
        for entry in partials:
            if type(entry) is Partial:
                result |= self._m.make(
                    ("bound", entry, receiver),
                    lambda entry=entry: exactly(Partial(entry.function, entry.arguments.before(exactly(receiver)))),  # type: ignore[misc]
                )
        return result

    def _of_super(self, atom: Super, name: str, frame: Frame, at: int) -> Value:
        receiver = atom.receiver
        cls = receiver.cls if type(receiver) is Object else receiver
        order = self._m.classes.order(cls) if type(cls) is Class else ()
        following = order[order.index(atom.cls) + 1 :] if atom.cls in order else self._m.classes.order(atom.cls)[1:]
        for base in following:
            if type(base) is Class:
                found = self._m.classes.own(base, name)
                if found is not None:
                    owner = cls if type(cls) is Class else base
                    return self._bind(self._m.names.resolve(found, frame), receiver, owner, frame, at)
            elif type(base) is External:
                if base.name.startswith("builtins."):
                    continue
                return self._m.external(f"{self._m.catalogue.canonical(base.name)}.{name}")
        return NOTHING

    # --- changes ------------------------------------------------------------------------------------------------------

    def store(self, owner: Value, name: str, value: Value, frame: Frame, at: int) -> None:
        """Carry out ``owner.name = value``."""
        self._m.consume(value)
        for atom in owner:
            if type(atom) is Object:
                self._store_on_object(atom, name, value, frame, at)
            elif type(atom) is Class:
                self._m.class_changes += 1
                self._m.touches(atom.home)
                self._m.write(self._m.cell(atom.frame.cells, name), value)
                self._changes_state(f"the class attribute `{atom.facts.name}.{name}`", frame, at)
            elif type(atom) is Module:
                self._m.touches(atom.state)
                self._m.write(self._m.cell(atom.state.stores, name), value)
                self._changes_state(f"the variable `{atom.state.source.name}.{name}`", frame, at)
            elif type(atom) is External and not atom.name.startswith("builtins."):
                self._m.libraries.store(atom.name, name, frame, at)
            elif type(atom) is Namespace:
                self._store_on_namespace(atom, name, value, frame, at)
            elif type(atom) is Function:
                self._m.touches(atom.home)
                self._m.write(self._m.make(("function attribute", atom, name), Cell), value)
                self._changes_state(f"the attribute `{atom.facts.name}.{name}`", frame, at)

    def _changes_state(self, what: str, frame: Frame, at: int) -> None:
        self._m.happens(frame, at, Leaf(STATE, what, is_code=False))

    def _store_on_object(self, atom: Object, name: str, value: Value, frame: Frame, at: int) -> None:
        found = self._m.classes.find(atom.cls, name)
        for entry in NOTHING if found is None else self._m.names.resolve(found, frame):
            if type(entry) is Wrapper and entry.kind == "property":
                setter = self._m.classes.setter(atom.cls, name)
                self._m.calls.call(setter, Arguments((frozenset((atom,)), value)), frame, at)
                return
            if type(entry) is Object:
                self._m.calls.method(entry, "__set__", (frozenset((atom,)), value), frame, at)
        if self._m.classes.find(atom.cls, "__setattr__") is not None:
            self._m.calls.method(atom, "__setattr__", (self._m.constant(name), value), frame, at)
        self.set_field(atom, name, value, frame, at)

    def _store_on_namespace(self, atom: Namespace, name: str, value: Value, frame: Frame, at: int) -> None:
        self._m.touches(atom.frame.home)
        self._m.write(self._m.cell(atom.fields, name), value)
        if self.is_shared(atom.frame):
            self._changes_state(f"the attribute `{name}` of a shared namespace", frame, at)

    def set_field(self, atom: Object, name: str, value: Value, frame: Frame, at: int) -> None:
        """Set an instance's own attribute."""
        # A stand-in's attributes were set before, to what is not known here.
        self._m.write(self.field(atom, name), inexact(value) if atom.parameter and not atom.is_new else value)
        if atom.frame is not None:
            self._m.touches(atom.frame.home)
        if self.is_shared(atom.frame):
            self._changes_state(f"the attribute `{name}` of a shared `{atom.cls.facts.name}`", frame, at)
        elif atom.frame is not frame.leader:
            self._m.changes(Mutation(atom, atom.frame, name, frame, at))

    def unsettle(self, owner: Value) -> None:
        """Note that any attribute may be set to anything."""
        for atom in owner:
            if type(atom) is Object:
                for cell in list(atom.fields.values()):
                    self._m.write(cell, NOTHING)

    @staticmethod
    def is_shared(maker: Frame | None) -> bool:
        """Tell whether what a frame makes is shared by all runs: it is made when a module is imported."""
        return maker is not None and maker.kind != "function"
