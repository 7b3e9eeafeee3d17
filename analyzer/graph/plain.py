"""Plain data: arguments that make no difference to who calls whom.

Most calls pass numbers, texts, and lists and objects of them. Told apart, a function would be evaluated once for each
caller; so plain arguments are replaced by stand-ins, one for each parameter, that say no more than their kind or class.
What a function puts into a stand-in is given back to the real argument after the call.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from analyzer.graph.atoms import Atom, Class, Collection, Constant, External, Function, Instance, Object, Value
from analyzer.graph.effort import ITEMS, OF_CHANGE
from analyzer.graph.heap import Cell
from analyzer.graph.values import NOTHING, Exact, exactly

if TYPE_CHECKING:
    from analyzer.graph.frames import Frame, Mutation
    from analyzer.graph.machine import Machine

_DEEPEST: Final = 3
_MOST: Final = 40
_PLAIN_TYPES: Final = frozenset(
    f"builtins.{name}" for name in ("str", "bytes", "int", "float", "bool", "complex", "ellipsis")
)
_INT: Final = "builtins.int"
_TEXT: Final = "builtins.str"


@dataclass(frozen=True, slots=True)
class Slot:
    """What a stand-in is passed to.

    Attributes:
        function: the function.
        name: the parameter.
        decided: what is passed beside it that conditions may depend on, by parameter.
    """

    function: Function
    name: str
    decided: tuple[tuple[str, Value], ...]

    @property
    def is_made(self) -> bool:
        """Whether an instance is passed that is just being made."""
        facts = self.function.facts
        return facts.name == "__init__" and facts.parameters[0].name == self.name


class PlainData:
    """Replaces plain arguments by stand-ins, and gives back what is put into them."""

    def __init__(self, machine: Machine) -> None:
        self._m = machine

    def stand_ins(self, function: Function, parameters: dict[str, Value], caller: Frame) -> dict[str, Value]:
        """Return what a function's parameters hold, with stand-ins in the place of plain data.

        When a function is passed along, its companions stay what they are: it may be put into one of them. On import
        changes are not noted, so that there is nothing to give back: what is passed then stays what it is.
        """
        if caller.era == "import":
            return parameters
        if any(isinstance(atom, Function) or _is_callable(atom) for value in parameters.values() for atom in value):
            return parameters
        keeps_texts = function.facts.reads_names
        decided = tuple([(name, value) for name, value in parameters.items() if _is_decided(value)])
        result: dict[str, Value] = {}
        for parameter in function.facts.parameters:
            name, value = parameter.name, parameters[parameter.name]
            if parameter.kind in ("star", "stars") and value:
                result[name] = self._of_rest(function, name, value, caller, keeps_texts=keeps_texts)
            else:
                result[name] = self._stand_in(Slot(function, name, decided), value, caller, keeps_texts=keeps_texts)
        return result

    def _of_rest(self, function: Function, name: str, rest: Value, caller: Frame, *, keeps_texts: bool) -> Value:
        """Return what ``*args`` or ``**options`` hold: who is called with them needs each of them in its place."""
        (atom,) = rest
        if type(atom) is not Collection:
            return rest
        items = [
            (key, self._without_constants(self._m.read(cell, caller), keeps_texts=keeps_texts))
            for key, cell in atom.items.items()
        ]
        elements = self._without_constants(self._m.read(atom.elements, caller), keeps_texts=keeps_texts)
        if elements == atom.elements.value and all(atom.items[key].value == value for key, value in items):
            return rest
        key = ("rest of plain data", function, name, tuple(items), elements)
        made = self._m.make(key, lambda: Collection(atom.kind, None, Cell(), Cell()))
        for place, value in items:
            self._m.collections.keep(made, place, value)
        self._m.write(made.elements, elements)
        return frozenset((made,))

    def _without_constants(self, value: Value, *, keeps_texts: bool) -> Value:
        if _is_decided(value) or not any(type(atom) is Constant for atom in value):
            return value
        kept: set[Atom] = set()
        for atom in value:
            is_text = type(atom) is Constant and isinstance(atom.value, str)
            kept |= self._of_constant(atom) if type(atom) is Constant and not (is_text and keeps_texts) else {atom}
        return frozenset(kept)

    def _stand_in(self, slot: Slot, value: Value, caller: Frame, *, keeps_texts: bool) -> Value:
        if not value or _is_decided(value):
            return value
        if len(value) > _MOST or not all(self._is_plain(atom, caller, 0) for atom in value):
            return value
        result: set[Atom] = set()
        for atom in value:
            if type(atom) is Constant:
                if keeps_texts and isinstance(atom.value, str):
                    result.add(atom)
                else:
                    result |= self._of_constant(atom)
            elif type(atom) is Collection:
                result.add(self._of_collection(slot, atom, caller))
            elif type(atom) is Object:
                is_enum = self._m.enums.is_enum(atom.cls)
                any_one = self._m.classes.any_instance(atom.cls, caller) if is_enum else None
                result.add(any_one or self._of_object(slot, atom))
            else:
                result.add(atom)
        is_object = type(value) is Exact and all(type(atom) is Object for atom in result)
        return exactly(*result) if is_object else frozenset(result)

    def _of_constant(self, atom: Constant) -> Value:
        if isinstance(atom.value, str):
            return self._m.instance(_TEXT)
        return NOTHING if atom.value is None else self._m.instance(_INT)

    def _of_collection(self, slot: Slot, atom: Collection, caller: Frame) -> Collection:
        numbers, ordered = atom.only_numbers, atom.is_ordered
        key = ("stand-in", slot, caller.era, atom.kind, numbers, ordered)
        made = self._m.make(key, lambda: Collection(atom.kind, None, Cell(), Cell()))
        made.parameter = slot.name
        made.only_numbers, made.is_ordered = numbers, ordered
        if made is atom:
            return made
        for other in self._contents(atom, caller):
            if type(other) is Object:
                self._m.write(made.elements, frozenset((self._of_class(slot, other.cls),)))
            elif type(other) is Constant:
                self._m.write(made.elements, self._of_constant(other))
            elif type(other) is Instance:
                self._m.write(made.elements, frozenset((other,)))
        return made

    def _of_object(self, slot: Slot, atom: Object) -> Object:
        """Return the stand-in of an object: one for each combination of attributes that conditions may ask about."""
        decided = [(field, cell.value) for field, cell in atom.fields.items() if _is_decided(cell.value)]
        if slot.is_made:
            made = self._of_class(slot, atom.cls)
            made.is_new = True
            return made
        if not decided or not self._m.classes.is_own(atom.cls):
            return self._of_class(slot, atom.cls)
        decided.sort(key=lambda each: each[0])
        key = ("stand-in", slot, atom.cls, tuple(decided))
        made = self._m.make(key, lambda: Object(atom.cls, None))
        made.parameter = slot.name
        for field, value in decided:
            self._m.write(self._m.attributes.field(made, field), value)
        return made

    def _of_class(self, slot: Slot, cls: Class) -> Object:
        made = self._m.make(("stand-in", slot, cls), lambda: Object(cls, None))
        made.parameter = slot.name
        return made

    def _contents(self, atom: Collection, caller: Frame) -> Value:
        return self._m.collections.all(atom, caller)

    def _is_plain(self, atom: Atom, caller: Frame, depth: int) -> bool:
        """Tell whether something is data, all the way down."""
        if type(atom) is Constant:
            return True
        if type(atom) is Instance:
            return atom.type in _PLAIN_TYPES
        if depth > _DEEPEST:
            return False
        if type(atom) is Collection:
            if atom.effects is not None and self._m.read(atom.effects, caller):
                return False
            if atom.frame is not None and atom.frame.kind != "function":
                return False  # shared by all runs: whoever changes it is told
            contents = self._contents(atom, caller) | self._m.read(atom.keys, caller)
            return len(contents) <= _MOST and all(self._is_plain(inner, caller, depth + 1) for inner in contents)
        if type(atom) is Object:
            return self._is_plain_object(atom, caller, depth)
        return False

    def _is_plain_object(self, atom: Object, caller: Frame, depth: int) -> bool:
        if atom.frame is not None and atom.frame.kind != "function":
            return False
        if any(type(base) is External and not _is_dull_base(base.name) for base in self._m.classes.order(atom.cls)):
            return False
        self._m.effort.spent += len(atom.fields) // ITEMS
        for name, cell in list(atom.fields.items()):
            value = self._m.glance(cell, caller)
            if not all(self._is_plain(inner, caller, depth + 1) for inner in value if inner is not atom):
                return False
            if not self._is_as_declared(atom, name, value, caller) or self._m.iteration.is_unordered(value):
                return False
        return True

    def _is_as_declared(self, atom: Object, name: str, value: Value, caller: Frame) -> bool:
        """Tell whether the objects in a field are of the classes that its annotation names: a stand-in has these."""
        classes = {inner.cls for inner in self._flat(value, caller) if type(inner) is Object}
        if not classes:
            return True
        if not self._m.classes.has_fields(atom.cls):
            return False
        declared = self._flat(self._m.classes.declared(atom, name, caller), caller)
        return classes <= {inner.cls for inner in declared if type(inner) is Object}

    def _flat(self, value: Value, caller: Frame) -> list[Atom]:
        found: list[Atom] = []
        for atom in value:
            found += self._contents(atom, caller) if type(atom) is Collection else (atom,)
        return found

    # --- after the call -----------------------------------------------------------------------------------------------

    def give_back(self, callee: Frame, passed: dict[str, Value], frame: Frame, at: int, *, in_task: bool) -> None:
        """Carry out on the real arguments what a function did to their stand-ins."""
        for mutation in list(callee.mutations.values()):
            target = mutation.target
            if isinstance(target, Collection | Object) and target.parameter:
                for atom in self._meant(target, passed.get(target.parameter, NOTHING), frame):
                    if atom is not target:
                        self._m.effort.spent += OF_CHANGE
                        self._repeat(mutation, target, atom, frame, at, callee, in_task=in_task)

    def _meant(self, target: Atom, value: Value, frame: Frame) -> list[Atom]:
        """Return the real arguments, or what is in them, that a stand-in stands for."""
        found: list[Atom] = []
        for atom in value:
            if type(target) is Collection and type(atom) is Collection:
                if atom.kind == target.kind:
                    found.append(atom)
            elif type(target) is Object:
                inner = self._contents(atom, frame) if type(atom) is Collection else frozenset((atom,))
                found += [other for other in inner if type(other) is Object and other.cls is target.cls]
        return found

    def _repeat(
        self,
        mutation: Mutation,
        target: Collection | Object,
        atom: Atom,
        frame: Frame,
        at: int,
        callee: Frame,
        *,
        in_task: bool,
    ) -> None:
        if frame.is_job and not in_task:
            frame.changes.setdefault(at, {})[atom] = mutation
        if type(atom) is Collection and type(target) is Collection:
            self._m.write(atom.elements, self._m.read(target.elements, frame))
            if in_task:
                self._m.task_changes.append((frame, at, callee, atom, atom.frame, mutation))
            else:
                self._m.collections.changed(atom, frame, at)
        elif type(atom) is Object and type(target) is Object:
            value = self._m.read(self._m.attributes.field(target, mutation.name), frame)
            if in_task:
                self._m.task_changes.append((frame, at, callee, atom, atom.frame, mutation))
                self._m.write(self._m.attributes.field(atom, mutation.name), value)
            else:
                self._m.attributes.set_field(atom, mutation.name, value, frame, at)


def _is_decided(value: Value) -> bool:
    """Tell whether a value is nothing but None, True or False: a condition may depend on it."""
    if type(value) is not Exact or not value:
        return False
    return all(type(atom) is Constant and (atom.value is None or type(atom.value) is bool) for atom in value)


def _is_callable(atom: Atom) -> bool:
    return not isinstance(atom, Constant | Collection | Object | Instance | Class | External)


def _is_dull_base(name: str) -> bool:
    return name.startswith(("builtins.", "typing.", "abc.", "enum.", "pydantic.", "msgspec.", "dataclasses."))
