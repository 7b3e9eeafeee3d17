"""Iteration: what comes out of iterables, what happens meanwhile, and whether its order is the same on replay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.facts import tree
from analyzer.graph.atoms import (
    Awaitable,
    Class,
    Collection,
    CollectionKind,
    Constant,
    Deferred,
    External,
    Generator,
    Instance,
    Object,
    Value,
)
from analyzer.graph.frames import Frame, Leaf, variable_of
from analyzer.graph.heap import Cell
from analyzer.graph.values import NOTHING, Arguments, in_order

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.graph.machine import Machine

UNORDERED: Final = "TRG301"
"""The code of an order that escapes."""

_SETS: Final = frozenset(("builtins.set", "builtins.frozenset"))
_FILLING: Final = frozenset(
    ("append", "appendleft", "extend", "insert", "put", "put_nowait", "write", "writelines", "writerow", "send", "info")
)
"""Methods by which the order of a loop gets into something."""

_TOLD_APART: Final = 24
"""Elements of a list up to which a dict that is made of it is filled one by one."""


class Iteration:
    """Iterates."""

    def __init__(self, machine: Machine) -> None:
        self._m = machine

    # --- order --------------------------------------------------------------------------------------------------------

    def is_unordered(self, value: Value) -> bool:
        """Tell whether a value iterates in an order that differs between processes."""
        for atom in value:
            if type(atom) is Collection and not atom.is_ordered and not atom.only_numbers:
                return True
            if type(atom) is Instance and atom.type in _SETS:
                return True
        return False

    def escapes(self, frame: Frame, at: int, name: str) -> None:
        """Note that the order of something unordered gets out by a call of a name."""
        self._m.happens(frame, at, Leaf(UNORDERED, name))

    def order_escapes(self, frame: Frame, at: int, *values: Value) -> None:
        """Note that the order of a set among values gets out."""
        sets = (atom for value in values for atom in in_order(value) if self.is_unordered(frozenset((atom,))))
        known = next((name for atom in sets if (name := variable_of(atom, *_around(frame)))), "")
        what = f"the order of the set `{known}`" if known else "the order of a set"
        self._m.happens(frame, at, Leaf(UNORDERED, what, is_code=False))

    @staticmethod
    def is_number(value: Value) -> bool:
        """Tell whether a value is known to be a whole number."""
        return bool(value) and all(
            (type(atom) is Constant and isinstance(atom.value, int))
            or (type(atom) is Instance and atom.type in ("builtins.int", "builtins.bool"))
            for atom in value
        )

    def all_numbers(self, value: Value) -> bool:
        """Tell whether all that an iterable gives is known to be whole numbers."""
        atoms = [atom for atom in value if type(atom) is Collection]
        if not atoms or len(atoms) != len(value):
            return False
        for atom in atoms:
            contents = [atom.elements.value, *(cell.value for cell in atom.items.values())]
            if atom.kind == "dict":
                contents = [
                    atom.keys.value,
                    *(self._m.constant(key) for key in atom.items if not isinstance(key, Object)),
                ]
            known = [content for content in contents if content]
            if not atom.only_numbers and (not known or not all(self.is_number(content) for content in known)):
                return False
        return True

    # --- iterating ----------------------------------------------------------------------------------------------------

    def exhaust(self, value: Value, frame: Frame, at: int, *, is_async: bool = False) -> Value:
        """Iterate over a value to its end; return what comes out."""
        result = NOTHING
        for atom in in_order(value):
            if type(atom) is Collection:
                if atom.kind == "dict":
                    result |= self._m.collections.keys(atom, frame)
                else:
                    result |= self._m.collections.all(atom, frame)
                    self._happens_now(atom, frame, at)
            elif type(atom) is Generator:
                result |= self._of_generator(atom, frame, at)
            elif type(atom) is Instance:
                name = "__aiter__" if is_async else "__iter__"
                result |= self._m.libraries.call(f"{atom.type}.{name}", None, frame, at, atom.of)
            elif type(atom) is Object:
                result |= self._of_object(atom, frame, at, is_async=is_async)
            elif type(atom) is External:
                result |= self._m.libraries.call(f"{atom.name}.__iter__", None, frame, at)
            elif type(atom) is Awaitable:
                continue
            elif type(atom) is Class:
                result |= frozenset((self._m.classes.any_instance(atom, frame),))  # members of an Enum
        return result

    def _happens_now(self, atom: Collection, frame: Frame, at: int) -> None:
        """Have the effects of what is computed lazily: where they are written when that is here, else at the loop."""
        if atom.effects is None:
            return
        found = [deferred for deferred in self._m.read(atom.effects, frame) if type(deferred) is Deferred]
        for deferred in sorted(found, key=lambda each: (each.at, each.leaf.code, each.leaf.subject)):
            place = deferred.at if deferred.frame is frame else at
            self._m.happens(frame, place, deferred.leaf, deferred.callee)

    def _of_generator(self, atom: Generator, frame: Frame, at: int) -> Value:
        callee = atom.frame
        callee.callers[frame] = frame.runs
        frame.callees.add(callee)
        self._m.passes_on(frame, at, callee)
        return self._m.calls.yielded(callee, frame)

    def _of_object(self, atom: Object, frame: Frame, at: int, *, is_async: bool) -> Value:
        start, following = ("__aiter__", "__anext__") if is_async else ("__iter__", "__next__")
        if self._m.classes.find(atom.cls, start) is not None:
            result = NOTHING
            for inner in self._m.calls.method(atom, start, (), frame, at):
                if type(inner) is Object and self._m.classes.find(inner.cls, following) is not None:
                    found = self._m.calls.method(inner, following, (), frame, at)
                    result |= self._m.expressions.awaited(found, frame, at) if is_async else found
                elif type(inner) is not Object or inner is not atom:
                    result |= self.exhaust(frozenset((inner,)), frame, at, is_async=is_async)
            return result
        if self._m.classes.find(atom.cls, "__getitem__") is not None:
            return self._m.calls.method(atom, "__getitem__", (NOTHING,), frame, at)
        if self._m.enums.is_enum(atom.cls):
            return self._m.enums.any_member(atom.cls, frame)  # of a flag, the flags that it is made of
        return self._of_fields(atom, start, frame, at)

    def _of_fields(self, atom: Object, start: str, frame: Frame, at: int) -> Value:
        result = NOTHING
        for base in self._m.classes.order(atom.cls):
            if type(base) is External and not base.name.startswith(("builtins.", "typing.", "enum.")):
                result |= self._m.libraries.call(f"{base.name}.{start}", None, frame, at)
        return result

    def unpack(self, value: Value, frame: Frame, at: int, *, escapes: bool) -> Value:
        """Iterate over a value to its end in an expression: ``list(value)``, ``*value``, ``a, b = value``."""
        value = self.started(value, frame, at)
        if escapes and self.is_unordered(value) and not self._m.expressions.ignores_order:
            self.order_escapes(frame, at, value)
        return self.exhaust(value, frame, at)

    def started(self, value: Value, frame: Frame, at: int) -> Value:
        """Return what is iterated over: of an instance, what its ``__iter__`` gives, if that is a collection."""
        result = value
        for atom in in_order(value):
            if type(atom) is Object and self._m.classes.find(atom.cls, "__iter__") is not None:
                inner = self._m.calls.method(atom, "__iter__", (), frame, at)
                if inner and all(type(each) in (Collection, Generator) for each in inner):
                    result = (result - {atom}) | inner
        return result

    # --- loops --------------------------------------------------------------------------------------------------------

    def loop_escapes(self, node: tree.For, frame: Frame, *, has_steps: bool) -> bool:
        """Tell whether the order of a loop gets out of it: steps, an element that is added, returned or kept."""
        return has_steps or any(_lets_out(statement) for statement in node.body)

    # --- comprehensions -----------------------------------------------------------------------------------------------

    def comprehension(self, node: tree.Comprehension, frame: Frame) -> Value:
        """Evaluate a comprehension. What a generator expression does happens when it is iterated."""
        saved = self._m.branch(frame)
        expressions = self._m.expressions
        ignores, expressions.ignores_order = expressions.ignores_order, False
        steps = frame.durables
        atom = self._m.collection(_KINDS[node.kind], frame, node.at)
        first = self.started(expressions.evaluate(node.generators[0].iterable, frame), frame, node.at)
        if node.kind == "generator":
            with self._m.deferring(frame, self.made_lazy(atom, "a generator")):
                unordered = self._fill(node, first, atom, frame)
        else:
            unordered = self._fill(node, first, atom, frame)
        expressions.ignores_order = ignores
        has_steps = frame.durables > steps
        if unordered and (has_steps or (node.kind == "list" and not ignores)):
            self.order_escapes(frame, node.at, first)
        elif unordered and node.kind in ("list", "generator", "dict"):
            atom.is_ordered = False
        frame.env = saved
        return frozenset((atom,))

    def _fill(self, node: tree.Comprehension, first: Value, atom: Collection, frame: Frame) -> bool:
        """Evaluate a comprehension's loops and what it collects; return whether their order is one of a set."""
        expressions = self._m.expressions
        exact = self._m.collections.positions(first, frame)
        if node.value is not None and len(node.generators) == 1 and exact and len(exact) <= _TOLD_APART:
            self._fill_one_by_one(node, exact, atom, frame)
            return False
        unordered = False
        for position, generator in enumerate(node.generators):
            iterable = expressions.evaluate(generator.iterable, frame) if position else first
            unordered = unordered or self.is_unordered(iterable)
            element = self.exhaust(iterable, frame, node.at, is_async=generator.is_async)
            self._m.targets.bind(generator.target, element, frame, node.at)
            for condition in generator.conditions:
                expressions.test(condition, frame)
        element = expressions.evaluate(node.element, frame)
        if node.value is not None:
            value = expressions.evaluate(node.value, frame)
            self._m.collections.put_under(atom, element, value)
        else:
            self._m.consume(element)
            self._m.write(atom.elements, element)
        if node.kind == "set":
            atom.only_numbers = self.is_number(element)
        return unordered

    def _fill_one_by_one(self, node: tree.Comprehension, elements: list[Value], atom: Collection, frame: Frame) -> None:
        """Evaluate a dict's comprehension over a short list, so that each key keeps its own value."""
        expressions, (generator,) = self._m.expressions, node.generators
        for element in elements:
            self._m.targets.bind(generator.target, element, frame, node.at)
            if any(expressions.test(condition, frame) is False for condition in generator.conditions):
                continue
            key = expressions.evaluate(node.element, frame)
            value = NOTHING if node.value is None else expressions.evaluate(node.value, frame)
            self._m.collections.put_under(atom, key, value)

    @staticmethod
    def made_lazy(atom: Collection, what: str) -> Cell:
        """Have a collection compute its elements when it is iterated; return the cell of what happens then."""
        atom.lazy = what
        if atom.effects is None:
            atom.effects = Cell()
        return atom.effects

    def lazily(self, kind: str, iterables: list[Value], elements: Value, frame: Frame, at: int) -> Value:
        """Return an iterator of a builtin (``map``, ``filter``, ``iter``) over others, with their order."""
        atom = self._m.collection("iterator", frame, (at, kind))
        atom.is_ordered = not any(self.is_unordered(iterable) for iterable in iterables)
        self._m.write(atom.elements, elements)
        return frozenset((atom,))

    def mapped(self, arguments: Arguments, frame: Frame, at: int) -> Value:
        """Evaluate ``map(function, *iterables)``."""
        iterables = list(arguments.positional[1:])
        steps = frame.durables
        made = self._m.collection("iterator", frame, (at, "map"))
        with self._m.deferring(frame, self.made_lazy(made, "a map")):
            inputs = tuple(self.exhaust(iterable, frame, at) for iterable in iterables)
            result = self._m.calls.call(arguments.get(0) or NOTHING, Arguments(inputs), frame, at)
        self._m.consume(result)
        if frame.durables > steps and any(self.is_unordered(iterable) for iterable in iterables):
            self.order_escapes(frame, at, *iterables)
            iterables = []
        return self.lazily("map", iterables, result, frame, at)


def _around(frame: Frame) -> Iterator[Frame]:
    """Yield the frames whose variables a frame sees, its own first."""
    current: Frame | None = frame
    while current is not None:
        yield current
        current = current.parent


_KINDS: Final[dict[str, CollectionKind]] = {"list": "list", "set": "set", "dict": "dict", "generator": "iterator"}


def _lets_out(node: object) -> bool:
    """Tell whether something in a loop's body lets out in which order it came."""
    if isinstance(node, tree.Yield):
        return True
    if isinstance(node, tree.Jump):
        return node.kind == "break"
    if isinstance(node, tree.Return):
        return node.value is not None and not isinstance(node.value, tree.Constant)
    if isinstance(node, tree.Augment):
        return isinstance(node.value, tree.Format | tree.Sequence) or _is_text(node.value) or _lets_out(node.value)
    if isinstance(node, tree.Call) and isinstance(node.function, tree.Attribute) and node.function.name in _FILLING:
        return node.function.name != "info"
    if isinstance(node, tree.Define | tree.DefineClass | tree.Lambda):
        return False
    if isinstance(node, tree.For | tree.While):
        return any(_lets_out(part) for part in (*_without_breaks(node.body), *node.orelse))
    if isinstance(node, tree.Node):
        return any(_lets_out(getattr(node, field)) for field in node.__struct_fields__)
    if isinstance(node, list | tuple):
        return any(_lets_out(part) for part in node)
    return False


def _without_breaks(statements: list[tree.Statement]) -> list[tree.Statement]:
    return [statement for statement in statements if not isinstance(statement, tree.Jump)]


def _is_text(node: tree.Expression) -> bool:
    if isinstance(node, tree.Binary):
        return _is_text(node.left) or _is_text(node.right)
    return isinstance(node, tree.Constant) and isinstance(node.value, str)
