"""Enumerations of the project: their members are instances with a value and a name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.graph.atoms import Class, Constant, External, Function, Key, Object, Value, Wrapper
from analyzer.graph.declared import Job, Task
from analyzer.graph.values import NOTHING, Arguments, texts, union

if TYPE_CHECKING:
    from analyzer.graph.frames import Frame
    from analyzer.graph.machine import Machine

_BASES: Final = frozenset(
    (
        *(f"enum.{name}" for name in ("Enum", "IntEnum", "StrEnum", "Flag", "IntFlag", "ReprEnum")),
        *(f"django.db.models.{name}" for name in ("Choices", "TextChoices", "IntegerChoices")),
        "django.db.models.enums.Choices",
        "strenum.StrEnum",
        "aenum.Enum",
    )
)
_LABELLED: Final = "django.db.models."
_OF_TEXTS: Final = frozenset(
    ("builtins.str", "builtins.int", "enum.IntEnum", "enum.StrEnum", "enum.IntFlag", "strenum.StrEnum")
)
"""Bases whose members are equal to their values."""


class Enums:
    """Knows the members of enumerations."""

    def __init__(self, machine: Machine) -> None:
        self._m = machine
        self._known: dict[Class, tuple[tuple[Class | External, ...], bool]] = {}

    def is_enum(self, cls: Class) -> bool:
        """Tell whether a class is an enumeration."""
        order = self._m.classes.order(cls)
        known = self._known.get(cls)
        if known is None or known[0] is not order:
            known = self._known[cls] = (order, self._m.classes.is_subclass(cls, _BASES))
        return known[1]

    def member(self, cls: Class, name: str, frame: Frame) -> Value | None:
        """Return the member of a name, None when the class has none or is no enumeration.

        Where members are equal to their values (``class Colour(str, Enum)``), the value is returned as well.
        """
        if name.startswith("_") or not self.is_enum(cls):
            return None
        found = self._m.classes.find(cls, name)
        if found is None:
            return None
        raw = self._m.names.resolve(found, frame)
        if any(isinstance(atom, Function | Wrapper | Task | Job | Class) for atom in raw):
            return None
        atom = self._m.make(("member", cls, name), lambda: Object(cls, None))
        atom.member = name
        value = self._value_of(cls, raw, frame) or self._automatic(cls, name)
        self._fill(atom, value, self._m.constant(name), frame)
        is_equal = self._m.classes.is_subclass(cls, _OF_TEXTS)
        equal = frozenset(entry for entry in value if type(entry) is Constant) if is_equal else NOTHING
        return frozenset((atom,)) | equal

    def _value_of(self, cls: Class, raw: Value, frame: Frame) -> Value:
        """Return the value of a member: of a tuple with a label, as Django's choices have, the first."""
        if any(type(base) is External and base.name.startswith(_LABELLED) for base in self._m.classes.order(cls)):
            exact = self._m.collections.positions(raw, frame)
            return exact[0] if exact else raw
        return raw

    def _automatic(self, cls: Class, name: str) -> Value:
        """Return what ``auto()`` is among texts: the name."""
        is_text = self._m.classes.is_subclass(cls, frozenset(("enum.StrEnum",)))
        return self._m.constant(name.lower()) if is_text else NOTHING

    def _fill(self, atom: Object, value: Value, name: Value, frame: Frame) -> None:
        field = self._m.attributes.field
        is_new = "value" not in atom.fields
        for place in ("value", "_value_"):
            self._m.write(field(atom, place), value)
        self._m.write(field(atom, "name"), name)
        if is_new:
            exact = self._m.collections.positions(value, frame)
            arguments = Arguments((value,) if exact is None else tuple(exact))
            self._m.classes.initialize(atom, arguments, frame, 0, silently=True)

    def members(self, cls: Class, frame: Frame) -> dict[str, Value]:
        """Return all members by name, bases' members first."""
        found: dict[str, Value] = {}
        for base in reversed(self._m.classes.order(cls)):
            if type(base) is Class:
                for name in list(base.frame.env):
                    member = self.member(cls, name, frame)
                    if member is not None:
                        found[name] = member
        return found

    def fill_any(self, atom: Object, frame: Frame) -> None:
        """Have "any member" hold what some member holds."""
        if "name" in atom.fields:
            return
        self._m.write(self._m.attributes.field(atom, "name"), self._m.instance("builtins.str"))
        for value in self.members(atom.cls, frame).values():
            for member in value:
                if type(member) is Object:
                    for name, cell in list(member.fields.items()):
                        if name != "name":
                            self._m.write(self._m.attributes.field(atom, name), self._m.read(cell, frame))

    def any_member(self, cls: Class, frame: Frame) -> Value:
        """Return some member."""
        return frozenset((self._m.classes.any_instance(cls, frame),))

    def by_name(self, cls: Class, index: Value, frame: Frame) -> Value:
        """Return ``cls[index]``."""
        named = [self.member(cls, name, frame) for name in texts(index)]
        if named and all(type(atom) is Constant for atom in index):
            return union(member for member in named if member is not None)
        return self.any_member(cls, frame)

    def by_value(self, cls: Class, value: Value, frame: Frame) -> Value:
        """Return ``cls(value)``: the members with that value; any when it is not known."""
        if value and all(type(atom) is Constant for atom in value):
            fitting = [
                member
                for member in self.members(cls, frame).values()
                if any(type(atom) is Object and value & atom.fields["value"].value for atom in member)
            ]
            if fitting:
                return union(fitting)
        return self.any_member(cls, frame)

    def table(self, cls: Class, frame: Frame) -> Value:
        """Return ``cls.__members__``."""
        atom = self._m.collection("dict", None, ("members", cls))
        for name, value in self.members(cls, frame).items():
            self._m.collections.put(atom, name, value)
        return frozenset((atom,))


def exact_keys(index: Value) -> list[Key] | None:
    """Return the constants and members that a key is known to be, None when it may be another."""
    constants: list[Key] = [atom.value for atom in index if type(atom) is Constant]
    members: list[Key] = [atom for atom in index if type(atom) is Object and atom.member]
    if not index or len(constants) + len(members) != len(index):
        return None
    return constants or members  # members that are equal to their values come with them
