"""Statements: how a frame is evaluated, from its first line to its last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from analyzer.facts import tree
from analyzer.facts.module import decode_body
from analyzer.graph import flow
from analyzer.graph.atoms import Class, Collection, External, Instance, Object, Value
from analyzer.graph.crossing import Crossing
from analyzer.graph.definitions import Definitions
from analyzer.graph.flow import Env, Loop
from analyzer.graph.frames import Frame, Leaf
from analyzer.graph.values import NOTHING, Exact, in_order, is_none, is_part, joined, union

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.graph.machine import Machine

UNBOUNDED: Final = "TRG407"
_LOOP_PASSES: Final = (3, 2, 1)
"""How often a loop's body is evaluated at most, by pressure."""


class Statements(Definitions):
    """Evaluates statements. A block that does not reach its end is not joined with what follows it."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine)
        self._executors: dict[type[tree.Node], Callable[[Any, Frame, Loop | None], bool]] = {
            tree.Assign: self._assign,
            tree.Augment: self._augment,
            tree.Annotate: self._annotate,
            tree.Evaluate: self._evaluate,
            tree.Return: self._return,
            tree.If: self._if,
            tree.For: self._for,
            tree.While: self._while,
            tree.With: self._with,
            tree.Try: self._try,
            tree.Raise: self._raise,
            tree.Delete: self._delete,
            tree.Import: self._import,
            tree.ImportFrom: self._import_from,
            tree.Define: self._define,
            tree.DefineClass: self._define_class,
            tree.Match: self._match,
            tree.Jump: self._jump,
        }

    def run(self, frame: Frame) -> None:
        """Evaluate a frame from its beginning."""
        frame.env = {}
        frame.durables = 0
        ignores, self._m.expressions.ignores_order = self._m.expressions.ignores_order, False
        try:
            if frame.function is not None:
                self._bind_parameters(frame)
                self.block(decode_body(frame.function.facts.body), frame, None)
            elif isinstance(frame, Crossing):
                self._m.crossings.run(frame)
            elif frame.cls is not None:
                self.block(decode_body(frame.cls.facts.body), frame, None)
            else:
                self.block(decode_body(frame.home.source.facts.body), frame, None)
        finally:
            self._m.expressions.ignores_order = ignores

    def _bind_parameters(self, frame: Frame) -> None:
        function = frame.function
        if function is None:
            return
        scope = function.owner.frame if function.owner is not None else frame.parent
        for parameter in function.facts.parameters:
            value = frame.parameters.get(parameter.name, NOTHING)
            if (
                is_none(value)
                and type(value) is not Exact
                and parameter.annotation is not None
                and parameter.kind
                not in (
                    "star",
                    "stars",
                )
            ):
                where = scope if scope is not None else self._m.module_frame(function.home, frame)
                value |= self._m.annotations.instances(parameter.annotation, where, frame)
            self._m.names.store(parameter.name, value, frame, 0)

    def block(self, statements: list[tree.Statement], frame: Frame, loop: Loop | None) -> bool:
        """Evaluate statements in their order; return whether what follows them is reached."""
        for statement in statements:
            try:
                reached = self._executors[type(statement)](statement, frame, loop)
            except RecursionError:
                if self._m.is_inline:
                    raise  # the whole function waits until there is more room on the stack
                reached = True  # an expression nested too deeply: nothing is known of it
            if not reached:
                return False
        return True

    def _assign(self, node: tree.Assign, frame: Frame, _loop: Loop | None) -> bool:
        value = self._sorted_later(node.targets[0], node.value, frame)
        for target in node.targets:
            self._m.targets.bind(target, value, frame, node.at)
        return True

    def _sorted_later(self, target: tree.Expression, node: tree.Expression, frame: Frame) -> Value:
        """Evaluate what is assigned; the order of a list that is sorted in place does not matter."""
        expressions = self._m.expressions
        if type(target) is tree.Name and frame.function is not None and target.id in frame.function.facts.sorted_names:
            before, expressions.ignores_order = expressions.ignores_order, True
            try:
                return expressions.evaluate(node, frame)
            finally:
                expressions.ignores_order = before
        return expressions.evaluate(node, frame)

    def _augment(self, node: tree.Augment, frame: Frame, _loop: Loop | None) -> bool:
        value = self._m.expressions.evaluate(node.value, frame)
        left = self._m.expressions.evaluate(node.target, frame)
        kept: Value = frozenset(atom for atom in left if type(atom) is Collection)
        for atom in in_order(left):
            if type(atom) is Collection and atom.kind not in ("tuple", "frozenset"):
                self._m.collections.changed(atom, frame, node.at)
                if atom.kind == "list":
                    self._m.write(atom.elements, self._m.iteration.unpack(value, frame, node.at, escapes=True))
            elif type(atom) is Object and self._m.classes.find(atom.cls, f"__i{node.operator}__") is not None:
                kept |= self._m.calls.method(atom, f"__i{node.operator}__", (value,), frame, node.at)
        result = kept or self._m.expressions.operate(node.operator, left, value, frame, node.at)
        self._m.targets.bind(node.target, result, frame, node.at)
        return True

    def _annotate(self, node: tree.Annotate, frame: Frame, _loop: Loop | None) -> bool:
        value = NOTHING
        if node.value is not None:
            value = self._sorted_later(node.target, node.value, frame)
        if is_none(value):
            value |= self._m.annotations.instances(node.annotation, frame, frame)
        if node.value is not None or frame.kind != "class":
            self._m.targets.bind(node.target, value, frame, node.at)
        return True

    def _delete(self, node: tree.Delete, frame: Frame, _loop: Loop | None) -> bool:
        for target in node.targets:
            if isinstance(target, tree.Name):
                frame.env.pop(target.id, None)
                if frame.function is not None and target.id in frame.function.facts.global_names:
                    self._m.names.store_global(target.id, NOTHING, frame, node.at)
            elif isinstance(target, tree.Subscript):
                owner = self._m.expressions.evaluate(target.value, frame)
                self._m.expressions.evaluate(target.index, frame)
                for atom in owner:
                    if type(atom) is Collection:
                        self._m.collections.changed(atom, frame, node.at)
                    elif type(atom) is Object:
                        self._m.calls.method(atom, "__delitem__", (NOTHING,), frame, node.at)
                    elif type(atom) is Instance:
                        self._m.libraries.call(f"{atom.type}.__delitem__", None, frame, node.at)
            elif isinstance(target, tree.Attribute):
                owner = self._m.expressions.evaluate(target.value, frame)
                self._m.attributes.store(owner, target.name, NOTHING, frame, node.at)
        return True

    # --- simple statements --------------------------------------------------------------------------------------------

    def _evaluate(self, node: tree.Evaluate, frame: Frame, _loop: Loop | None) -> bool:
        self._m.expressions.evaluate(node.value, frame)
        return not self._never_returns(node.value)

    @staticmethod
    def _never_returns(node: tree.Expression) -> bool:
        function = node.function if isinstance(node, tree.Call) else None
        return (
            isinstance(function, tree.Attribute)
            and function.name == "exit"
            and isinstance(function.value, tree.Name)
            and function.value.id == "sys"
        )

    def _return(self, node: tree.Return, frame: Frame, _loop: Loop | None) -> bool:
        if node.value is not None:
            value = self._m.expressions.evaluate(node.value, frame)
            frame.returns = joined(frame.returns, value)
            if frame.is_job:
                self._m.durables.check_value(value, frame, node.at, "the job returns")
        return False

    def _raise(self, node: tree.Raise, frame: Frame, _loop: Loop | None) -> bool:
        for value in node.values:
            self._m.expressions.evaluate(value, frame)
        return False

    def _jump(self, node: tree.Jump, frame: Frame, loop: Loop | None) -> bool:
        if loop is not None:
            (loop.breaks if node.kind == "break" else loop.continues).append(self._m.branch(frame))
        return False

    def _import(self, node: tree.Import, frame: Frame, _loop: Loop | None) -> bool:
        self._m.names.bind_import(node, frame)
        return True

    def _import_from(self, node: tree.ImportFrom, frame: Frame, _loop: Loop | None) -> bool:
        self._m.names.bind_from(node, frame)
        return True

    def _define(self, node: tree.Define, frame: Frame, _loop: Loop | None) -> bool:
        self.define(node, frame)
        return True

    def _define_class(self, node: tree.DefineClass, frame: Frame, _loop: Loop | None) -> bool:
        self.define_class(node, frame)
        return True

    # --- branches -----------------------------------------------------------------------------------------------------

    def _if(self, node: tree.If, frame: Frame, loop: Loop | None) -> bool:
        if flow.is_for_types(node.test):
            return self.block(node.body, frame, loop) and self.block(node.orelse, frame, loop)
        verdict = flow.known(node.test)
        if verdict is None:
            verdict = self._m.expressions.test(node.test, frame)
        if verdict is True:
            return self.block(node.body, frame, loop)
        if verdict is False:
            return self.block(node.orelse, frame, loop)
        before = self._m.branch(frame)
        body = self.block(node.body, frame, loop)
        after_body, frame.env = frame.env, before
        orelse = self.block(node.orelse, frame, loop)
        return flow.join(frame, [(body, after_body), (orelse, frame.env)])

    def _match(self, node: tree.Match, frame: Frame, loop: Loop | None) -> bool:
        subject = self._m.expressions.evaluate(node.subject, frame)
        before = self._m.branch(frame)
        ends: list[tuple[bool, Env]] = []
        is_complete = False
        for case in node.cases:
            frame.env = before
            frame.env = self._m.branch(frame)
            found = union(self._m.expressions.evaluate(cls, frame) for cls in case.classes)
            narrowed = union(self._instances(found, frame)) or subject
            for value in case.values:
                self._m.expressions.evaluate(value, frame)
            for name in case.names:
                self._m.names.store(name, narrowed, frame, node.at)
            ends.append((self.block(case.body, frame, loop), frame.env))
            is_complete = is_complete or case.is_any
        if not is_complete:
            ends.append((True, before))
        return flow.join(frame, ends)

    def _instances(self, classes: Value, frame: Frame) -> list[Value]:
        found: list[Value] = []
        for atom in classes:
            if type(atom) is Class:
                found.append(frozenset((self._m.classes.any_instance(atom, frame),)))
            elif type(atom) is External:
                found.append(self._m.instance(self._m.catalogue.canonical(atom.name)))
        return found

    # --- loops --------------------------------------------------------------------------------------------------------

    def _for(self, node: tree.For, frame: Frame, _loop: Loop | None) -> bool:
        iterable = self._m.expressions.evaluate(node.iterable, frame)
        if not node.is_async:
            iterable = self._m.iteration.started(iterable, frame, node.at)
        element = self._m.iteration.exhaust(iterable, frame, node.at, is_async=node.is_async)
        steps = frame.durables

        def enter() -> None:
            self._m.targets.bind(node.target, element, frame, node.at)

        self._repeat(node.body, frame, enter)
        has_steps = frame.durables > steps
        if self._m.iteration.is_unordered(iterable) and self._m.iteration.loop_escapes(
            node, frame, has_steps=has_steps
        ):
            self._m.iteration.order_escapes(frame, node.at, iterable)
        if has_steps and flow.is_endless(iterable) and not flow.leaves(node.body):
            self._m.happens(frame, node.at, Leaf(UNBOUNDED, "an endless loop", is_code=False))
        return self.block(node.orelse, frame, None) or flow.breaks(node.body)

    def _while(self, node: tree.While, frame: Frame, _loop: Loop | None) -> bool:
        endless = flow.known(node.test) is True
        steps = frame.durables
        if flow.known(node.test) is False or (not endless and self._m.expressions.test(node.test, frame) is False):
            return self.block(node.orelse, frame, None)

        def enter() -> None:
            if not endless:
                self._m.expressions.test(node.test, frame)

        self._repeat(node.body, frame, enter)
        if endless and frame.durables > steps and not flow.leaves(node.body):
            self._m.happens(frame, node.at, Leaf(UNBOUNDED, "an endless loop", is_code=False))
        if endless:
            return flow.breaks(node.body)
        return self.block(node.orelse, frame, None) or flow.breaks(node.body)

    def _repeat(self, body: list[tree.Statement], frame: Frame, enter: Callable[[], None]) -> None:
        """Evaluate a loop's body until variables that were there before it hold nothing new."""
        before = self._m.branch(frame)
        loop = Loop()
        for _ in range(_LOOP_PASSES[self._m.effort.pressure]):
            loop = Loop()
            start = self._m.branch(frame)
            enter()
            reached = self.block(body, frame, loop)
            ends = [(reached, frame.env), (True, before), *((True, env) for env in loop.continues)]
            flow.join(frame, ends)
            frame.env = flow.united([frame.env, start])
            if all(is_part(frame.env.get(name, NOTHING), value) for name, value in start.items()):
                break
        frame.env = flow.united([frame.env, *loop.breaks])

    # --- with and try -------------------------------------------------------------------------------------------------

    def _with(self, node: tree.With, frame: Frame, loop: Loop | None) -> bool:
        managers = []
        for expression, target in node.items:
            manager = self._m.expressions.evaluate(expression, frame)
            managers.append(manager)
            entered = self._m.entering.enter(manager, frame, node.at, is_async=node.is_async)
            if target is not None:
                self._m.targets.bind(target, entered, frame, node.at)
        steps = frame.durables
        reached = self.block(node.body, frame, loop)
        for manager in managers:
            self._m.entering.leave(manager, frame, node.at, is_async=node.is_async)
            if frame.durables > steps:
                self.check_suppress(node, manager, frame)
                reached = reached or self.is_suppress(manager)
        return reached

    def _try(self, node: tree.Try, frame: Frame, loop: Loop | None) -> bool:
        before = self._m.branch(frame)
        steps = frame.durables
        reached = self.block(node.body, frame, loop)
        has_steps = frame.durables > steps
        after = frame.env
        if reached:
            reached = self.block(node.orelse, frame, loop)
        ends = [(reached, frame.env)]
        for handler in node.handlers:
            frame.env = flow.united([before, after])
            caught = NOTHING if handler.type is None else self._m.expressions.evaluate(handler.type, frame)
            if handler.name is not None:
                frame.env[handler.name] = union(self._instances(caught, frame))
            ends.append((self.block(handler.body, frame, loop), frame.env))
        if has_steps:
            self.check_handlers(node, frame)
        reached = flow.join(frame, ends)
        if not reached:
            frame.env = flow.united([env for _, env in ends])
        return self.block(node.final, frame, loop) and reached
