"""What a variable may hold, as far as the text tells.

A :data:`analyzer.graph.atoms.Value` is a set of atoms: the things that are known to be possible. What is not known is
left out, so that the empty set is both "nothing" and "anything": an unknown receiver has no effect.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from analyzer.graph.atoms import (
    Atom,
    Bound,
    Class,
    Collection,
    Constant,
    External,
    Function,
    Generator,
    Instance,
    Method,
    Object,
    Partial,
    Value,
    Wrapper,
)
from analyzer.graph.declared import Task

if TYPE_CHECKING:
    from collections.abc import Iterable


NOTHING: Final[Value] = frozenset()
"""Nothing is known."""


class Exact(frozenset[Atom]):
    """A value of which all is known: it is one of these atoms and nothing else. What is joined with others is not."""

    __slots__ = ()


def exactly(*atoms: Atom) -> Value:
    """Return a value that is one of these and nothing else."""
    return Exact(atoms)


def inexact(value: Value) -> Value:
    """Return a value that may be something else as well."""
    return frozenset(value) if type(value) is Exact else value


def either(one: Value, other: Value) -> Value:
    """Return what is one of two values: known exactly when both are."""
    if one is other:
        return one
    if type(one) is Exact and type(other) is Exact:
        return Exact(one | other)
    return one | other if other else inexact(one)


@dataclass(frozen=True, slots=True)
class Arguments:
    """What a call passes.

    Attributes:
        positional: by position.
        keywords: by name.
        more: what ``*args`` of unknown length may hold.
        named: what ``**kwargs`` of unknown keys may hold.
        is_open: whether there was a star argument whose length or keys are not known.
    """

    positional: tuple[Value, ...] = ()
    keywords: tuple[tuple[str, Value], ...] = ()
    more: Value = field(default=NOTHING)
    named: Value = field(default=NOTHING)
    is_open: bool = False

    def get(self, position: int, keyword: str = "") -> Value | None:
        """Return an argument by position or name; None when it is not passed."""
        if keyword:
            for name, value in self.keywords:
                if name == keyword:
                    return value
        if 0 <= position < len(self.positional):
            return self.positional[position]
        return None

    def keyword(self, name: str) -> Value | None:
        """Return a keyword argument; None when it is not passed."""
        return self.get(-1, name)

    def after(self, count: int) -> Arguments:
        """Return the arguments without the first positional ones."""
        return Arguments(self.positional[count:], self.keywords, self.more, self.named, self.is_open)

    def before(self, receiver: Value) -> Arguments:
        """Return the arguments with one more in front."""
        return Arguments((receiver, *self.positional), self.keywords, self.more, self.named, self.is_open)

    def joined(self, later: Arguments) -> Arguments:
        """Return the arguments of a partial followed by those of its call."""
        names = {name for name, _ in later.keywords}
        kept = tuple(pair for pair in self.keywords if pair[0] not in names)
        return Arguments(
            self.positional + later.positional,
            kept + later.keywords,
            self.more | later.more,
            self.named | later.named,
            self.is_open or later.is_open,
        )

    def all(self) -> Value:
        """Return everything that is passed."""
        return union(self.positional) | union(value for _, value in self.keywords) | self.more | self.named


MANY: Final = 48
"""Atoms in one variable after which only callables are added: it is data then."""

_TOO_MANY: Final = 64
"""Atoms in one variable after which nothing is added."""


def joined(known: Value, more: Value) -> Value:
    """Return both together; a variable that may be very many things takes up no more of them."""
    if more <= known:
        return known if type(more) is Exact else inexact(known)
    if len(known) + len(more) <= MANY:
        return either(known, more)
    if len(known) >= _TOO_MANY:
        return inexact(known)
    new = more - known
    if len(known) >= MANY:
        new = frozenset(atom for atom in new if _rank(atom) == 0)
    room = MANY - len(known)
    ranked = sorted(new, key=lambda atom: (_rank(atom), _place(atom)))
    kept = [atom for position, atom in enumerate(ranked) if position < room or _rank(atom) == 0]
    return known | frozenset(kept[: _TOO_MANY - len(known)])


def _rank(atom: Atom) -> int:
    """Return 0 for what can be called, and for what its methods tell apart; then collections, then constants."""
    if isinstance(atom, Constant):
        return 3
    if isinstance(atom, Collection):
        return 2
    return 1 if isinstance(atom, Object) else 0


def union(values: Iterable[Value]) -> Value:
    """Return all that any of the values may be."""
    result: Value | None = None
    for value in values:
        result = value if result is None else either(result, value)
    return NOTHING if result is None else result


def texts(value: Value) -> list[str]:
    """Return the texts that a value is known to be, sorted."""
    return sorted(atom.value for atom in value if type(atom) is Constant and type(atom.value) is str)


def is_part(value: Value, known: Value) -> bool:
    """Tell whether a value adds nothing to what is known."""
    return value <= known and (type(value) is Exact or type(known) is not Exact)


def is_none(value: Value) -> bool:
    """Tell whether nothing is known of a value, or nothing but None."""
    return not value or (len(value) == 1 and all(type(atom) is Constant and atom.value is None for atom in value))


def is_absent(value: Value | None) -> bool:
    """Tell whether an argument is not passed, or is nothing but None."""
    if value is None:
        return True
    return len(value) == 1 and all(type(atom) is Constant and atom.value is None for atom in value)


def in_order(value: Value) -> Iterable[Atom]:
    """Return what a value may be in an order that is the same in each process: of two effects the first is told."""
    return value if len(value) < 2 else sorted(value, key=_place)  # noqa: PLR2004 - one has no order


def _place(atom: Atom) -> tuple[str, ...]:
    """Return what tells an atom from others: where it stands in the text, or its name."""
    try:
        return atom.place
    except AttributeError:
        place = atom.place = _found_place(atom)
        return place


def _found_place(atom: Atom) -> tuple[str, ...]:
    kind = type(atom).__name__
    if isinstance(atom, Function | Class):
        return (kind, atom.home.source.name, f"{atom.facts.at:020}")
    if isinstance(atom, External):
        return (kind, atom.name)
    if isinstance(atom, Instance):
        return (kind, atom.type)
    if isinstance(atom, Bound):
        return (kind, *_place(atom.function), *_place(atom.receiver))
    if isinstance(atom, Object):
        return (kind, *_place(atom.cls), atom.member)
    if isinstance(atom, Collection):
        return (kind, atom.kind, "" if atom.frame is None else atom.frame.name)
    if isinstance(atom, Generator):
        return (kind, atom.frame.home.source.name, atom.frame.name)
    if isinstance(atom, Task | Partial | Wrapper):
        return (kind, getattr(atom, "name", ""), *(part for each in in_order(atom.function) for part in _place(each)))
    if isinstance(atom, Method):
        return (kind, atom.name, *_place(atom.receiver))
    return (kind, str(getattr(atom, "name", "")), str(getattr(atom, "at", "")))
