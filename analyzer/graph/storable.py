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
    Object,
    Partial,
    Value,
)
from analyzer.graph.declared import Job, Task
from analyzer.graph.values import in_order

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analyzer.graph.frames import Frame
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

_HANDLES: Final = frozenset(
    (
        "io.TextIOWrapper",
        "io.BufferedReader",
        "io.BufferedWriter",
        "io.BufferedRandom",
        "threading.Thread",
        "threading.Lock",
        "socket.socket",
        "subprocess.Popen",
        "asyncio.Task",
        "asyncio.Lock",
        "io.BytesIO",
        "io.StringIO",
        "re.Match",
        "re.Pattern",
    )
)
_DEEPEST: Final = 3
"""Collections within collections that are looked into."""


class Storable:
    """Tells values that can be stored from others."""

    def __init__(self, machine: Machine) -> None:
        self._m = machine

    def refused(self, value: Value, *, objects: bool) -> str:
        """Return what of a value every run would refuse, for people: ``a function``; empty when nothing is known to be.

        With ``objects``, also instances of classes without fields.
        """
        return next((name for atom in in_order(value) if (name := self._refused(atom, objects=objects))), "")

    def _refused(self, atom: Atom, *, objects: bool) -> str:
        if isinstance(atom, Function):
            return f"a function ({atom.facts.name})"
        if isinstance(atom, Bound | Partial):
            return "a function"
        if isinstance(atom, Generator):
            return "a generator"
        if isinstance(atom, Collection) and atom.lazy:
            return atom.lazy
        if isinstance(atom, Module):
            return "a module"
        if isinstance(atom, Task | Job):
            return "a task" if isinstance(atom, Task) else "a job"
        if isinstance(atom, Instance) and _is_handle(atom.type):
            return f"a {atom.type}"
        if objects and isinstance(atom, Object) and self._m.classes.is_plain(atom.cls):
            return f"a {atom.cls.facts.name}, whose class has no declared fields"
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
            return atom.type in (*_HANDLES, *_PARTS_OF_PATHS) or not atom.type.startswith(_STORED_TYPES)
        if isinstance(atom, Object):
            return not self._is_data(atom)
        if isinstance(atom, Collection) and not atom.lazy:
            cells = [atom.elements, *atom.items.values()]
            return depth > 0 and any(self._any_object(cell.value, depth - 1) for cell in cells)
        return bool(self._refused(atom, objects=True))

    def _is_data(self, atom: Object) -> bool:
        """Tell whether an instance is of a class that the SDK stores, or of which too little is known."""
        classes, cls = self._m.classes, atom.cls
        if classes.has_fields(cls) or self._m.enums.is_enum(cls) or classes.is_subclass(cls, _STORED_BASES):
            return True
        own = [base for base in classes.order(cls) if isinstance(base, Class)]
        return any(base.facts.decorators or not all(base.bases) for base in own)


def _is_handle(type_name: str) -> bool:
    """Tell whether instances of a library's type hold something of the process: a file, a connection, a client."""
    if type_name in _HANDLES:
        return True
    last = type_name.rpartition(".")[2]
    if type_name.startswith(_HARMLESS_TYPES) or last.endswith(("()", "Response")):
        return False
    return last.endswith(("Client", "Session", "Connection", "Engine", "Cursor", "Executor", "Pool", "Socket"))
