"""Calls: who is called, with what, and what comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from analyzer.facts import tree
from analyzer.graph.atoms import (
    Around,
    Atom,
    Awaitable,
    AwaitableKind,
    Bound,
    Class,
    Collection,
    Dispatcher,
    External,
    Function,
    Generator,
    Instance,
    Method,
    Object,
    Partial,
    Registration,
    Value,
    Wrapper,
)
from analyzer.graph.crossing import MOST_APART
from analyzer.graph.declared import Job, JobDecorator, Task, TaskDecorator
from analyzer.graph.frames import Frame
from analyzer.graph.heap import Cell
from analyzer.graph.values import NOTHING, Arguments, exactly, in_order, inexact, is_none, union

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.facts.module import Parameter
    from analyzer.graph.machine import Machine

MOST_CALLED_ON_IMPORT: Final = 8
"""Functions that one call on import may be of; effects do not count then, and what the rest returns is left out."""

_NEUTRAL: Final = frozenset(
    f"builtins.{name}" for name in ("sorted", "set", "frozenset", "sum", "min", "max", "any", "all", "len")
) | {"collections.Counter", "math.fsum", "statistics.mean"}
"""Functions whose result does not depend on the order of what they are given."""


class Calls:
    """Evaluates calls."""

    def __init__(self, machine: Machine) -> None:
        self._m = machine
        self._callers: dict[type[Atom], Callable[[Any, Arguments, Frame, int, bool], Value]] = {
            Function: self._function,
            External: self._external,
            Instance: self._instance,
            Class: lambda atom, arguments, frame, at, _task: machine.classes.construct(atom, arguments, frame, at),
            Object: self._object,
            Partial: self._partial,
            Method: self._method_atom,
            Task: lambda atom, arguments, frame, at, _task: machine.durables.call_task(atom, arguments, frame, at),
            Job: lambda atom, arguments, frame, at, task: machine.durables.call_job(atom, frame, at),
            Wrapper: self._wrapper,
            JobDecorator: lambda atom, arguments, _frame, _at, _task: machine.durables.declare_job(atom, arguments),
            Dispatcher: machine.dispatch.call,
            Around: machine.entering.call_around,
            Generator: self._manager,
            Registration: lambda atom, arguments, _frame, _at, _task: machine.dispatch.register(
                atom.dispatcher, atom.types, arguments.get(0) or NOTHING
            ),
            TaskDecorator: lambda atom, arguments, _frame, _at, _task: machine.durables.declare_task(atom, arguments),
        }

    # --- the call in the text -----------------------------------------------------------------------------------------

    def evaluate(self, node: tree.Call, frame: Frame) -> Value:
        """Evaluate a call as it is written."""
        function = self._m.expressions.evaluate(node.function, frame)
        expressions = self._m.expressions
        outer = expressions.ignores_order
        expressions.ignores_order = _is_neutral(function)
        try:
            arguments = self._arguments(node, frame)
        finally:
            expressions.ignores_order = outer
        if type(node.function) is tree.Attribute:
            self._m.collections.touch_global(node.function, function, frame)
        if not function:
            # Who is called is not known: what is passed is in good hands, and a function may come back wrapped.
            return self._unknown(arguments, frame, node.at)
        result = self.call(function, arguments, frame, node.at)
        if type(node.function) is tree.Name and node.function.id == "super" and not node.args:
            return self._super(frame) | result
        if frame.is_job:
            frame.results[node.at] = result
        return result

    def _arguments(self, node: tree.Call, frame: Frame) -> Arguments:
        evaluate = self._m.expressions.evaluate
        if not _has_stars(node):
            if not node.keywords:
                return Arguments(tuple([evaluate(arg, frame) for arg in node.args]))
            return Arguments(
                tuple([evaluate(arg, frame) for arg in node.args]),
                tuple([(name or "", evaluate(value, frame)) for name, value in node.keywords]),
            )
        return self._spread(node, frame)

    def _spread(self, node: tree.Call, frame: Frame) -> Arguments:
        """Evaluate arguments among which there are some with stars."""
        evaluate = self._m.expressions.evaluate
        positional: list[Value] = []
        more, named, is_open = NOTHING, NOTHING, False
        for arg in node.args:
            if type(arg) is not tree.Starred:
                value = evaluate(arg, frame)
                if is_open:
                    more |= value
                else:
                    positional.append(value)
                continue
            inner = evaluate(arg.value, frame)
            exact = self._m.collections.positions(inner, frame)
            if exact is not None and not is_open:
                positional += exact
            else:
                more |= self._m.iteration.unpack(inner, frame, node.at, escapes=True)
                is_open = True
        keywords: list[tuple[str, Value]] = []
        for name, value_node in node.keywords:
            value = evaluate(value_node, frame)
            if name:
                keywords.append((name, value))
                continue
            for atom in value:
                if type(atom) is Collection:
                    keywords += [
                        (key, self._m.read(cell, frame)) for key, cell in atom.items.items() if type(key) is str
                    ]
                    named |= self._m.read(atom.elements, frame)
            is_open = is_open or not value or bool(named)
        return Arguments(tuple(positional), tuple(keywords), more, named, is_open)

    def _super(self, frame: Frame) -> Value:
        around: Frame | None = frame
        while around is not None and (around.function is None or around.function.owner is None):
            around = around.parent
        if around is None or around.function is None or around.function.owner is None:
            return NOTHING
        parameters = around.function.facts.parameters
        if not parameters:
            return NOTHING
        receivers = around.env.get(parameters[0].name, around.parameters.get(parameters[0].name, NOTHING))
        return self._m.builtins.supers(around.function.owner, receivers)

    # --- calling values -----------------------------------------------------------------------------------------------

    def call(self, function: Value, arguments: Arguments, frame: Frame, at: int, *, in_task: bool = False) -> Value:
        """Call whatever a value may be. In a task nothing but nested durable calls is noted."""
        if len(function) == 1:
            (atom,) = function
            if type(atom) is Bound:
                passed = arguments.before(exactly(atom.receiver))
                return self.call(frozenset((atom.function,)), passed, frame, at, in_task=in_task)
            caller = self._callers.get(type(atom))
            return NOTHING if caller is None else caller(atom, arguments, frame, at, in_task)
        if len(function) > MOST_APART and frame.era == "run" and not frame.entry and not in_task:
            return self._m.crossings.call(function, arguments, frame, at)
        return self.each(function, arguments, frame, at, in_task=in_task)

    def each(self, function: Value, arguments: Arguments, frame: Frame, at: int, *, in_task: bool = False) -> Value:
        """Call all that a value may be, one after the other; a method once for all that it is bound to."""
        result = NOTHING
        receivers: dict[Atom, list[Atom]] = {}
        called = in_order(function)
        if frame.era == "import" and len(function) > MOST_CALLED_ON_IMPORT:
            called = list(called)[:MOST_CALLED_ON_IMPORT]
        for atom in called:
            if type(atom) is Bound:
                receivers.setdefault(atom.function, []).append(atom.receiver)
                continue
            caller = self._callers.get(type(atom))
            if caller is not None:
                result |= caller(atom, arguments, frame, at, in_task)
        for method, bound in receivers.items():
            passed = arguments.before(exactly(*bound))
            result |= self.call(frozenset((method,)), passed, frame, at, in_task=in_task)
        return result

    def method(
        self, atom: Object, name: str, positional: tuple[Value, ...], frame: Frame, at: int, alike: Value = NOTHING
    ) -> Value:
        """Call a method of an instance by name; a class that has none is silent.

        Args:
            atom: the instance.
            name: the method.
            positional: what is passed.
            frame: where.
            at: the call.
            alike: very many instances of the class, whose method is called for all of them.
        """
        if self._m.classes.find(atom.cls, name) is None and all(
            type(base) is Class for base in self._m.classes.order(atom.cls)
        ):
            return NOTHING
        function = self._m.attributes.of_object(atom, name, frame, at)
        if not alike:
            return self.call(function, Arguments(positional), frame, at)
        methods = frozenset(each.function for each in function if type(each) is Bound and each.receiver is atom)
        others = frozenset(each for each in function if type(each) is not Bound or each.receiver is not atom)
        result = self.call(methods, Arguments((alike, *positional)), frame, at)
        return result | self.call(others, Arguments(positional), frame, at) if others else result

    def truth(self, atom: Object, frame: Frame, at: int, alike: Value = NOTHING) -> None:
        """Evaluate ``bool(instance)``."""
        for name in ("__bool__", "__len__"):
            if self._m.classes.find(atom.cls, name) is not None:
                self.method(atom, name, (), frame, at, alike)
                return

    def _function(self, atom: Function, arguments: Arguments, frame: Frame, at: int, in_task: bool) -> Value:
        passed = self.bind(atom, arguments)
        callee = self._m.function_frame(atom, passed, frame, in_task=in_task)
        if callee.mutations and frame.era == "run":
            self._m.plain.give_back(callee, passed, frame, at, in_task=in_task)
        if atom.facts.is_generator:
            return self._m.make(
                ("generator", callee, in_task), lambda: frozenset((Generator(callee, is_manager=False),))
            )
        if in_task:
            self._m.task_calls.setdefault((frame, at, callee), atom.facts.qualname)
        else:
            self._m.passes_on(frame, at, callee)
        returned = self.returned(atom, callee, frame)
        if not atom.facts.is_async:
            return returned
        return frozenset((self.awaitable("coroutine", returned, frame, at, atom.facts.qualname, callee),))

    def returned(self, function: Function, callee: Frame, frame: Frame) -> Value:
        """Return what a call gave; when the body does not tell, what the function says of itself."""
        if callee.is_running or not callee.is_done or not is_none(callee.returns):
            return callee.returns
        return callee.returns | self._declared(function, frame)

    def yielded(self, callee: Frame, frame: Frame) -> Value:
        """Return what a generator yields; when the body does not tell, what the function says of itself."""
        if callee.is_running or not callee.is_done or callee.function is None or not is_none(callee.yields):
            return callee.yields
        declared = self._declared(callee.function, frame)
        return callee.yields | union(
            self._m.collections.all(atom, frame) for atom in declared if type(atom) is Collection
        )

    def _declared(self, function: Function, frame: Frame) -> Value:
        if function.facts.returns is None:
            return NOTHING
        scope = function.owner.frame if function.owner is not None else function.parent
        if scope is None:
            scope = self._m.module_frame(function.home, frame)
        return self._m.annotations.instances(function.facts.returns, scope, frame)

    def awaitable(
        self, kind: AwaitableKind, result: Value, frame: Frame, at: int, what: str, callee: Frame | None = None
    ) -> Awaitable:
        """Return what a call gives that is to be awaited."""

        def build() -> Awaitable:
            atom = Awaitable(kind, Cell(), at, frame, what, callee)
            self._m.awaitables.append(atom)
            return atom

        atom = self._m.make(("awaitable", kind, frame, at, callee), build)
        self._m.write(atom.result, result)
        return atom

    def _external(self, atom: External, arguments: Arguments, frame: Frame, at: int, in_task: bool) -> Value:
        handled = self._m.durables.call_sdk(atom.name, arguments, frame, at)
        if handled is None:
            handled = self._m.builtins.call(atom.name, arguments, frame, at)
        if handled is not None:
            return handled
        passed = self._unknown(arguments, frame, at, in_task=in_task)
        if atom.name == "functools.wraps":
            return NOTHING  # a decorator that gives back what it is put on, not what it is given here
        libraries = self._m.libraries
        answer = (libraries.gives if in_task else libraries.call)(atom.name, arguments, frame, at, atom.of)
        return passed | answer if passed else answer

    def _unknown(self, arguments: Arguments, frame: Frame, at: int, *, in_task: bool = False) -> Value:
        """Pass arguments to something that is not the project's: generators are used up, a function comes back."""
        everything = arguments.all()
        self._m.consume(everything)
        lazy = () if in_task else [atom for atom in everything if _is_lazy(atom)]
        if lazy:
            self._m.iteration.exhaust(frozenset(lazy), frame, at)
        first = arguments.positional[0] if arguments.positional else NOTHING
        is_alone = len(arguments.positional) == 1
        return frozenset(
            atom
            for atom in first
            if isinstance(atom, Function | Bound | Partial)
            or (is_alone and type(atom) is External and self._m.libraries.has_effect(atom.name))
        )

    def _instance(self, atom: Instance, arguments: Arguments, frame: Frame, at: int, in_task: bool) -> Value:
        self._m.consume(arguments.all())
        return NOTHING if in_task else self._m.libraries.call(f"{atom.type}.__call__", arguments, frame, at)

    def _manager(self, atom: Generator, arguments: Arguments, _frame: Frame, _at: int, _in_task: bool) -> Value:
        return self._m.entering.put_on(atom, arguments) if atom.is_manager else NOTHING

    def _object(self, atom: Object, arguments: Arguments, frame: Frame, at: int, in_task: bool) -> Value:
        if self._m.entering.decorates(atom):
            return self._m.entering.put_on(atom, arguments)
        found = self._m.attributes.of_object(atom, "__call__", frame, at)
        return self.call(found, arguments, frame, at, in_task=in_task)

    def _partial(self, atom: Partial, arguments: Arguments, frame: Frame, at: int, in_task: bool) -> Value:
        return self.call(atom.function, atom.arguments.joined(arguments), frame, at, in_task=in_task)

    def _method_atom(self, atom: Method, arguments: Arguments, frame: Frame, at: int, in_task: bool) -> Value:
        if type(atom.receiver) is Dispatcher:
            return self._m.dispatch.call_method(atom.receiver, atom.name, arguments, frame)
        if type(atom.receiver) is Job:
            return self._m.durables.call_job_method(atom.receiver, atom.name, arguments, frame, at)
        return self._m.collections.call(atom, arguments, frame, at)

    def _wrapper(self, atom: Wrapper, arguments: Arguments, frame: Frame, at: int, in_task: bool) -> Value:
        result = self.call(atom.function, arguments, frame, at, in_task=in_task)
        if atom.kind != "contextmanager":
            return result
        frames = [entry.frame for entry in result if type(entry) is Generator]
        return frozenset(
            self._m.make(("manager", entry), lambda entry=entry: Generator(entry, is_manager=True))  # type: ignore[misc]
            for entry in frames
        )

    # --- parameters ---------------------------------------------------------------------------------------------------

    def bind(self, function: Function, arguments: Arguments) -> dict[str, Value]:
        """Return what the parameters of a function hold."""
        bound: dict[str, Value] = {}
        keywords = dict(arguments.keywords)
        position = 0
        for parameter in function.facts.parameters:
            value: Value | None = None
            if parameter.kind == "star":
                value = self._rest(function, parameter, arguments.positional[position:], arguments.more)
            elif parameter.kind == "stars":
                value = self._named_rest(function, parameter, keywords, arguments.named)
            else:
                if parameter.kind != "keyword" and position < len(arguments.positional):
                    value = arguments.positional[position]
                    position += 1
                elif parameter.kind != "positional" and parameter.name in keywords:
                    value = keywords.pop(parameter.name)
                elif arguments.is_open:
                    value = arguments.named | (arguments.more if parameter.kind != "keyword" else NOTHING)
                if value is None or (not value and arguments.is_open):
                    default = function.defaults.get(parameter.name, NOTHING)
                    is_all = value is None and not function.is_given_more
                    value = default if is_all else (value or NOTHING) | inexact(default)
            bound[parameter.name] = value
        return bound

    def _rest(self, function: Function, parameter: Parameter, extra: tuple[Value, ...], more: Value) -> Value:
        atom = self._m.collection("tuple", None, ("rest", function, parameter.name, extra, more))
        for index, value in enumerate(extra):
            self._m.collections.keep(atom, index, value)
        self._m.write(atom.elements, more)
        return frozenset((atom,))

    def _named_rest(self, function: Function, parameter: Parameter, rest: dict[str, Value], named: Value) -> Value:
        atom = self._m.collection("dict", None, ("named", function, parameter.name, tuple(rest.items()), named))
        for name, value in rest.items():
            self._m.collections.put(atom, name, value)
        self._m.write(atom.elements, named)
        return frozenset((atom,))


def _is_neutral(function: Value) -> bool:
    """Tell whether a function is known not to care for the order of what it is given."""
    for atom in function:
        if type(atom) is not External or atom.name not in _NEUTRAL:
            return False
    return bool(function)


def _is_lazy(atom: Atom) -> bool:
    return type(atom) is Generator or (type(atom) is Collection and atom.effects is not None)


def _has_stars(node: tree.Call) -> bool:
    for arg in node.args:
        if type(arg) is tree.Starred:
            return True
    return any(not name for name, _ in node.keywords)
