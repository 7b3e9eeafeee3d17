"""Orders that get out unseen: texts that are made of sets, and where they go to be kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.graph.atoms import Collection, Instance, Value
from analyzer.graph.effort import ITEMS
from analyzer.graph.values import Arguments

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from analyzer.graph.frames import Frame
    from analyzer.graph.machine import Machine

_TEXT: Final = "builtins.str"
_DEEPEST: Final = 2
"""Collections within collections that are looked into."""

_DUMPS: Final = frozenset(f"{module}.dumps" for module in ("json", "simplejson", "ujson", "yaml", "pprint"))
_SORTING: Final = ("sort_keys", "sort_dicts", "option")
"""Arguments by which a text of a dict does not depend on its order."""


class Orders:
    """Follows texts in which the elements of a set stand in whatever order they came."""

    def __init__(self, machine: Machine) -> None:
        self._m = machine

    def text_of(self, values: Iterable[Value]) -> Value:
        """Return the text that is made of some values: one that shows the order of a set is told from others."""
        if not any(self._shows(value, _DEEPEST) for value in values):
            return self._m.instance(_TEXT)
        return self._m.make(("text of a set",), lambda: frozenset((Instance(_TEXT, shows_order=True),)))

    def dumped(self, name: str, arguments: Arguments) -> Value | None:
        """Return the text of ``json.dumps(value)`` and its kin; None for other functions."""
        if name not in _DUMPS:
            return None
        is_sorted = any(arguments.keyword(keyword) is not None for keyword in _SORTING) or arguments.is_open
        return self.text_of(() if is_sorted else arguments.positional[:1])

    def check(self, arguments: Arguments, frame: Frame, at: int) -> None:
        """Note that a text of a set is passed to a step, which would be asked for with another text on replay."""
        values = [*arguments.positional, *(value for _, value in arguments.keywords)]
        if any(self._holds_text(value, _DEEPEST) for value in values):
            self._m.iteration.order_escapes(frame, at, *values)

    def _shows(self, value: Value, depth: int) -> bool:
        """Tell whether a text of a value shows the order of a set."""
        is_unordered = self._m.iteration.is_unordered
        return any(is_unordered(inner) or _has_text(inner) for inner in self._inside(value, depth))

    def _holds_text(self, value: Value, depth: int) -> bool:
        return any(_has_text(inner) for inner in self._inside(value, depth))

    def _inside(self, value: Value, depth: int) -> Iterator[Value]:
        """Give a value and what collections in it hold, each of them once."""
        seen: set[Collection] = set()
        level = [value]
        for _ in range(depth + 1):
            yield from level
            found = {atom for inner in level for atom in inner if isinstance(atom, Collection)} - seen
            seen |= found
            level = [cell.value for atom in found for cell in (atom.elements, *atom.items.values())]
            self._m.effort.spent += len(level) // ITEMS


def _has_text(value: Value) -> bool:
    return any(isinstance(atom, Instance) and atom.shows_order for atom in value)
