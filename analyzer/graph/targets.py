"""Targets: what an assignment binds, one name or several, an attribute or an item."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.facts import tree
from analyzer.graph.atoms import Collection, Instance, Object, Value
from analyzer.graph.crossing import by_class
from analyzer.graph.values import union

if TYPE_CHECKING:
    from analyzer.graph.frames import Frame
    from analyzer.graph.machine import Machine


class Targets:
    """Binds targets."""

    def __init__(self, machine: Machine) -> None:
        self._m = machine

    def bind(self, target: tree.Expression, value: Value, frame: Frame, at: int) -> None:
        """Bind a target: a name, an attribute, an item, or several of them."""
        kind = type(target)
        if kind is tree.Name:
            self._m.names.store(target.id, value, frame, target.at)  # type: ignore[union-attr]
        elif isinstance(target, tree.Attribute):
            owner = self._m.expressions.evaluate(target.value, frame)
            self._m.attributes.store(owner, target.name, value, frame, target.at)
        elif isinstance(target, tree.Subscript):
            self._bind_item(target, value, frame)
        elif isinstance(target, tree.Starred):
            atom = self._m.collection("list", frame, (at, "starred"))
            self._m.write(atom.elements, value)
            self.bind(target.value, frozenset((atom,)), frame, at)
        elif isinstance(target, tree.Sequence):
            self._bind_several(target, value, frame, at)

    def _bind_item(self, target: tree.Subscript, value: Value, frame: Frame) -> None:
        owner = self._m.expressions.evaluate(target.value, frame)
        index = self._m.expressions.evaluate(target.index, frame)
        self._m.consume(value)
        self._m.collections.store(owner, index, value, frame, target.at)
        for atom, alike in by_class(owner):
            if type(atom) is Object:
                self._m.calls.method(atom, "__setitem__", (index, value), frame, target.at, alike)
            elif type(atom) is Instance:
                self._m.libraries.call(f"{atom.type}.__setitem__", None, frame, target.at)

    def _bind_several(self, target: tree.Sequence, value: Value, frame: Frame, at: int) -> None:
        elements = target.elements
        exact = self._m.collections.positions(value, frame)
        if exact is not None and self._bind_exactly(elements, exact, frame, at):
            return
        whole = self._m.iteration.unpack(value, frame, at, escapes=True)
        for position, element in enumerate(elements):
            found = whole
            if exact is None and type(element) is not tree.Starred:
                items = [
                    self._m.read(atom.items[position], frame)
                    for atom in value
                    if type(atom) is Collection and position in atom.items and not atom.elements.value
                ]
                found = union(items) if items and len(items) == len(value) else whole
            self.bind(element, found, frame, at)

    def _bind_exactly(self, elements: list[tree.Expression], items: list[Value], frame: Frame, at: int) -> bool:
        """Bind targets to the items of a sequence whose length is known, when they fit it."""
        stars = [position for position, element in enumerate(elements) if type(element) is tree.Starred]
        if not stars and len(items) == len(elements):
            for element, item in zip(elements, items, strict=True):
                self.bind(element, item, frame, at)
            return True
        if len(stars) != 1 or len(items) < len(elements) - 1:
            return False
        first, after = stars[0], len(elements) - stars[0] - 1
        end = len(items) - after
        self._bind_exactly(elements[:first], items[:first], frame, at)
        self._bind_exactly(elements[first + 1 :], items[end:], frame, at)
        atom = self._m.collection("list", frame, (at, "starred"))
        for position, item in enumerate(items[first:end]):
            self._m.collections.put(atom, position, item)
        star = elements[first]
        if isinstance(star, tree.Starred):
            self.bind(star.value, frozenset((atom,)), frame, at)
        return True
