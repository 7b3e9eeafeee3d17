"""Atoms: the things that a variable may hold. Compared by identity; the machine makes each once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from analyzer.facts.module import ClassFacts, FunctionFacts
    from analyzer.graph.frames import Frame, Leaf, ModuleState
    from analyzer.graph.heap import Cell
    from analyzer.graph.values import Arguments


class Atom:
    """One thing that a variable may hold.

    Attributes:
        place: what tells it from others, for an order that is the same in each process; unset until it is asked for.
    """

    __slots__ = ("place",)

    place: tuple[str, ...]


Value = frozenset[Atom]
"""What is known to be possible."""

Plain = str | int | bool | None
"""What a literal stands for."""


class Constant(Atom):
    """A literal text, whole number, True, False or None."""

    __slots__ = ("value",)

    def __init__(self, value: Plain) -> None:
        self.value = value


class External(Atom):
    """Something of a library, by qualified name: a module, function, class, or what is reached from an instance.

    Attributes:
        name: the qualified name.
        of: for a method, the project's class that it gives instances of: ``Order.objects.get``.
    """

    __slots__ = ("name", "of")

    def __init__(self, name: str, of: Class | None = None) -> None:
        self.name = name
        self.of = of


class Instance(Atom):
    """An instance of a library's type.

    Attributes:
        type: the type's qualified name.
        of: the project's class that it gives instances of: of a query, of a manager.
        shows_order: it is a text in which the elements of a set stand in the order in which they came.
    """

    __slots__ = ("of", "shows_order", "type")

    def __init__(self, type_name: str, of: Class | None = None, *, shows_order: bool = False) -> None:
        self.type = type_name
        self.of = of
        self.shows_order = shows_order


class Imported(Atom):
    """A name that is to be looked up in a module of the project when it is read."""

    __slots__ = ("module", "name")

    def __init__(self, module: ModuleState, name: str) -> None:
        self.module = module
        self.name = name


class Star(Atom):
    """``from module import *``: what follows from it is told when a name is looked up.

    Attributes:
        state: the project's module; None for a library.
        name: its dotted name.
        before: the star imports before this one.
    """

    __slots__ = ("before", "name", "state")

    def __init__(self, state: ModuleState | None, name: str, before: Value) -> None:
        self.state = state
        self.name = name
        self.before = before


class Module(Atom):
    """A module of the project."""

    __slots__ = ("state",)

    def __init__(self, state: ModuleState) -> None:
        self.state = state


class Function(Atom):
    """A function of the project with the frame whose variables it sees.

    Attributes:
        facts: the function.
        home: the module it stands in.
        parent: the frame around its definition, None at the top of a module.
        owner: the class whose body it is defined in, for ``super()``.
        defaults: what its parameters' defaults are, by name.
        is_given_more: a library's decorator may pass more to it than is written.
    """

    __slots__ = ("defaults", "facts", "home", "is_given_more", "owner", "parent")

    def __init__(self, facts: FunctionFacts, home: ModuleState, parent: Frame | None) -> None:
        self.facts = facts
        self.home = home
        self.parent = parent
        self.owner: Class | None = None
        self.defaults: dict[str, Value] = {}
        self.is_given_more = False


class Bound(Atom):
    """Something callable with its first argument."""

    __slots__ = ("function", "receiver")

    def __init__(self, function: Atom, receiver: Atom) -> None:
        self.function = function
        self.receiver = receiver


class Class(Atom):
    """A class of the project.

    Attributes:
        facts: the class.
        home: the module it stands in.
        frame: the frame of its body.
        bases: what its bases are, in their order.
        flavour: ``fields`` when instances are made from annotated fields: dataclasses, pydantic, attrs, msgspec.
        order: the classes in which an attribute is looked up, itself first.
        order_of: the bases that ``order`` was found for.
    """

    __slots__ = ("bases", "facts", "flavour", "frame", "home", "order", "order_of")

    def __init__(self, facts: ClassFacts, home: ModuleState, frame: Frame) -> None:
        self.facts = facts
        self.home = home
        self.frame = frame
        self.bases: tuple[Value, ...] = ()
        self.flavour: Literal["plain", "fields"] = "plain"
        self.order: tuple[Class | External, ...] = ()
        self.order_of: tuple[Value, ...] | None = None


class Object(Atom):
    """An instance of a project's class, by where it is made.

    Attributes:
        cls: its class.
        frame: the frame that makes it, None for "any instance".
        depth: how many objects made one another down to this one.
        parameter: for the stand-in of plain arguments, the parameter that holds it.
        is_new: for such a stand-in, whether none of its attributes is set before the function does.
        member: for a member of an enumeration, its name.
        fields: what its attributes hold.
    """

    __slots__ = ("cls", "depth", "fields", "frame", "is_new", "member", "parameter")

    def __init__(self, cls: Class, frame: Frame | None, depth: int = 0) -> None:
        self.depth = depth
        self.parameter = ""
        self.is_new = False
        self.member = ""
        self.cls = cls
        self.frame = frame
        self.fields: dict[str, Cell] = {}


Key = Plain | Object
"""A constant or a member of an enumeration: index of a tuple, key of a dict."""

CollectionKind = Literal["list", "tuple", "set", "dict", "frozenset", "iterator"]


class Collection(Atom):
    """A list, tuple, set, dict or iterator, by where it is made.

    Attributes:
        kind: which of them.
        frame: the frame that makes it.
        elements: what it holds where the index is not known; a dict's values.
        keys: a dict's keys.
        items: what it holds under constant keys and indices.
        version: counts up when an item holds more.
        whole: what all items held together when that was last asked for, with the state that this is true of.
        is_ordered: False for what iterates in an order that differs between processes.
        parameter: for the stand-in of plain arguments, the parameter that holds it.
        only_numbers: a set of which only whole numbers are known to be in it, which iterates alike everywhere.
        is_view: keys or items of a dict: ``&``, ``|``, ``-`` and ``^`` make a set of them.
        lazy: for what computes its elements when it is iterated, what that is, for people: ``a generator``.
        effects: what happens when it is iterated.
    """

    __slots__ = (
        "effects",
        "elements",
        "frame",
        "is_ordered",
        "is_view",
        "items",
        "keys",
        "kind",
        "lazy",
        "only_numbers",
        "parameter",
        "version",
        "whole",
    )

    def __init__(self, kind: CollectionKind, frame: Frame | None, elements: Cell, keys: Cell) -> None:
        self.kind = kind
        self.frame = frame
        self.elements = elements
        self.keys = keys
        self.items: dict[Key, Cell] = {}
        self.version = 0
        self.whole: tuple[tuple[int, int], Value] | None = None
        self.parameter = ""
        self.is_ordered = kind not in ("set", "frozenset")
        self.only_numbers = False
        self.is_view = False
        self.lazy = ""
        self.effects: Cell | None = None


class Partial(Atom):
    """``functools.partial(function, ...)``."""

    __slots__ = ("arguments", "function")

    def __init__(self, function: Value, arguments: Arguments) -> None:
        self.function = function
        self.arguments = arguments


class Dispatcher(Atom):
    """A function that is chosen by the type of an argument.

    Attributes:
        function: what is called when no other fits.
        position: which argument decides.
        home: the module it stands in.
        cases: by type, what is called for it.
        all: everything that is registered.
    """

    __slots__ = ("all", "cases", "function", "home", "position")

    def __init__(self, function: Value, position: int, home: ModuleState, everything: Cell) -> None:
        self.function = function
        self.position = position
        self.home = home
        self.cases: dict[str | Class, Cell] = {}
        self.all = everything


class Namespace(Atom):
    """A ``types.SimpleNamespace``, by where it is made: nothing but attributes."""

    __slots__ = ("fields", "frame")

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.fields: dict[str, Cell] = {}


class Deferred(Atom):
    """An effect that happens when something is iterated.

    Attributes:
        frame: where the generator expression or ``map`` is written.
        at: the call in it that has the effect.
        leaf: the effect.
        callee: the called frame that has it, None when it happens right there.
    """

    __slots__ = ("at", "callee", "frame", "leaf")

    def __init__(self, frame: Frame, at: int, leaf: Leaf, callee: Frame | None) -> None:
        self.frame = frame
        self.at = at
        self.leaf = leaf
        self.callee = callee


class Registration(Atom):
    """``function.register(type)``: registers what it is put on."""

    __slots__ = ("dispatcher", "types")

    def __init__(self, dispatcher: Dispatcher, types: Value) -> None:
        self.dispatcher = dispatcher
        self.types = types


AwaitableKind = Literal["durable", "coroutine", "gathered"]


class Awaitable(Atom):
    """What an async function or a durable call gives before it is awaited.

    Attributes:
        kind: ``durable``: of a task or wait in an async body; ``coroutine``: of an async function of the project;
            ``gathered``: of ``asyncio.gather`` and its kin.
        result: what awaiting it gives.
        at: the call.
        frame: the frame that made the call.
        what: what was called, for people.
        callee: the frame of a coroutine.
    """

    __slots__ = ("at", "callee", "frame", "kind", "result", "what")

    def __init__(
        self, kind: AwaitableKind, result: Cell, at: int, frame: Frame, what: str, callee: Frame | None
    ) -> None:
        self.callee = callee
        self.kind = kind
        self.result = result
        self.at = at
        self.frame = frame
        self.what = what


class Generator(Atom):
    """A generator of the project: its effects happen when it is iterated."""

    __slots__ = ("frame", "is_manager")

    def __init__(self, frame: Frame, *, is_manager: bool) -> None:
        self.frame = frame
        self.is_manager = is_manager


class Super(Atom):
    """``super()``: the classes after ``cls`` in the order of the receiver."""

    __slots__ = ("cls", "receiver")

    def __init__(self, cls: Class, receiver: Atom) -> None:
        self.cls = cls
        self.receiver = receiver


class Method(Atom):
    """A method of a collection, text or other builtin, bound to it."""

    __slots__ = ("name", "receiver")

    def __init__(self, receiver: Atom, name: str) -> None:
        self.receiver = receiver
        self.name = name


class Around(Atom):
    """A function that a context manager was put on: it is entered and left with each call."""

    __slots__ = ("function", "manager")

    def __init__(self, manager: Atom, function: Value) -> None:
        self.manager = manager
        self.function = function


WrapperKind = Literal["property", "cached_property", "classmethod", "staticmethod", "contextmanager", "partialmethod"]


class Wrapper(Atom):
    """A function under a decorator that changes how it is reached or what a call gives."""

    __slots__ = ("function", "kind")

    def __init__(self, kind: WrapperKind, function: Value) -> None:
        self.kind = kind
        self.function = function
