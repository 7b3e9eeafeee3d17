"""What annotations say of the values that they stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.facts import tree
from analyzer.graph.atoms import Class, Collection, CollectionKind, External, Object, Value
from analyzer.graph.values import NOTHING, union

if TYPE_CHECKING:
    from analyzer.graph.frames import Frame
    from analyzer.graph.machine import Machine

_COLLECTIONS: Final[dict[str, CollectionKind]] = {
    "list": "list",
    "List": "list",
    "Sequence": "list",
    "MutableSequence": "list",
    "deque": "list",
    "Deque": "list",
    "Collection": "list",
    "tuple": "tuple",
    "Tuple": "tuple",
    "set": "set",
    "Set": "set",
    "AbstractSet": "set",
    "MutableSet": "set",
    "frozenset": "frozenset",
    "FrozenSet": "frozenset",
    "dict": "dict",
    "Dict": "dict",
    "Mapping": "dict",
    "MutableMapping": "dict",
    "defaultdict": "dict",
    "DefaultDict": "dict",
    "OrderedDict": "dict",
    "Iterable": "iterator",
    "Iterator": "iterator",
    "Generator": "iterator",
    "AsyncIterable": "iterator",
    "AsyncIterator": "iterator",
    "AsyncGenerator": "iterator",
}
_TRANSPARENT: Final = frozenset(
    ("Annotated", "Final", "ClassVar", "Required", "NotRequired", "ReadOnly", "Optional", "Union", "Unpack")
)
_MAPPED: Final = frozenset(("Mapped", "WriteOnlyMapped"))
"""SQLAlchemy's annotations of an attribute: it holds what is in the brackets."""

_DEEPEST: Final = 6
"""Annotations nested deeper than this tell nothing."""

_LAST: Final = frozenset(("Awaitable", "Coroutine"))
_TYPING: Final = frozenset(("typing", "typing_extensions", "collections.abc", "collections", "builtins"))
_SILENT: Final = frozenset(("Any", "Callable", "Literal", "TypeVar", "object", "Never", "NoReturn", "LiteralString"))


class Annotations:
    """Reads annotations."""

    def __init__(self, machine: Machine) -> None:
        self._m = machine

    def instances(self, node: tree.Expression | None, scope: Frame, frame: Frame, depth: int = 0) -> Value:
        """Return what a value with an annotation may be.

        Args:
            node: the annotation.
            scope: where its names are looked up.
            frame: on whose behalf.
            depth: how deep it stands in another one.
        """
        if node is None or depth > _DEEPEST:
            return NOTHING
        if type(node) is tree.Binary:
            left = self.instances(node.left, scope, frame, depth + 1)
            return left | self.instances(node.right, scope, frame, depth + 1)
        if type(node) is tree.Subscript:
            return self._subscript(node, scope, frame, depth)
        if type(node) is not tree.Name and type(node) is not tree.Attribute:
            return NOTHING
        if type(node) is tree.Name and node.id == "Self":
            return self._self(scope, frame)
        found = self._m.expressions.evaluate(node, scope)
        return union(self._instances_of(atom, node, frame) for atom in found)

    def _self(self, scope: Frame, frame: Frame) -> Value:
        return NOTHING if scope.cls is None else frozenset((self._m.classes.any_instance(scope.cls, frame),))

    def _instances_of(self, atom: object, node: tree.Name | tree.Attribute, frame: Frame) -> Value:
        if type(atom) is Class:
            return frozenset((self._m.classes.any_instance(atom, frame),))
        if type(atom) is Object or type(atom) is Collection:
            return NOTHING  # a type variable, an alias that was computed
        if type(atom) is not External:
            return NOTHING
        module, _, name = atom.name.rpartition(".")
        if module in _TYPING:
            if name in _COLLECTIONS:
                return self._collection(_COLLECTIONS[name], [], node.at, frame, frame, 0)
            if module != "collections" and (module != "builtins" or name in _SILENT):
                return NOTHING
        canonical = self._m.catalogue.canonical(atom.name)
        return self._m.instance(canonical)

    def _subscript(self, node: tree.Subscript, scope: Frame, frame: Frame, depth: int) -> Value:
        index = node.index
        parts = index.elements if type(index) is tree.Sequence and index.kind == "tuple" else [index]
        result = NOTHING
        for atom in self._m.expressions.evaluate(node.value, scope):
            if type(atom) is Class:
                result |= frozenset((self._m.classes.any_instance(atom, frame),))
            if type(atom) is not External:
                continue
            module, _, name = atom.name.rpartition(".")
            if module not in _TYPING and name in _MAPPED:
                result |= self.instances(parts[0], scope, frame, depth + 1)
            elif module not in _TYPING:
                result |= self._m.instance(self._m.catalogue.canonical(atom.name))
            elif name in _TRANSPARENT:
                wanted = parts[:1] if name == "Annotated" else parts
                result |= union(self.instances(part, scope, frame, depth + 1) for part in wanted)
            elif name in _LAST:
                result |= self.instances(parts[-1], scope, frame, depth + 1)
            elif name in ("type", "Type"):
                result |= self._m.expressions.evaluate(parts[0], scope)
            elif name in _COLLECTIONS:
                result |= self._collection(_COLLECTIONS[name], parts, node.at, scope, frame, depth)
        return result

    def _collection(
        self, kind: CollectionKind, parts: list[tree.Expression], at: int, scope: Frame, frame: Frame, depth: int
    ) -> Value:
        atom = self._m.collection(kind, None, ("annotation", scope.home, at, kind))
        if kind == "dict":
            if len(parts) > 1:
                self._m.write(atom.keys, self.instances(parts[0], scope, frame, depth + 1))
                self._m.write(atom.elements, self.instances(parts[1], scope, frame, depth + 1))
            return frozenset((atom,))
        if kind == "tuple" and not any(type(part) is tree.Literally for part in parts):
            for position, part in enumerate(parts):
                self._m.collections.put(atom, position, self.instances(part, scope, frame, depth + 1))
            return frozenset((atom,))
        if parts:
            element = self.instances(parts[0], scope, frame, depth + 1)
            self._m.write(atom.elements, element)
            atom.only_numbers = self._m.iteration.is_number(element)
        return frozenset((atom,))
