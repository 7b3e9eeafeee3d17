"""Lists, tuples, dicts, sets, and what their methods do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.facts import tree
from analyzer.graph.atoms import (
    Atom,
    Collection,
    CollectionKind,
    Constant,
    Generator,
    Instance,
    Key,
    Method,
    Object,
    Value,
)
from analyzer.graph.effort import ITEMS
from analyzer.graph.enums import exact_keys
from analyzer.graph.frames import Frame, Leaf, Mutation, variable_of
from analyzer.graph.names import STATE
from analyzer.graph.values import MANY, NOTHING, Arguments, inexact, joined

if TYPE_CHECKING:
    from analyzer.graph.machine import Machine

_CHANGING: Final = frozenset(
    (
        "append",
        "appendleft",
        "extend",
        "extendleft",
        "insert",
        "pop",
        "popleft",
        "popitem",
        "remove",
        "clear",
        "update",
        "setdefault",
        "add",
        "discard",
        "sort",
        "reverse",
        "rotate",
        "intersection_update",
        "difference_update",
        "symmetric_difference_update",
        "move_to_end",
        "subtract",
        "__setitem__",
        "__delitem__",
    )
)
"""Methods that change what they are called on."""

FEW: Final = 8
"""Items that are looked at one by one; what more of them hold together is remembered."""

_GIVING_SETS: Final = frozenset(("union", "intersection", "difference", "symmetric_difference", "copy"))
_ADDING: Final = {"append": 0, "appendleft": 0, "add": 0, "insert": 1, "setdefault": 1}
_ABSORBING: Final = frozenset(("extend", "extendleft", "update"))
_TEXT_METHODS: Final = frozenset(("split", "rsplit", "splitlines", "partition", "rpartition"))


class Collections:
    """Reads and changes collections, and calls their methods."""

    def __init__(self, machine: Machine) -> None:
        self._m = machine

    # --- contents -----------------------------------------------------------------------------------------------------

    def put(self, atom: Collection, key: Key, value: Value) -> None:
        """Put something under a constant key; it may be replaced in ways that are not seen."""
        self.keep(atom, key, inexact(value))

    def keep(self, atom: Collection, key: Key, value: Value) -> None:
        """Put something under a constant key for good."""
        self._m.consume(value)
        cell = atom.items.get(key)
        if cell is None:
            cell = self._m.cell(atom.items, key)
            cell.readers = atom.elements.readers  # whoever reads all of it reads this too
        before = cell.value
        self._m.write(cell, value)
        atom.version += cell.value is not before

    def put_under(self, atom: Collection, key: Value, value: Value) -> None:
        """Put something under a key."""
        self._m.consume(value)
        exact = exact_keys(key)
        if exact:
            for constant in exact:
                self.put(atom, constant, value)
            if any(type(entry) is Object for entry in key):
                self._m.write(atom.keys, key)
        else:
            self._m.write(atom.elements, value)
            self._m.write(atom.keys, key)

    def all(self, atom: Collection, frame: Frame) -> Value:
        """Return everything in a collection; of a dict, its values."""
        result = self._m.read(atom.elements, frame)  # who reads these reads the items as well
        if len(atom.items) <= FEW:
            for cell in atom.items.values():
                result |= cell.value
            return result
        state = (self._m.era, atom.version)
        if atom.whole is None or atom.whole[0] != state:
            atom.whole = (state, self._together(atom))
        return result | atom.whole[1]

    def _together(self, atom: Collection) -> Value:
        """Return what very many items hold; of constants, some."""
        self._m.effort.spent += len(atom.items) // ITEMS
        values = [cell.value for cell in atom.items.values()]
        everything = set().union(*values)
        if len(everything) <= MANY:
            return frozenset(everything)
        constants = [each for value in values for each in value if type(each) is Constant]
        return frozenset(everything.difference(constants).union(constants[:MANY]))

    def item(self, atom: Collection, index: Value, frame: Frame) -> Value:
        """Return what is under an index."""
        exact = exact_keys(index)
        if exact:
            found = self._m.read(atom.elements, frame)
            for constant in exact:
                key = constant
                if type(key) is int and key < 0 and atom.kind in ("list", "tuple"):
                    key += len(atom.items)
                if key in atom.items:
                    found |= self._m.read(atom.items[key], frame)
            return found
        return self.all(atom, frame)

    def positions(self, value: Value, frame: Frame) -> list[Value] | None:
        """Return what a value of known length holds, by position; None when the length is not known."""
        if len(value) != 1:
            return None
        (atom,) = value
        if type(atom) is not Collection or atom.kind not in ("tuple", "list") or self._m.read(atom.elements, frame):
            return None
        if any(index not in atom.items for index in range(len(atom.items))):
            return None
        self._m.effort.spent += len(atom.items) // ITEMS
        if atom.kind == "list" and not atom.items:
            return None
        return [self._m.read(atom.items[index], frame) for index in range(len(atom.items))]

    def absorb(self, atom: Collection, other: Collection, frame: Frame) -> None:
        """Add everything in another collection; keys are kept between dicts."""
        if other is atom:
            return
        if atom.kind == "dict":
            self._m.effort.spent += len(other.items)
            for key, cell in list(other.items.items()):
                self.put(atom, key, self._m.read(cell, frame))
            self._m.write(atom.keys, self._m.read(other.keys, frame))
            self._m.write(atom.elements, self._m.read(other.elements, frame))
        else:
            self._m.write(atom.elements, self.all(other, frame))

    def merged(self, kind: CollectionKind, parts: list[Collection], frame: Frame, at: int) -> Value:
        """Return a new collection with everything in several."""
        atom = self._m.collection(kind, frame, at)
        for part in parts:
            self.absorb(atom, part, frame)
        atom.only_numbers = bool(parts) and all(part.only_numbers for part in parts)
        if kind not in ("set", "frozenset"):
            atom.is_ordered = all(part.is_ordered for part in parts)
        return frozenset((atom,))

    # --- changes ------------------------------------------------------------------------------------------------------

    def changed(self, atom: Collection, frame: Frame, at: int) -> None:
        """Note that a collection is changed where ``frame`` stands."""
        maker = atom.frame
        self._m.keep(atom)
        if maker is not None:
            self._m.touches(maker.home)
        if atom.parameter:
            self._m.changes(Mutation(atom, None, "", frame, at))
        if maker is None or maker is frame.leader:
            return
        if maker.kind != "function":
            self._m.happens(frame, at, self._shared(atom, maker, frame))
        else:
            self._m.changes(Mutation(atom, maker, "", frame, at))

    @staticmethod
    def _shared(atom: Collection, maker: Frame, frame: Frame) -> Leaf:
        known = variable_of(atom, maker)
        if known:
            return Leaf(STATE, f"{maker.name}.{known}" if maker.kind == "class" else known)
        known = variable_of(atom, frame)
        said = f"a shared {atom.kind}"
        return Leaf(STATE, f"{said} (`{known}`)" if known else said, is_code=False)

    def store(self, owner: Value, index: Value, value: Value, frame: Frame, at: int) -> None:
        """Carry out ``owner[index] = value``."""
        for atom in owner:
            if type(atom) is Collection:
                self.put_under(atom, index, value)
                self.changed(atom, frame, at)

    def touch_global(self, node: tree.Attribute, function: Value, frame: Frame) -> None:
        """Note a change of something that a global variable holds and a function made on import."""
        if node.name not in _CHANGING or type(node.value) is not tree.Name:
            return
        for atom in function:
            if type(atom) is Method and type(atom.receiver) is Collection:
                maker = atom.receiver.frame
                at_import = maker is not None and maker.kind == "function" and maker.era == "import"
                if at_import and frame.era == "run" and self.is_global(node.value.id, frame):
                    self._m.happens(
                        frame, node.at, Leaf(STATE, f"the global variable `{node.value.id}`", is_code=False)
                    )

    @staticmethod
    def is_global(name: str, frame: Frame) -> bool:
        """Tell whether a name is a variable of the module where ``frame`` stands."""
        around: Frame | None = frame
        while around is not None:
            if around.function is not None and name in around.function.facts.bound:
                return False
            around = around.parent
        return True

    # --- methods ------------------------------------------------------------------------------------------------------

    def call(self, method: Method, arguments: Arguments, frame: Frame, at: int) -> Value:
        """Call a method of a collection, generator or text."""
        receiver, name = method.receiver, method.name
        if type(receiver) is Generator:
            return self._generator_method(receiver, name, frame, at)
        if type(receiver) is Collection:
            return self._collection_method(receiver, name, arguments, frame, at)
        if type(receiver) is Instance and receiver.type in ("builtins.set", "builtins.frozenset"):
            if name == "pop":
                self._m.iteration.escapes(frame, at, "set.pop")
            return self._m.instance(receiver.type) if name in _GIVING_SETS else NOTHING
        return self._text_method(receiver, name, arguments, frame, at)

    def _generator_method(self, receiver: Generator, name: str, frame: Frame, at: int) -> Value:
        if name in ("__next__", "send", "asend", "__anext__", "throw", "athrow"):
            return self._m.iteration.exhaust(frozenset((receiver,)), frame, at)
        return NOTHING

    def _text_method(self, receiver: Atom, name: str, arguments: Arguments, frame: Frame, at: int) -> Value:
        if name in ("join", "writelines"):
            value = arguments.get(0) or NOTHING
            self._m.iteration.unpack(value, frame, at, escapes=True)
        if name in _TEXT_METHODS:
            atom = self._m.collection("list", frame, at)
            self._m.write(atom.elements, self._m.instance("builtins.str"))
            return frozenset((atom,))
        if name == "encode":
            return self._m.instance("builtins.bytes")
        if name in ("find", "index", "count") or name.startswith("is"):
            return NOTHING
        parts = () if name == "join" else (*arguments.positional, *(value for _, value in arguments.keywords))
        return self._m.orders.text_of([frozenset((receiver,)), *parts])

    def _collection_method(self, atom: Collection, name: str, arguments: Arguments, frame: Frame, at: int) -> Value:
        if name in _CHANGING:
            self.changed(atom, frame, at)
        self._m.consume(arguments.all())
        if name in _ADDING:
            value = arguments.get(_ADDING[name])
            if name == "setdefault":
                self.put_under(atom, arguments.get(0) or NOTHING, value or NOTHING)
                return self.item(atom, arguments.get(0) or NOTHING, frame)
            self._m.write(atom.elements, value or arguments.more)
            if value is None or not self._m.iteration.is_number(value):
                atom.only_numbers = False
            return NOTHING
        if name in _ABSORBING:
            return self._absorb(atom, arguments, frame, at)
        if name == "pop" and atom.kind in ("set", "frozenset") and not atom.only_numbers:
            self._m.iteration.escapes(frame, at, "set.pop")
        if name in ("get", "pop", "popleft", "popitem", "__getitem__"):
            found = self.item(atom, arguments.get(0) or NOTHING, frame)
            return found | (arguments.get(1) or NOTHING)
        if name == "sort":
            atom.is_ordered = True
            key = arguments.keyword("key")
            if key:
                self._m.calls.call(key, Arguments((self.all(atom, frame),)), frame, at)
            return NOTHING
        return self._view(atom, name, arguments, frame, at)

    def _absorb(self, atom: Collection, arguments: Arguments, frame: Frame, at: int) -> Value:
        for argument in arguments.positional:
            for other in argument:
                if type(other) is Collection:
                    self.absorb(atom, other, frame)
                    atom.only_numbers = atom.only_numbers and other.only_numbers
            if atom.kind not in ("dict", "set", "frozenset"):
                inner = self._m.iteration.unpack(argument, frame, at, escapes=True)
                self._m.write(atom.elements, inner)
            elif atom.kind != "dict":
                self._m.write(atom.elements, self._m.iteration.unpack(argument, frame, at, escapes=False))
                atom.only_numbers = False
        for name, value in arguments.keywords:
            self.put(atom, name, value)
        return NOTHING

    def _view(self, atom: Collection, name: str, arguments: Arguments, frame: Frame, at: int) -> Value:
        if name in ("values", "items", "keys"):
            view = self._m.collection("iterator", frame, (at, name, atom))
            view.is_ordered, view.is_view, view.lazy = atom.is_ordered, name != "values", f"{name} of a dict"
            if name == "items":
                pair = self._m.collection("tuple", frame, (at, "pair", atom))
                self.put(pair, 0, self.keys(atom, frame))
                self.put(pair, 1, self.all(atom, frame))
                self._m.write(view.elements, frozenset((pair,)))
            else:
                inner = self.keys(atom, frame) if name == "keys" else self.all(atom, frame)
                self._m.write(view.elements, inner)
                view.only_numbers = self._m.iteration.is_number(inner)
            return frozenset((view,))
        if name in _GIVING_SETS:
            others = [other for value in arguments.positional for other in value if type(other) is Collection]
            return self.merged(atom.kind, [atom, *others], frame, at)
        if name in ("index", "count", "isdisjoint", "issubset", "issuperset"):
            return NOTHING
        if name in ("__enter__", "__iter__", "__aiter__"):
            return frozenset((atom,))
        if name == "__next__":
            return self.all(atom, frame)
        return NOTHING

    def keys(self, atom: Collection, frame: Frame) -> Value:
        """Return the keys of a dict."""
        key = ("keys", atom, len(atom.items))
        constants = self._m.make(key, lambda: self._constant_keys(atom))
        return constants | self._m.read(atom.keys, frame)

    def _constant_keys(self, atom: Collection) -> Value:
        self._m.effort.spent += len(atom.items)
        result = NOTHING
        for key in atom.items:
            if not isinstance(key, Object):
                result = joined(result, self._m.constant(key))
                if len(result) >= MANY:
                    break
        return result
