"""Bodies: the jobs of a project are found, and their bodies evaluated with all that they reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from analyzer.graph.frames import DURABLE, Frame, Leaf, Mutation, Step
from analyzer.graph.values import Arguments, Collection, Function, Job, Object, Value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analyzer.facts.spans import Span
    from analyzer.graph.machine import Machine
    from analyzer.resolve.modules import ModuleTable, SourceModule

NOT_AWAITED: Final = "TRG401"
MUTATED: Final = "TRG402"
IN_TASK: Final = "TRG403"
_IN_TASKS_TOO: Final = frozenset(("TRG404",))


@dataclass(frozen=True, slots=True)
class Body:
    """A job's body, or a task's function, evaluated.

    Attributes:
        job: the job; None for a task.
        frame: its frame.
    """

    job: Job | None
    frame: Frame


class Bodies:
    """Finds jobs and evaluates their bodies.

    Args:
        machine: evaluates.
        modules: the project's modules.
    """

    def __init__(self, machine: Machine, modules: ModuleTable) -> None:
        self._m = machine
        self._modules = modules
        self.jobs: list[Body] = []
        self.tasks: list[Body] = []
        self._wrapped: list[tuple[Job, Frame]] = []

    # --- finding ------------------------------------------------------------------------------------------------------

    def import_all(self, sources: Iterable[SourceModule]) -> list[SourceModule]:
        """Evaluate the statements of modules, and of all project modules that they import; return them all."""
        pending = list(sources)
        seen = set(pending)
        reached = []
        while pending:
            source = pending.pop()
            reached.append(source)
            for other in self._imported(source):
                if other not in seen:
                    seen.add(other)
                    pending.append(other)
        for source in reached:
            self._m.module_frame(self._m.state_of(source), None)
        self._m.settle()
        return reached

    def _imported(self, source: SourceModule) -> Iterable[SourceModule]:
        for module, level, names in source.facts.imports:
            base = module
            if level:
                parts = source.package.split(".") if source.package else []
                parts = parts[: len(parts) - (level - 1)]
                base = ".".join([*parts, *([module] if module else [])])
            wanted = [base, *(f"{base}.{name}" if base else name for name in names if name != "*")]
            for name in wanted:
                found = self._modules.find(name) if name else None
                if found is not None:
                    yield found
            for parent in _parents(base):
                found = self._modules.find(parent)
                if found is not None:
                    yield found

    def evaluate(self, sources: Iterable[SourceModule]) -> None:
        """Evaluate the bodies of all jobs, and the functions of the tasks declared in these modules."""
        chosen = set(sources)
        jobs = sorted(
            (job for job in self._m.jobs if job.body.home.source in chosen),
            key=lambda job: (job.body.home.source.name, job.body.facts.at),
        )
        for job in jobs:
            self._m.bodies.add(job.body)
        for job in jobs:
            root = Frame("function", job.function.home, era="run")
            is_plain = job.function is job.body
            frame = self._m.entry_frame(job.function, self._parameters(job.function, root), root, is_job=is_plain)
            if is_plain:
                self.jobs.append(Body(job, frame))
            else:
                self._wrapped.append((job, frame))
        self._m.settle()
        self._find_wrapped()
        for function, home in list(self._m.tasks.items()):
            if home.source in chosen and not any(callee.function is function for _, _, callee in self._m.task_calls):
                root = Frame("function", home, era="run")
                self._m.entry_frame(function, self._parameters(function, root), root, is_job=False)
        self._m.settle()
        self._find_not_awaited()
        wrappers = {frame for _, frame in self._wrapped}
        self.tasks = [Body(None, frame) for frame in self._m.entries() if not frame.is_job and frame not in wrappers]

    def _find_wrapped(self) -> None:
        """Find the bodies of jobs whose function is under a decorator of the project."""
        for job, outer in self._wrapped:
            inner = [frame for frame in self._m.entries() if frame.function is job.body and frame.is_job]
            self.jobs += [Body(job, frame) for frame in inner] or [Body(job, outer)]

    def _parameters(self, function: Function, root: Frame) -> dict[str, Value]:
        """Return what a body is called with: a method is given an instance, all else its annotations tell."""
        if function.owner is None:
            return self._m.calls.bind(function, Arguments())
        made = self._m.classes.construct(function.owner, Arguments(), root, function.facts.at)
        return self._m.calls.bind(function, Arguments((made,)))

    # --- what shows only at the end -----------------------------------------------------------------------------------

    def body_frames(self) -> set[Frame]:
        """Return the frames that bodies of jobs reach outside of tasks."""
        reached: set[Frame] = set()
        pending = [body.frame for body in self.jobs]
        while pending:
            frame = pending.pop()
            if frame not in reached:
                reached.add(frame)
                pending.extend(frame.callees)
        return reached

    def _find_not_awaited(self) -> None:
        reached = self.body_frames()
        for atom in list(self._m.awaitables):
            if atom in self._m.consumed or atom.frame not in reached or not atom.frame.is_async:
                continue
            if atom.kind == "coroutine" and (atom.callee is None or DURABLE not in atom.callee.steps):
                continue
            if atom.kind != "gathered":
                self._m.happens(atom.frame, atom.at, Leaf(NOT_AWAITED, atom.what))
                for caller in atom.frame.callers:
                    self._m.enqueue(caller)
        self._m.settle()

    def nested_steps(self) -> list[tuple[Frame, Step]]:
        """Return durable calls inside tasks, and other misuse that counts there as well."""
        found = []
        for body in self.tasks:
            for by_code in body.frame.sites.values():
                found += [
                    (body.frame, step) for code, step in by_code.items() if code == DURABLE or code in _IN_TASKS_TOO
                ]
        return found

    def lost_changes(self) -> list[tuple[Frame, Span, Mutation]]:
        """Return changes of a body's variables inside tasks, with the frame and place to report them at."""
        reached = self.body_frames()
        reached |= {frame.leader for frame in reached}
        found = []
        for (caller, at, callee), _ in list(self._m.task_calls.items()):
            if caller not in reached:
                continue
            for mutation in callee.mutations.values():
                if self._is_lost(mutation.target, mutation.maker, mutation, caller, reached):
                    inside = _is_inside(mutation.frame, caller)
                    found.append((mutation.frame if inside else caller, mutation.at if inside else at, mutation))
        for caller, at, _callee, atom, maker, mutation in self._m.task_changes:
            if caller in reached and self._is_lost(atom, maker, mutation, caller, reached):
                found.append((caller, at, mutation))
        return found

    @staticmethod
    def _is_lost(target: object, maker: Frame | None, mutation: Mutation, caller: Frame, reached: set[Frame]) -> bool:
        if isinstance(target, Frame):
            return target is caller or target in _around(caller)
        if isinstance(target, Collection):
            return maker in reached
        if isinstance(target, Object):
            cell = target.fields.get(mutation.name)
            is_read = cell is not None and any(
                reader in reached and reader is not mutation.frame for reader in cell.readers
            )
            return is_read and maker is not None
        return False


def _around(frame: Frame) -> list[Frame]:
    """Return the frames whose variables a frame sees."""
    found = []
    around = frame.parent
    while around is not None:
        found.append(around)
        around = around.parent
    return found


def _is_inside(frame: Frame, outer: Frame) -> bool:
    """Tell whether a frame's function is written inside the function of another."""
    if frame.function is None or outer.function is None or frame.home is not outer.home:
        return False
    first, last = outer.function.facts.rows
    start, end = frame.function.facts.rows
    return first <= start and end <= last


def _parents(name: str) -> Iterable[str]:
    while "." in name:
        name = name.rpartition(".")[0]
        yield name
