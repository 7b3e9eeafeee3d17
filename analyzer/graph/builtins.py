"""Functions of the standard library that matter to who calls whom: ``map``, ``getattr``, ``partial``, others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.graph.atoms import (
    Class,
    Instance,
    Method,
    Module,
    Namespace,
    Object,
    Partial,
    Super,
    Value,
    Wrapper,
    WrapperKind,
)
from analyzer.graph.definitions import suppressed
from analyzer.graph.frames import Frame, Leaf
from analyzer.graph.iterables import Handler, Iterables
from analyzer.graph.values import NOTHING, Arguments, exactly, texts, union

if TYPE_CHECKING:
    from analyzer.graph.machine import Machine

IDENTITY: Final = "TRG302"
"""The code of identities that differ between processes."""

_WRAPPERS: Final[dict[str, WrapperKind]] = {
    "builtins.property": "property",
    "builtins.classmethod": "classmethod",
    "builtins.staticmethod": "staticmethod",
    "abc.abstractproperty": "property",
    "functools.cached_property": "cached_property",
    "django.utils.functional.cached_property": "cached_property",
    "werkzeug.utils.cached_property": "cached_property",
    "cached_property.cached_property": "cached_property",
    "contextlib.contextmanager": "contextmanager",
    "contextlib.asynccontextmanager": "contextmanager",
}
_DUNDERS: Final = {
    f"builtins.{name}": (f"__{name}__",)
    for name in ("repr", "len", "bool", "int", "float", "abs", "round", "bytes", "dir", "complex", "hash")
} | {"builtins.str": ("__str__", "__repr__"), "builtins.format": ("__format__",), "builtins.print": ("__str__",)}
_METHOD_CALLER: Final = "(method caller)"
_ATTRIBUTE_GETTER: Final = "(attribute getter)"
"""What functions made by ``operator`` are called here."""

_SILENT: Final = frozenset(
    f"builtins.{name}"
    for name in (
        "isinstance",
        "issubclass",
        "callable",
        "hasattr",
        "chr",
        "ord",
        "divmod",
        "pow",
        "range",
        "slice",
        "vars",
    )
)
_AWAITING: Final = frozenset(
    (
        "asyncio.create_task",
        "asyncio.ensure_future",
        "asyncio.shield",
        "asyncio.wait_for",
        "asyncio.TaskGroup.create_task",
        "asyncio.AbstractEventLoop.create_task",
        "asyncio.tasks.create_task",
    )
)
_SAME: Final = frozenset(
    (
        *("copy.copy", "copy.deepcopy", "copy.replace", "typing.cast", "inspect.unwrap", "types.coroutine"),
        *("dataclasses.replace", "attr.evolve", "attrs.evolve", "msgspec.structs.replace"),
    )
)


class Builtins:
    """Calls functions of the standard library that pass values on."""

    def __init__(self, machine: Machine) -> None:
        self._m = machine
        self._iterables = Iterables(machine)
        self._handlers: dict[str, Handler] = {
            "builtins.getattr": self._getattr,
            "builtins.setattr": self._setattr,
            "builtins.super": self._super,
            "builtins.type": self._type,
            "builtins.id": self._identity,
            "builtins.__import__": self._import,
            "builtins.globals": lambda *_: NOTHING,
            "importlib.import_module": self._import,
            "functools.partial": self._partial,
            "functools.partialmethod": self._partial_method,
            "operator.methodcaller": self._method_caller,
            "operator.attrgetter": self._attribute_getter,
            _METHOD_CALLER: self._call_method,
            _ATTRIBUTE_GETTER: self._get_attribute,
            "functools.reduce": self._reduce,
            "functools.singledispatch": machine.dispatch.declare,
            "functools.singledispatchmethod": machine.dispatch.declare,
            "asyncio.gather": self._gather,
            "asyncio.wait": self._wait,
            "asyncio.as_completed": self._as_completed,
            "contextlib.closing": machine.entering.closing,
            "contextlib.nullcontext": self._first,
            "contextlib.aclosing": machine.entering.closing,
            "contextlib.ExitStack.enter_context": machine.entering.on_stack,
            "contextlib.AsyncExitStack.enter_context": machine.entering.on_stack,
            "contextlib.AsyncExitStack.enter_async_context": machine.entering.on_stack,
            "contextlib.ExitStack.callback": self._callback,
            "contextlib.AsyncExitStack.callback": self._callback,
            "contextlib.AsyncExitStack.push_async_callback": self._callback,
            "contextlib.suppress": lambda _name, arguments, _frame, _at: machine.instance(suppressed(arguments)),
            "re.sub": self._replace,
            "types.SimpleNamespace": self._namespace,
            "argparse.Namespace": self._namespace,
        }

    def call(self, name: str, arguments: Arguments, frame: Frame, at: int) -> Value | None:
        """Return what a call gives, or None for functions that are not known here."""
        handler = self._handlers.get(name)
        if handler is not None:
            return handler(name, arguments, frame, at)
        dumped = self._m.orders.dumped(name, arguments)
        if dumped is not None:
            return dumped
        if name in _WRAPPERS:
            return self._wrap(_WRAPPERS[name], arguments)
        if name in _DUNDERS:
            return self._dunder(name, arguments, frame, at)
        if name in _AWAITING:
            return self._awaiting(name, arguments, frame, at)
        if name in _SAME:
            return union(arguments.positional) if name != "typing.cast" else self._cast(arguments, frame)
        return NOTHING if name in _SILENT else self._iterables.call(name, arguments, frame, at)

    # --- attributes and types -----------------------------------------------------------------------------------------

    def _getattr(self, _name: str, arguments: Arguments, frame: Frame, at: int) -> Value:
        result = arguments.get(2) or NOTHING
        for text in texts(arguments.get(1) or NOTHING):
            result |= self._m.attributes.load(arguments.get(0) or NOTHING, text, frame, at)
        return result

    def _setattr(self, _name: str, arguments: Arguments, frame: Frame, at: int) -> Value:
        owner, names = arguments.get(0) or NOTHING, arguments.get(1) or NOTHING
        for text in texts(names):
            self._m.attributes.store(owner, text, arguments.get(2) or NOTHING, frame, at)
        if not texts(names):
            self._m.attributes.unsettle(owner)
        return NOTHING

    def _super(self, _name: str, arguments: Arguments, _frame: Frame, _at: int) -> Value:
        result = NOTHING
        for cls in arguments.get(0) or NOTHING:
            if type(cls) is Class:
                result |= self.supers(cls, arguments.get(1) or NOTHING)
        return result

    def supers(self, cls: Class, receivers: Value) -> Value:
        """Return ``super(cls, receiver)``."""
        return frozenset(
            self._m.make(("super", cls, receiver), lambda receiver=receiver: Super(cls, receiver))  # type: ignore[misc]
            for receiver in receivers
            if type(receiver) is Object or type(receiver) is Class
        )

    def _type(self, _name: str, arguments: Arguments, _frame: Frame, _at: int) -> Value:
        result = NOTHING
        for atom in arguments.get(0) or NOTHING:
            if type(atom) is Object:
                result |= {atom.cls}
            elif type(atom) is Instance:
                result |= self._m.external(atom.type)
        return result

    def _namespace(self, _name: str, arguments: Arguments, frame: Frame, at: int) -> Value:
        maker = frame.leader
        atom = self._m.make(("namespace", maker, at), lambda: Namespace(maker))
        for name, value in arguments.keywords:
            self._m.write(self._m.cell(atom.fields, name), value)
        return frozenset((atom,))

    def _cast(self, arguments: Arguments, frame: Frame) -> Value:
        value = arguments.get(1) or NOTHING
        if value:
            return value
        result = NOTHING
        for atom in arguments.get(0) or NOTHING:
            if type(atom) is Class:
                result |= frozenset((self._m.classes.any_instance(atom, frame),))
            elif hasattr(atom, "name") and not isinstance(atom, Method):
                result |= self._m.instance(self._m.catalogue.canonical(str(atom.name)))
        return result

    def _import(self, _name: str, arguments: Arguments, _frame: Frame, _at: int) -> Value:
        result = NOTHING
        for text in texts(arguments.get(0) or NOTHING):
            state = self._m.module(text)
            if state is not None:
                result |= self._m.make(("module", state), lambda state=state: frozenset((Module(state),)))  # type: ignore[misc]
            elif text and not text.startswith("."):
                result |= self._m.external(text)
        return result

    def _dunder(self, name: str, arguments: Arguments, frame: Frame, at: int) -> Value:
        for value in arguments.positional:
            for atom in value:
                if type(atom) is Object:
                    for method in _DUNDERS[name]:
                        if self._m.classes.find(atom.cls, method) is not None:
                            self._m.calls.method(atom, method, (), frame, at)
                            break
        hashed = arguments.get(0) or NOTHING
        if name == "builtins.hash" and not (
            self._m.iteration.is_number(hashed) or any(type(atom) is Object for atom in hashed)
        ):
            self._m.happens(frame, at, Leaf(IDENTITY, "hash"))
        if name in ("builtins.str", "builtins.repr", "builtins.format"):
            return self._m.orders.text_of(arguments.positional[:1])
        return self._m.instance(name) if name in ("builtins.int", "builtins.float", "builtins.len") else NOTHING

    def _identity(self, _name: str, _arguments: Arguments, frame: Frame, at: int) -> Value:
        self._m.happens(frame, at, Leaf(IDENTITY, "id"))
        return NOTHING

    # --- functions of functions ---------------------------------------------------------------------------------------

    def _wrap(self, kind: WrapperKind, arguments: Arguments) -> Value:
        function = arguments.get(0, "fget") or NOTHING
        return self._m.make(("wrapper", kind, function), lambda: frozenset((Wrapper(kind, function),)))

    def _partial(self, _name: str, arguments: Arguments, _frame: Frame, _at: int) -> Value:
        function, rest = arguments.get(0) or NOTHING, arguments.after(1)
        return self._m.make(("partial", function, rest), lambda: exactly(Partial(function, rest)))

    def _partial_method(self, name: str, arguments: Arguments, frame: Frame, at: int) -> Value:
        made = self._partial(name, arguments, frame, at)
        return self._m.make(("wrapper", made), lambda: frozenset((Wrapper("partialmethod", made),)))

    def _method_caller(self, _name: str, arguments: Arguments, frame: Frame, at: int) -> Value:
        return self._partial("", arguments.before(self._m.external(_METHOD_CALLER)), frame, at)

    def _call_method(self, _name: str, arguments: Arguments, frame: Frame, at: int) -> Value:
        """Call a method of the last argument: the first is its name."""
        name, *passed = arguments.positional
        owner = passed.pop() if passed else NOTHING
        method = union([self._m.attributes.load(owner, text, frame, at) for text in texts(name)])
        return self._m.calls.call(method, Arguments(tuple(passed), arguments.keywords), frame, at)

    def _attribute_getter(self, _name: str, arguments: Arguments, frame: Frame, at: int) -> Value:
        return self._partial("", arguments.before(self._m.external(_ATTRIBUTE_GETTER)), frame, at)

    def _get_attribute(self, _name: str, arguments: Arguments, frame: Frame, at: int) -> Value:
        """Return attributes of the last argument: those before are their dotted names."""
        *names, owner = arguments.positional
        result = NOTHING
        for text in [text for name in names for text in texts(name)]:
            found = owner
            for part in text.split("."):
                found = self._m.attributes.load(found, part, frame, at)
            result |= found
        return result

    def _reduce(self, _name: str, arguments: Arguments, frame: Frame, at: int) -> Value:
        elements = self._m.iteration.unpack(arguments.get(1) or NOTHING, frame, at, escapes=True)
        start = (arguments.get(2) or NOTHING) | elements
        return self._m.calls.call(arguments.get(0) or NOTHING, Arguments((start, elements)), frame, at) | start

    def _replace(self, _name: str, arguments: Arguments, frame: Frame, at: int) -> Value:
        self._m.calls.call(arguments.get(1, "repl") or NOTHING, Arguments((NOTHING,)), frame, at)
        return self._m.instance("builtins.str")

    def _callback(self, _name: str, arguments: Arguments, frame: Frame, at: int) -> Value:
        self._m.calls.call(arguments.get(0) or NOTHING, arguments.after(1), frame, at)
        return arguments.get(0) or NOTHING

    def _first(self, _name: str, arguments: Arguments, _frame: Frame, _at: int) -> Value:
        return arguments.positional[0] if arguments.positional else NOTHING

    # --- asyncio ------------------------------------------------------------------------------------------------------

    def _gather(self, _name: str, arguments: Arguments, frame: Frame, at: int) -> Value:
        self._m.consume(arguments.all())
        results = [self._m.expressions.awaited(value, frame, at) for value in arguments.positional]
        atom = self._m.collection("list", frame, (at, "gathered"))
        for position, value in enumerate(results):
            self._m.collections.put(atom, position, value)
        self._m.write(atom.elements, self._m.expressions.awaited(arguments.more, frame, at))
        gathered = self._m.calls.awaitable("gathered", frozenset((atom,)), frame, at, "asyncio.gather")
        return frozenset((gathered,))

    def _awaiting(self, name: str, arguments: Arguments, frame: Frame, at: int) -> Value:
        self._m.consume(arguments.all())
        result = self._m.expressions.awaited(arguments.get(0, "coro") or NOTHING, frame, at)
        return frozenset((self._m.calls.awaitable("gathered", result, frame, at, name),))

    def _wait(self, name: str, arguments: Arguments, frame: Frame, at: int) -> Value:
        """Evaluate ``asyncio.wait``: two sets of tasks, whose order differs between processes."""
        self._m.consume(arguments.all())
        given = self._m.iteration.exhaust(arguments.get(0, "fs") or NOTHING, frame, at)
        pair = self._m.collection("tuple", frame, (at, "waited"))
        for position, part in enumerate(("done", "pending")):
            tasks = self._m.collection("set", frame, (at, part))
            self._m.write(tasks.elements, given)
            self._m.collections.put(pair, position, frozenset((tasks,)))
        return frozenset((self._m.calls.awaitable("gathered", frozenset((pair,)), frame, at, name),))

    def _as_completed(self, name: str, arguments: Arguments, frame: Frame, at: int) -> Value:
        self._m.consume(arguments.all())
        elements = self._m.iteration.exhaust(arguments.get(0) or NOTHING, frame, at)
        return self._m.iteration.lazily(name, [], elements, frame, at)
