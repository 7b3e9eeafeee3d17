"""Calls of the SDK: declarations, tasks, waits, and what is wrong with how they are used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.facts import tree
from analyzer.facts.module import decode_body
from analyzer.graph.atoms import Atom, Bound, Function, Value
from analyzer.graph.declared import Job, JobDecorator, Task, TaskDecorator
from analyzer.graph.frames import DURABLE, SENDS, SOME_TASK, Frame, Leaf
from analyzer.graph.machine import SdkCall
from analyzer.graph.sdk_names import JOB_STARTS, JOB_WAITS, ONLY_IN_BODIES, RUN_IN_TASK, WAITS, sdk_name
from analyzer.graph.storable import Storable
from analyzer.graph.values import NOTHING, Arguments, in_order, texts, union

if TYPE_CHECKING:
    from analyzer.graph.machine import Machine

CALLED_JOB: Final = "TRG404"
NOT_ENCODABLE: Final = "TRG406"

_DECLARING: Final = frozenset(("job", "task", "task.wrap"))


class Durables:
    """Answers for ``trigger_sdk``.

    Attributes:
        storable: tells what a journal can store.
    """

    def __init__(self, machine: Machine) -> None:
        self._m = machine
        self.storable = Storable(machine)

    # --- declarations -------------------------------------------------------------------------------------------------

    def call_sdk(self, qualname: str, arguments: Arguments, frame: Frame, at: int) -> Value | None:
        """Return what calling something of the SDK gives; None when it is not the SDK's."""
        name = sdk_name(qualname)
        if name is None:
            return None
        self._m.touches(frame.home)
        self._m.sdk_calls[frame, at] = SdkCall(name, arguments, frame, at)
        if name in _DECLARING:
            return self._declare(name, arguments, frame, at)
        if name in RUN_IN_TASK:
            function = self._as_task(arguments.get(0) or NOTHING, "")
            return self._run(function, arguments.after(1), frame, at, "task.run")
        if name == "record":
            result = self._exempt(arguments, frame, at)
            self.check_value(result, frame, at, "what is recorded is")
            return result
        if name == "Context.always":
            return self._exempt(arguments, frame, at)
        if name in WAITS:
            self._m.consume(arguments.all())
            if name == "send_event":
                self.check_value(arguments.get(1, "payload") or NOTHING, frame, at, "the payload is")
            result = self._m.instance("trigger_sdk.Event") if name == "wait_for_event" else NOTHING
            return self.durable(name, result, frame, at, in_tasks=name not in ONLY_IN_BODIES)
        if name in ("Context", "Event", "Queue", "Retry", "RunHandle"):
            return self._m.instance(f"trigger_sdk.{name}")
        self._m.consume(arguments.all())
        return NOTHING

    def _declare(self, name: str, arguments: Arguments, frame: Frame, at: int) -> Value:
        if name == "job":
            ids = texts(arguments.keyword("id") or arguments.get(0) or NOTHING)
            decorator = JobDecorator(ids[0] if len(ids) == 1 else "", at, frame)
            made = self._m.make(("job decorator", frame, at, decorator.id), lambda: decorator)
            if any(type(atom) is Function for atom in arguments.get(0) or NOTHING):
                return self.declare_job(made, arguments)
            return frozenset((made,))
        names = texts(arguments.keyword("name") or NOTHING)
        if arguments.positional:
            if name == "task":
                self._remember(arguments.positional[0])
            return self._as_task(arguments.positional[0], names[0] if names else "")
        return self._m.make(
            ("task decorator", names[0] if names else ""),
            lambda: frozenset((TaskDecorator(names[0] if names else ""),)),
        )

    def _as_task(self, function: Value, name: str) -> Value:
        if any(type(atom) is Task for atom in function):
            return frozenset(atom for atom in function if type(atom) is Task)
        return self._m.make(("task", function, name), lambda: frozenset((Task(function, name),)))

    def _remember(self, functions: Value) -> None:
        for atom in functions:
            if type(atom) is Function:
                self._m.touches(atom.home)
                self._m.tasks[atom] = atom.home

    def declare_task(self, decorator: TaskDecorator, arguments: Arguments) -> Value:
        """Return the task that ``@task(...)`` makes of a function."""
        self._remember(arguments.get(0) or NOTHING)
        return self._as_task(arguments.get(0) or NOTHING, decorator.name)

    def declare_job(self, decorator: JobDecorator, arguments: Arguments) -> Value:
        """Return the job that ``@job(...)`` makes of a function, and remember it."""
        jobs = []
        for atom in arguments.get(0) or NOTHING:
            if type(atom) is Function:
                body = self._m.defining or atom
                made = self._m.make(
                    ("job", atom),
                    lambda atom=atom, body=body: Job(atom, decorator.id, body),  # type: ignore[misc]
                )
                self._m.touches(body.home)
                self._m.jobs[made] = decorator
                jobs.append(made)
        return frozenset(jobs)

    # --- durable calls ------------------------------------------------------------------------------------------------

    def durable(self, what: str, result: Value, frame: Frame, at: int, *, in_tasks: bool = False) -> Value:
        """Note a durable step, and return what asking for it gives: in async code something to be awaited."""
        self._m.happens(frame, at, Leaf(SENDS if in_tasks else DURABLE, what, is_code=what != SOME_TASK))
        awaitable = self._m.calls.awaitable("durable", result, frame, at, what)
        made = frozenset((awaitable,))
        return made if frame.is_async else made | result

    def call_task(self, task: Task, arguments: Arguments, frame: Frame, at: int) -> Value:
        """Call a task."""
        return self._run(frozenset((task,)), arguments, frame, at, "")

    def _run(self, tasks: Value, arguments: Arguments, frame: Frame, at: int, what: str) -> Value:
        functions = union(atom.function for atom in tasks if type(atom) is Task)
        self._m.orders.check(arguments, frame, at)
        result = self._inside(functions, arguments, frame, at)
        self.check_value(result, frame, at, "a task returns")
        if any(self._returns_function(atom) for atom in functions):
            self._m.happens(frame, at, Leaf(NOT_ENCODABLE, "a task returns a function", is_code=False))
        names = [atom.name or _names(atom.function) for atom in in_order(tasks) if type(atom) is Task]
        subject = next((name for name in names if name), what or SOME_TASK)
        return self.durable(subject, result, frame, at)

    def _inside(self, functions: Value, arguments: Arguments, frame: Frame, at: int) -> Value:
        """Call functions as a task does, and return what comes back once it is awaited."""
        found = self._m.calls.call(functions, arguments, frame, at, in_task=True)
        return self._m.expressions.awaited(found, frame, at)

    def _returns_function(self, function: Atom) -> bool:
        """Tell whether a function's last statement returns a lambda or a function by its name."""
        if type(function) is not Function or function.facts.is_generator:
            return False
        body = decode_body(function.facts.body)
        last = body[-1] if body else None
        if not isinstance(last, tree.Return) or not isinstance(last.value, tree.Lambda | tree.Name):
            return False
        if isinstance(last.value, tree.Lambda):
            return True
        functions = function.home.source.facts.functions
        if last.value.id in function.facts.bound:
            inner = [functions[each.function].name for each in body if isinstance(each, tree.Define)]
            return last.value.id in inner
        top = function.home.frame
        found = NOTHING if top is None else top.env.get(last.value.id, NOTHING)
        return any(type(atom) is Function and atom.facts.name == last.value.id for atom in found)

    def _exempt(self, arguments: Arguments, frame: Frame, at: int) -> Value:
        return self._inside(arguments.get(0) or NOTHING, arguments.after(1), frame, at)

    # --- jobs ---------------------------------------------------------------------------------------------------------

    def call_job(self, job: Job, frame: Frame, at: int) -> Value:
        """Call a job as a function, which starts nothing."""
        self._m.happens(frame, at, Leaf(CALLED_JOB, job.body.facts.name))
        return NOTHING

    def call_job_method(self, job: Job, name: str, arguments: Arguments, frame: Frame, at: int) -> Value:
        """Call ``job.trigger`` and its kin."""
        if name not in JOB_STARTS:
            return NOTHING
        payload = arguments.get(0, "payloads" if name.startswith("batch") else "payload") or NOTHING
        if name.startswith("batch"):
            elements = self._m.iteration.unpack(payload, frame, at, escapes=True)
            self.check_value(elements, frame, at, "a payload is")
        else:
            self.check_value(payload, frame, at, "the payload is")
        self._m.consume(arguments.all())
        result = self._m.instance("trigger_sdk.RunHandle") if name not in JOB_WAITS else NOTHING
        return self.durable(f"{job.body.facts.name}.{name}", result, frame, at, in_tasks=name not in JOB_WAITS)

    # --- values -------------------------------------------------------------------------------------------------------

    def check_value(self, value: Value, frame: Frame, at: int, what: str) -> None:
        """Note a value that cannot be encoded."""
        name = self.storable.refused(value)
        if name:
            self._m.happens(frame, at, Leaf(NOT_ENCODABLE, f"{what} {name}", is_code=False))


def _names(functions: Value) -> str:
    """Return what a task's function is called, for people."""
    for atom in in_order(functions):
        if type(atom) is Function:
            return "" if atom.facts.name == "<lambda>" else atom.facts.qualname
        if type(atom) is Bound:
            return _names(frozenset((atom.function,)))
        name = getattr(atom, "name", "")
        if name:
            return str(name)
    return ""
