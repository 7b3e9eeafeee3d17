"""What expressions give, and what happens while they are evaluated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from analyzer.facts import tree
from analyzer.graph.atoms import (
    Awaitable,
    Bound,
    Class,
    Collection,
    Constant,
    External,
    Function,
    Generator,
    Imported,
    Instance,
    Object,
    Partial,
    Value,
)
from analyzer.graph.crossing import by_class
from analyzer.graph.values import NOTHING, either, exactly, in_order, joined, union
from analyzer.graph.verdicts import Verdicts

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.graph.frames import Frame
    from analyzer.graph.machine import Machine

_SET_OPERATORS: Final = frozenset(("and", "or", "sub", "xor"))
_TEXT: Final = "builtins.str"
_INT: Final = "builtins.int"
_LONGEST_TEXT: Final = 256
_WHOLE: Final = frozenset(("add", "sub", "mul", "mod", "floordiv", "and", "or", "xor", "lshift", "rshift"))
"""Operators that give whole numbers of whole numbers."""


class Expressions:
    """Evaluates expressions.

    Attributes:
        ignores_order: what is evaluated goes to something that does not care for the order of elements: ``sorted``.
    """

    def __init__(self, machine: Machine) -> None:
        self._m = machine
        self.ignores_order = False
        self._effort = machine.effort
        self._verdicts = Verdicts(machine)
        self._evaluators: dict[type[tree.Node], Callable[[Any, Frame], Value]] = {
            tree.Constant: lambda node, _frame: machine.constant(node.value),
            tree.Literally: lambda node, _frame: machine.instance(node.type),
            tree.Name: self._name,
            tree.Attribute: self._attribute,
            tree.Subscript: self._subscript,
            tree.Call: lambda node, frame: machine.calls.evaluate(node, frame),  # noqa: PLW0108 - made later
            tree.Await: self._await,
            tree.Binary: self._binary,
            tree.Unary: self._unary,
            tree.Either: self._either,
            tree.Compare: self._compare,
            tree.Conditional: self._conditional,
            tree.Lambda: self._lambda,
            tree.Sequence: self._sequence,
            tree.Mapping: self._mapping,
            tree.Comprehension: lambda node, frame: machine.iteration.comprehension(node, frame),  # noqa: PLW0108
            tree.Starred: lambda node, frame: self.evaluate(node.value, frame),
            tree.Yield: self._yield,
            tree.Walrus: self._walrus,
            tree.Format: self._format,
            tree.Several: self._several,
        }

    def evaluate(self, node: tree.Expression, frame: Frame) -> Value:
        """Return what an expression may be."""
        self._effort.spent += 1
        return self._evaluators[type(node)](node, frame)

    # --- names, attributes, items -------------------------------------------------------------------------------------

    def _name(self, node: tree.Name, frame: Frame) -> Value:
        value = frame.env.get(node.id)
        if value is None or frame.function is None or node.id in frame.function.facts.captured:
            value = self._m.names.load(node.id, frame)
        for atom in value:
            kind = type(atom)
            if kind is External:
                self._m.libraries.use(atom.name, frame, node.at)  # type: ignore[attr-defined]
            elif kind is Imported:
                return self._resolved(value, node, frame)
        return value

    def _resolved(self, value: Value, node: tree.Name, frame: Frame) -> Value:
        value = self._m.names.resolve(value, frame)
        for atom in value:
            if type(atom) is External:
                self._m.libraries.use(atom.name, frame, node.at)
        return value

    def _attribute(self, node: tree.Attribute, frame: Frame) -> Value:
        owner = self.evaluate(node.value, frame)
        return self._m.attributes.load(owner, node.name, frame, node.at)

    def _subscript(self, node: tree.Subscript, frame: Frame) -> Value:
        owner = self.evaluate(node.value, frame)
        index = self.evaluate(node.index, frame)
        result = NOTHING
        for atom, alike in by_class(owner):
            if type(atom) is Collection:
                result |= self._m.collections.item(atom, index, frame)
            elif type(atom) is Instance:
                result |= self._m.libraries.call(f"{atom.type}.__getitem__", None, frame, node.at, atom.of)
            elif type(atom) is Object:
                result |= self._m.calls.method(atom, "__getitem__", (index,), frame, node.at, alike)
                if self._m.classes.find(atom.cls, "__missing__") is not None:
                    result |= self._m.calls.method(atom, "__missing__", (index,), frame, node.at, alike)
            elif type(atom) is External and not _is_generic(atom.name):
                result |= self._m.libraries.call(f"{atom.name}.__getitem__", None, frame, node.at)
            elif type(atom) is Class and self._m.enums.is_enum(atom):
                result |= self._m.enums.by_name(atom, index, frame)
            elif type(atom) is Class or type(atom) is External:
                result |= {atom}  # Generic[int], list[str]
        return result

    # --- operators ----------------------------------------------------------------------------------------------------

    def _binary(self, node: tree.Binary, frame: Frame) -> Value:
        left, right = self.evaluate(node.left, frame), self.evaluate(node.right, frame)
        return self.operate(node.operator, left, right, frame, node.at)

    def operate(self, operator: str, left: Value, right: Value, frame: Frame, at: int) -> Value:
        """Return what a binary operator gives."""
        if operator in _WHOLE and self._m.iteration.is_number(left) and self._m.iteration.is_number(right):
            return self._m.instance(_INT)
        result = self._operate_from_left(operator, left, right, frame, at)
        for atom, alike in by_class(right):
            if type(atom) is Object:
                result |= self._m.calls.method(atom, f"__r{operator}__", (left,), frame, at, alike)
            elif type(atom) is Instance and atom.type not in ("builtins.str", "builtins.float", "builtins.int"):
                result |= self._operate_instance(atom, f"r{operator}", left, frame, at)
        return result

    def _operate_from_left(self, operator: str, left: Value, right: Value, frame: Frame, at: int) -> Value:
        result = NOTHING
        for atom, alike in by_class(left):
            if type(atom) is Object:
                result |= self._operate_object(atom, operator, right, frame, at, alike)
            elif type(atom) is Instance:
                result |= self._operate_instance(atom, operator, right, frame, at)
            elif type(atom) is Collection:
                result |= self._operate_collection(atom, operator, right, frame, at)
            elif type(atom) is Constant and type(atom.value) is str:
                result |= self._join_texts(atom.value, operator, right)
            elif type(atom) is Class or type(atom) is External:
                result |= {atom} if operator == "or" else NOTHING  # X | None, evaluated
        return result

    def _operate_object(self, atom: Object, operator: str, right: Value, frame: Frame, at: int, alike: Value) -> Value:
        result = self._m.calls.method(atom, f"__{operator}__", (right,), frame, at, alike)
        if operator in _SET_OPERATORS and self._m.enums.is_enum(atom.cls):
            result |= self._m.enums.any_member(atom.cls, frame)  # flags together
        return result

    def _operate_instance(self, atom: Instance, operator: str, other: Value, frame: Frame, at: int) -> Value:
        if atom.type == _TEXT:
            return self._m.orders.text_of([frozenset((atom,)), other])
        return self._m.libraries.call(f"{atom.type}.__{operator}__", None, frame, at)

    def _operate_collection(self, atom: Collection, operator: str, right: Value, frame: Frame, at: int) -> Value:
        others = [other for other in right if type(other) is Collection]
        if atom.kind in ("set", "frozenset") or atom.is_view:
            if operator in _SET_OPERATORS:
                parts = [atom] if operator == "sub" else [atom, *others]  # nothing comes from what is taken away
                return self._m.collections.merged("set", parts, frame, at)
            return NOTHING
        if operator in ("add", "or"):
            return self._m.collections.merged(atom.kind, [atom, *others], frame, at)
        return frozenset((atom,)) if operator == "mul" else NOTHING

    def _join_texts(self, text: str, operator: str, right: Value) -> Value:
        if operator == "add":
            ends = [atom.value for atom in right if type(atom) is Constant and type(atom.value) is str]
            if ends and len(ends) == len(right):
                return union([self._m.constant((text + end)[:256]) for end in ends])
        return self._m.orders.text_of([right])

    def _unary(self, node: tree.Unary, frame: Frame) -> Value:
        if node.operator == "not":
            verdict = self.test(node.operand, frame)
            return NOTHING if verdict is None else self._m.constant(not verdict)
        operand = self.evaluate(node.operand, frame)
        result = NOTHING
        for atom in in_order(operand):
            if type(atom) is Object:
                result |= self._m.calls.method(atom, f"__{node.operator}__", (), frame, node.at)
            elif type(atom) is Constant and type(atom.value) is int and node.operator == "neg":
                result |= self._m.constant(-atom.value)
        return result

    def _compare(self, node: tree.Compare, frame: Frame) -> Value:
        left = self.evaluate(node.left, frame)
        verdict: bool | None = None
        for operator, other in zip(node.operators, node.others, strict=True):
            right = self.evaluate(other, frame)
            self._compare_two(operator.removeprefix("not_"), left, right, frame, node.at)
            verdict = self._verdicts.compared(operator, left, right) if len(node.others) == 1 else None
            left = right
        return NOTHING if verdict is None else self._m.constant(verdict)

    def _compare_two(self, operator: str, left: Value, right: Value, frame: Frame, at: int) -> None:
        if operator == "is":
            return
        asked, argument = (right, left) if operator == "contains" else (left, right)
        for atom, alike in by_class(asked):
            if type(atom) is Object:
                self._m.calls.method(atom, f"__{operator}__", (argument,), frame, at, alike)
            elif type(atom) is Instance and operator == "contains":
                self._m.libraries.call(f"{atom.type}.__contains__", None, frame, at)
            elif type(atom) in (Generator, Collection) and operator == "contains":
                self._m.iteration.exhaust(frozenset((atom,)), frame, at)

    def _conditional(self, node: tree.Conditional, frame: Frame) -> Value:
        verdict = self.test(node.test, frame)
        if verdict is not None:
            return self.evaluate(node.body if verdict else node.other, frame)
        return either(self.evaluate(node.body, frame), self.evaluate(node.other, frame))

    def _either(self, node: tree.Either, frame: Frame) -> Value:
        """Evaluate ``a and b``, ``a or b`` up to the value that decides, where one is known to."""
        found: list[Value] = []
        for value_node in node.values[:-1]:
            value = self.evaluate(value_node, frame)
            verdict = self._truth(value, value_node, frame)
            if verdict is not None and verdict is (node.kind == "or") and node.kind != "any":
                return union([*found, value])
            if verdict is None or node.kind == "any":
                found.append(value)
        return union([*found, self.evaluate(node.values[-1], frame)])

    def test(self, node: tree.Expression, frame: Frame) -> bool | None:
        """Evaluate a condition: ``__bool__`` is called. Return what it comes to, None when that is not known."""
        return self._truth(self.evaluate(node, frame), node, frame)

    def _truth(self, value: Value, node: tree.Expression, frame: Frame) -> bool | None:
        for atom, alike in by_class(value):
            if type(atom) is Object:
                self._m.calls.truth(atom, frame, getattr(node, "at", 0), alike)
        return self._verdicts.truth(value)

    # --- what is built ------------------------------------------------------------------------------------------------

    def _lambda(self, node: tree.Lambda, frame: Frame) -> Value:
        return exactly(self.function(node.function, frame))

    def function(self, index: int, frame: Frame) -> Function:
        """Return the function of an index, defined where ``frame`` stands."""
        facts = frame.home.source.facts.functions[index]
        parent = frame if frame.kind == "function" else frame.parent
        function = self._m.make(("function", frame.home, index, parent), lambda: Function(facts, frame.home, parent))
        for parameter in facts.parameters:
            if parameter.default is not None:
                value = self.evaluate(parameter.default, frame)
                known = function.defaults.get(parameter.name)
                function.defaults[parameter.name] = value if known is None else either(known, value)
        return function

    def _sequence(self, node: tree.Sequence, frame: Frame) -> Value:
        atom = self._m.collection(node.kind, frame, node.at)
        position: int | None = 0
        numbers = True
        for element in node.elements:
            if type(element) is tree.Starred:
                inner = self.evaluate(element.value, frame)
                value = self._m.iteration.unpack(inner, frame, node.at, escapes=node.kind != "set")
                self._m.write(atom.elements, value)
                numbers = numbers and self._m.iteration.all_numbers(inner)
                position = None
                continue
            value = self.evaluate(element, frame)
            numbers = numbers and _is_number(element)
            self._m.consume(value)
            if position is None or node.kind == "set":
                self._m.write(atom.elements, value)
            else:
                self._m.collections.put(atom, position, value)
                position += 1
        atom.only_numbers = numbers
        return exactly(atom)

    def _mapping(self, node: tree.Mapping, frame: Frame) -> Value:
        atom = self._m.collection("dict", frame, node.at)
        for key_node, value_node in zip(node.keys, node.values, strict=True):
            value = self.evaluate(value_node, frame)
            if key_node is None:
                for other in value:
                    if type(other) is Collection:
                        self._m.collections.absorb(atom, other, frame)
                continue
            key = self.evaluate(key_node, frame)
            self._m.collections.put_under(atom, key, value)
        return exactly(atom)

    def _await(self, node: tree.Await, frame: Frame) -> Value:
        result = self.awaited(self.evaluate(node.value, frame), frame, node.at)
        if frame.is_job and type(node.value) is tree.Call:
            frame.results[node.value.at] = result
        return result

    def awaited(self, value: Value, frame: Frame, at: int) -> Value:
        """Return what awaiting a value gives."""
        result = NOTHING
        for atom in value:
            if type(atom) is Awaitable:
                self._m.consumed.add(atom)
                result |= self._m.read(atom.result, frame)
            elif type(atom) is Object:
                found = self._m.calls.method(atom, "__await__", (), frame, at)
                result |= self._m.iteration.exhaust(found, frame, at) | {atom}
            elif type(atom) is Instance:
                found = self._m.libraries.call(f"{atom.type}.__await__", None, frame, at, atom.of)
                result |= found or {atom}
            elif not isinstance(atom, Function | Bound | Partial):  # nobody can await one: a library was given it
                result |= {atom}
        return result

    def _yield(self, node: tree.Yield, frame: Frame) -> Value:
        value = NOTHING if node.value is None else self.evaluate(node.value, frame)
        if node.is_from:
            value = self._m.iteration.exhaust(value, frame, node.at)
        self._m.consume(value)
        frame.yields = joined(frame.yields, value)
        return NOTHING

    def _walrus(self, node: tree.Walrus, frame: Frame) -> Value:
        value = self.evaluate(node.value, frame)
        self._m.names.store(node.target.id, value, frame, node.target.at)
        return value

    def _format(self, node: tree.Format, frame: Frame) -> Value:
        text: str | None = ""
        values = [self.evaluate(part, frame) for part in node.values]
        for value in values:
            for atom in value:
                if type(atom) is Object:
                    self._format_object(atom, frame, node.at)
            known = _only_constant(value)
            text = None if text is None or known is None else text + known
        is_known = text is not None and len(text) <= _LONGEST_TEXT
        return self._m.constant(text) if is_known else self._m.orders.text_of(values)

    def _format_object(self, atom: Object, frame: Frame, at: int) -> None:
        for name in ("__format__", "__str__"):
            if self._m.classes.find(atom.cls, name):
                self._m.calls.method(atom, name, (), frame, at)
                return

    def _several(self, node: tree.Several, frame: Frame) -> Value:
        for value in node.values:
            self.evaluate(value, frame)
        return NOTHING


def _only_constant(value: Value) -> str | None:
    """Return the text of the one constant that a value is known to be, as an f-string shows it."""
    if len(value) != 1:
        return None
    (atom,) = value
    return str(atom.value) if type(atom) is Constant and atom.value is not None else None


def _is_generic(name: str) -> bool:
    """Tell whether a library's name stands for a class by how it is written, or is a builtin one."""
    last = name.rpartition(".")[2]
    return last[:1].isupper() or name.startswith(("builtins.", "collections."))


def _is_number(node: tree.Expression) -> bool:
    return type(node) is tree.Constant and isinstance(node.value, int)
