"""Which values no journal can store: those that every run refuses, and objects of which nothing better is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.graph.atoms import (
    Atom,
    Bound,
    Class,
    Collection,
    Function,
    Generator,
    Instance,
    Module,
    Namespace,
    Object,
    Partial,
    Value,
)
from analyzer.graph.declared import Job, Task
from analyzer.graph.values import in_order

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analyzer.graph.frames import Frame
    from analyzer.graph.heap import Cell
    from analyzer.graph.machine import Machine

_HARMLESS_TYPES: Final = ("builtins.", "pathlib.", "datetime.", "decimal.", "uuid.", "zoneinfo.", "enum.", "re.")
_PARTS_OF_PATHS: Final = ("pathlib.Path.glob()", "pathlib.Path.parents()")
_STORED_TYPES: Final = (
    *(each for each in _HARMLESS_TYPES if each != "re."),
    *("fractions.", "ipaddress.", "collections.", "time.", "os.", "pendulum.", "trigger_sdk.", "stripe.StripeObject"),
)
"""Types of libraries whose instances the SDK stores: what is listed is all that is."""

_STORED_BASES: Final = frozenset(
    (
        *("sqlmodel.SQLModel", "beanie.Document", "typing.TypedDict", "builtins.dict", "builtins.list"),
        *("builtins.str", "builtins.int", "builtins.float", "builtins.tuple", "builtins.Exception"),
    )
)
"""Bases that classes with declared fields have beside those that the graph makes instances of."""

_MAPPED_BASES: Final = frozenset(
    (
        *("sqlalchemy.orm.declarative_base()", "sqlalchemy.orm.DeclarativeBase", "sqlalchemy.orm.MappedAsDataclass"),
        *("django.db.models.Model", "peewee.Model", "mongoengine.Document", "tortoise.models.Model"),
        "flask_sqlalchemy.SQLAlchemy.Model",
    )
)
"""Bases of classes whose instances are rows of a database, which are refused whatever else they are."""

_REFUSED_KINDS: Final[dict[type[Atom], str]] = {
    Bound: "a function",
    Partial: "a function",
    Generator: "a generator",
    Module: "a module",
    Namespace: "a namespace",
    Task: "a task",
    Job: "a job",
}
_ENDS_OF_HANDLES: Final = ("Client", "Session", "Connection", "Engine", "Cursor", "Executor", "Pool", "Socket")
_DEEPEST: Final = 3
"""Collections within collections that are looked into."""


class Storable:
    """Tells values that can be stored from others."""

    def __init__(self, machine: Machine) -> None:
        self._m = machine

    def refused(self, value: Value) -> str:
        """Return what of a value every run would refuse, for people; empty when nothing is known to be."""
        return self._first_refused(value, _DEEPEST)

    def _first_refused(self, value: Value, depth: int) -> str:
        return next((name for atom in in_order(value) if (name := self._refused(atom, depth))), "")

    def _refused(self, atom: Atom, depth: int) -> str:
        if isinstance(atom, Object):
            return self._refused_object(atom, depth)
        if isinstance(atom, Collection):
            return atom.lazy or self._first_in([atom.elements, *atom.items.values()], depth)
        if isinstance(atom, Instance):
            return f"an instance of `{atom.type}`" if self._is_handle(atom.type) else ""
        if isinstance(atom, Function):
            return f"the function `{atom.facts.name}`" if atom.facts.name != "<lambda>" else "a lambda"
        if isinstance(atom, Class):
            return f"the class `{atom.facts.name}`"
        return next((name for kind, name in _REFUSED_KINDS.items() if isinstance(atom, kind)), "")

    def _first_in(self, cells: Iterable[Cell], depth: int) -> str:
        if depth == 0:
            return ""
        return next((name for cell in list(cells) if (name := self._first_refused(cell.value, depth - 1))), "")

    def _refused_object(self, atom: Object, depth: int) -> str:
        classes, cls = self._m.classes, atom.cls
        if self._m.enums.is_enum(cls) or classes.is_subclass(cls, _STORED_BASES):
            return ""
        if self._is_mapped(cls):
            return f"an instance of `{cls.facts.name}`, a row of a database"
        if classes.has_fields(cls):
            cells = [cell for name, cell in atom.fields.items() if classes.always_sets(cls, name)]
            inner = self._first_in(cells, depth) if classes.is_own(cls) else ""
            return f"an instance of `{cls.facts.name}` with {inner}" if inner else ""
        is_made = atom.frame is not None or bool(atom.parameter)
        if classes.is_plain(cls) and (is_made or not classes.is_abstract(cls)):
            return f"an instance of `{cls.facts.name}`, a class without declared fields"
        return ""

    def objects_of(self, frame: Frame) -> tuple[str, ...]:
        """Return the variables of a function that may hold what is not known to be storable, by name."""
        cells = {name: cell.value for name, cell in frame.cells.items()}
        return tuple(sorted(name for name, value in {**cells, **frame.env}.items() if self.is_object(value)))

    def is_object(self, value: Value) -> bool:
        """Tell whether a value may be, or hold, what is not known to be storable. For what makes tasks of calls."""
        return self._any_object(value, _DEEPEST)

    def _any_object(self, value: Iterable[Atom], depth: int) -> bool:
        return any(self._is_object(atom, depth) for atom in value)

    def _is_object(self, atom: Atom, depth: int) -> bool:
        if isinstance(atom, Instance):
            is_listed = atom.type in _PARTS_OF_PATHS or self._m.catalogue.is_not_stored(atom.type)
            return is_listed or not atom.type.startswith(_STORED_TYPES)
        if isinstance(atom, Object):
            return not self._is_data(atom)
        if isinstance(atom, Collection) and not atom.lazy:
            cells = [atom.elements, *atom.items.values()]
            return depth > 0 and any(self._any_object(cell.value, depth - 1) for cell in cells)
        return bool(self._refused(atom, 0))

    def _is_mapped(self, cls: Class) -> bool:
        """Tell whether instances of a class are rows of a database."""
        own = [base for base in self._m.classes.order(cls) if isinstance(base, Class)]
        made = {atom.type for base in own for value in base.bases for atom in value if isinstance(atom, Instance)}
        return bool(made & _MAPPED_BASES) or self._m.classes.is_subclass(cls, _MAPPED_BASES)

    def _is_handle(self, type_name: str) -> bool:
        """Tell whether no journal stores a library's type: the catalogue says so, or it is a connection or client."""
        if self._m.catalogue.is_not_stored(type_name):
            return True
        last = type_name.rpartition(".")[2]
        return last.endswith(_ENDS_OF_HANDLES) and not type_name.startswith((*_HARMLESS_TYPES, "stripe."))

    def _is_data(self, atom: Object) -> bool:
        """Tell whether an instance is of a class that the SDK stores, or of which too little is known."""
        classes, cls = self._m.classes, atom.cls
        if classes.has_fields(cls) or self._m.enums.is_enum(cls) or classes.is_subclass(cls, _STORED_BASES):
            return True
        own = [base for base in classes.order(cls) if isinstance(base, Class)]
        return any(base.facts.decorators or not all(base.bases) for base in own)
