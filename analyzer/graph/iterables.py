"""Functions of the standard library that make, take and reshape iterables: ``list``, ``sorted``, ``zip``, ``chain``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from analyzer.graph.atoms import Collection, CollectionKind, Generator, Object, Value
from analyzer.graph.frames import Frame
from analyzer.graph.values import NOTHING, Arguments, union

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from analyzer.graph.machine import Machine

Handler = Callable[[str, Arguments, Frame, int], Value]
"""Evaluates a call, by the function's name."""

_CONTAINERS: Final[dict[str, CollectionKind]] = {
    "builtins.list": "list",
    "builtins.tuple": "tuple",
    "builtins.set": "set",
    "builtins.frozenset": "frozenset",
    "builtins.dict": "dict",
    "collections.deque": "list",
    "collections.OrderedDict": "dict",
    "collections.Counter": "dict",
    "collections.defaultdict": "dict",
    "collections.ChainMap": "dict",
    "types.MappingProxyType": "dict",
}
_LAZY: Final = {
    "builtins.iter",
    "builtins.reversed",
    "builtins.aiter",
    "itertools.islice",
    "itertools.cycle",
    "itertools.tee",
    "itertools.pairwise",
    "itertools.batched",
    "itertools.compress",
    "itertools.chain",
    "itertools.product",
    "itertools.permutations",
    "itertools.combinations",
    "itertools.zip_longest",
}
_REDUCING: Final = frozenset(f"builtins.{name}" for name in ("sorted", "min", "max", "sum", "any", "all"))
_FUNCTION_FIRST: Final = frozenset(
    ("builtins.filter", "itertools.filterfalse", "itertools.takewhile", "itertools.dropwhile", "itertools.starmap")
)


class Iterables:
    """Calls functions that make, take and reshape iterables."""

    def __init__(self, machine: Machine) -> None:
        self._m = machine
        self._handlers: dict[str, Handler] = {
            "builtins.map": lambda _name, arguments, frame, at: machine.iteration.mapped(arguments, frame, at),
            "builtins.next": self._next,
            "builtins.anext": self._next,
            "builtins.enumerate": self._zip,
            "builtins.zip": self._zip,
            "itertools.chain.from_iterable": self._flatten,
            "itertools.count": self._endless,
            "itertools.repeat": self._endless,
            **dict.fromkeys(_CONTAINERS, self._container),
            **dict.fromkeys(_REDUCING, self._reducing),
            **dict.fromkeys(_LAZY, self._lazy),
            **dict.fromkeys(_FUNCTION_FIRST, self._function_first),
        }

    def call(self, name: str, arguments: Arguments, frame: Frame, at: int) -> Value | None:
        """Return what a call gives, or None for functions that are not known here."""
        handler = self._handlers.get(name)
        return None if handler is None else handler(name, arguments, frame, at)

    def _container(self, name: str, arguments: Arguments, frame: Frame, at: int) -> Value:
        kind = _CONTAINERS[name]
        atom = self._m.collection(kind, frame, at)
        source = arguments.get(0) or NOTHING
        if name == "collections.defaultdict":
            made = self._m.calls.call(source, Arguments(), frame, at)
            self._m.write(atom.elements, made)
            source = arguments.get(1) or NOTHING
        for other in source:
            if type(other) is Collection and (kind != "dict" or other.kind == "dict"):
                self._copy(atom, other, frame)
        elements = self._m.iteration.unpack(source, frame, at, escapes=kind in ("list", "tuple"))
        if kind == "dict":
            self._pairs(atom, elements, frame)
            for key, value in arguments.keywords:
                self._m.collections.put(atom, key, value)
        else:
            self._m.write(atom.elements, elements)
        if kind in ("set", "frozenset"):
            atom.only_numbers = self._m.iteration.all_numbers(source)
        if kind == "list" and self._m.expressions.ignores_order and self._m.iteration.is_unordered(source):
            atom.is_ordered = True  # its consumer does not care, and has said so
        return frozenset((atom,))

    def _copy(self, atom: Collection, other: Collection, frame: Frame) -> None:
        for key, cell in list(other.items.items()):
            if atom.kind == "dict" or (other.kind in ("list", "tuple") and atom.kind in ("list", "tuple")):
                self._m.collections.put(atom, key, self._m.read(cell, frame))
        if atom.kind == "dict":
            self._m.write(atom.keys, self._m.read(other.keys, frame))
            self._m.write(atom.elements, self._m.read(other.elements, frame))

    def _pairs(self, atom: Collection, elements: Value, frame: Frame) -> None:
        for pair in elements:
            if type(pair) is Collection and pair.kind in ("tuple", "list"):
                key = self._m.collections.item(pair, self._m.constant(0), frame)
                value = self._m.collections.item(pair, self._m.constant(1), frame)
                self._m.collections.put_under(atom, key, value)

    def _reducing(self, name: str, arguments: Arguments, frame: Frame, at: int) -> Value:
        several = len(arguments.positional) > 1 and name in ("builtins.min", "builtins.max")
        elements = (
            union(arguments.positional)
            if several
            else self._m.iteration.exhaust(arguments.get(0, "iterable") or NOTHING, frame, at)
        )
        key = arguments.keyword("key")
        if key:
            self._m.calls.call(key, Arguments((elements,)), frame, at)
        if name == "builtins.sorted":
            atom = self._m.collection("list", frame, at)
            self._m.write(atom.elements, elements)
            return frozenset((atom,))
        return NOTHING if name in ("builtins.any", "builtins.all") else elements

    def _lazy(self, name: str, arguments: Arguments, frame: Frame, at: int) -> Value:
        if name == "builtins.iter" and len(arguments.positional) > 1:
            return self._m.iteration.lazily(
                name, [], self._m.calls.call(arguments.positional[0], Arguments(), frame, at), frame, at
            )
        sources = list(arguments.positional if name != "itertools.islice" else arguments.positional[:1])
        if name in ("builtins.iter", "builtins.aiter") and sources:
            kept = frozenset(atom for atom in sources[0] if type(atom) is Generator)
            if kept:
                return kept
        with self._lazily(name, frame, at):
            elements = union([self._m.iteration.exhaust(source, frame, at) for source in sources])
        made = self._m.iteration.lazily(name, sources, elements, frame, at)
        return made | self._m.instance("itertools.cycle()") if name == "itertools.cycle" else made

    def _lazily(self, name: str, frame: Frame, at: int) -> AbstractContextManager[None]:
        """Have what happens meanwhile happen when the iterator that is made here is iterated."""
        made = self._m.collection("iterator", frame, (at, name))
        return self._m.deferring(frame, self._m.iteration.made_lazy(made, "an iterator"))

    def _function_first(self, name: str, arguments: Arguments, frame: Frame, at: int) -> Value:
        source = arguments.get(1) or NOTHING
        with self._lazily(name, frame, at):
            elements = self._m.iteration.exhaust(source, frame, at)
            passed = Arguments((elements,))
            if name == "itertools.starmap":
                exact = self._m.collections.positions(elements, frame)
                inner = self._m.iteration.exhaust(elements, frame, at)
                passed = Arguments(more=inner, is_open=True) if exact is None else Arguments(tuple(exact))
                elements = NOTHING
            result = self._m.calls.call(arguments.get(0) or NOTHING, passed, frame, at)
        self._m.consume(result)
        return self._m.iteration.lazily(name, [source], elements or result, frame, at)

    def _zip(self, name: str, arguments: Arguments, frame: Frame, at: int) -> Value:
        sources = list(arguments.positional[:1] if name == "builtins.enumerate" else arguments.positional)
        unordered = any(self._m.iteration.is_unordered(source) for source in sources)
        if unordered and not self._m.expressions.ignores_order:
            self._m.iteration.order_escapes(frame, at, *sources)
        pair = self._m.collection("tuple", frame, (at, "pair"))
        shift = 1 if name == "builtins.enumerate" else 0
        for position, source in enumerate(sources):
            with self._lazily(name, frame, at):
                elements = self._m.iteration.exhaust(source, frame, at)
            self._m.collections.put(pair, position + shift, elements)
        return self._m.iteration.lazily(name, [], frozenset((pair,)), frame, at)

    def _endless(self, name: str, arguments: Arguments, _frame: Frame, _at: int) -> Value:
        return (
            NOTHING if len(arguments.positional) > 1 and name == "itertools.repeat" else self._m.instance(f"{name}()")
        )

    def _flatten(self, name: str, arguments: Arguments, frame: Frame, at: int) -> Value:
        outer = arguments.get(0) or NOTHING
        with self._lazily(name, frame, at):
            inner = self._m.iteration.exhaust(outer, frame, at)
            elements = self._m.iteration.exhaust(inner, frame, at)
        return self._m.iteration.lazily(name, [outer, inner], elements, frame, at)

    def _next(self, name: str, arguments: Arguments, frame: Frame, at: int) -> Value:
        source = arguments.get(0) or NOTHING
        result = arguments.get(1) or NOTHING
        for atom in source:
            if type(atom) is Object:
                method = "__anext__" if name == "builtins.anext" else "__next__"
                result |= self._m.calls.method(atom, method, (), frame, at)
        return result | self._m.iteration.unpack(source, frame, at, escapes=True)
