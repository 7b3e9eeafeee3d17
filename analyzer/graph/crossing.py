"""Crossings: calls of so many functions at once that it no longer matters who calls which of them.

A table of handlers, a cache of wrapped functions: what is called there may be any of dozens. Each caller would call
each of them, with arguments of its own, again whenever one of them gives more. So they meet in one frame, which is
called with what any of the callers passes, and gives all of them what any of the functions returns and does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.graph.atoms import Object, Value
from analyzer.graph.frames import Frame
from analyzer.graph.values import NOTHING, Arguments, in_order, joined

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analyzer.graph.atoms import Atom
    from analyzer.graph.machine import Machine

MOST_APART: Final = 16
"""Functions that one call may be of before they meet in a crossing."""

MOST_ALIKE: Final = 6
"""Objects of one class whose methods are called apart; of more, a method is called once, for all of them."""


class Crossing(Frame):
    """The frame in which many functions are called together.

    Attributes:
        called: the functions.
        passed: what any caller passes.
    """

    __slots__ = ("called", "passed")

    def __init__(self, called: Value, caller: Frame) -> None:
        super().__init__("function", caller.home, era=caller.era)
        self.called = called
        self.passed = Arguments()

    def take(self, arguments: Arguments) -> None:
        """Add to what is passed; when that is more than before, the functions are to be called again."""
        known = self.passed
        if self.runs and arguments == known:
            return
        taken = _together(known, arguments)
        if taken != known or not self.runs:
            self.passed = taken
            self.is_done = False


class Crossings:
    """Calls many functions together."""

    def __init__(self, machine: Machine) -> None:
        self._m = machine

    def call(self, called: Value, arguments: Arguments, frame: Frame, at: int) -> Value:
        """Call functions together with whoever else calls just them."""
        crossing = self._m.make(("crossing", called), lambda: Crossing(called, frame))
        if crossing is frame:
            return self._m.calls.each(called, arguments, frame, at)
        crossing.take(arguments)
        self._m.join(crossing, frame)
        self._m.passes_on(frame, at, crossing)
        return crossing.returns

    def run(self, crossing: Crossing) -> None:
        """Call the functions that meet in a crossing."""
        result = self._m.calls.each(crossing.called, crossing.passed, crossing, 0)
        crossing.returns = joined(crossing.returns, result)


def _together(known: Arguments, more: Arguments) -> Arguments:
    count = max(len(known.positional), len(more.positional))
    positional = tuple(
        joined(known.get(position) or NOTHING, more.get(position) or NOTHING) for position in range(count)
    )
    keywords = dict(known.keywords)
    for name, value in more.keywords:
        keywords[name] = joined(keywords.get(name, NOTHING), value)
    return Arguments(
        positional,
        tuple(keywords.items()),
        joined(known.more, more.more),
        joined(known.named, more.named),
        known.is_open or more.is_open,
    )


def by_class(value: Value) -> Iterable[tuple[Atom, Value]]:
    """Return what a value may be in its order; of very many objects of one class the first, with all of them."""
    if len(value) <= MOST_ALIKE:
        return [(atom, NOTHING) for atom in in_order(value)] if value else ()
    groups: dict[object, list[Atom]] = {}
    for atom in in_order(value):
        groups.setdefault(atom.cls if type(atom) is Object else atom, []).append(atom)
    found: list[tuple[Atom, Value]] = []
    for group in groups.values():
        if len(group) > MOST_ALIKE:
            found.append((group[0], frozenset(group)))
        else:
            found += [(atom, NOTHING) for atom in group]
    return found
