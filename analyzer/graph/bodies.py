"""Bodies: a job's body is evaluated with all that it reaches, and so are the functions of a module's tasks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from analyzer.graph.atoms import Atom, Collection, Function, Object, Value
from analyzer.graph.declared import Job
from analyzer.graph.frames import DURABLE, SOME_TASK, Frame, Leaf, ModuleState, Mutation, Step
from analyzer.graph.heap import GLANCE
from analyzer.graph.values import Arguments, inexact
from analyzer.reachable import reachable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analyzer.facts.spans import Span
    from analyzer.graph.machine import Machine

NOT_AWAITED: Final = "TRG401"
MUTATED: Final = "TRG402"
IN_TASK: Final = "TRG403"
_IN_TASKS_TOO: Final = frozenset(("TRG404",))


@dataclass(frozen=True, slots=True)
class Lost:
    """A change of a body's variable inside a task.

    Attributes:
        frame: where it is to be reported.
        at: the place there.
        mutation: the change.
    """

    frame: Frame
    at: Span
    mutation: Mutation


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What was evaluated, for as long as the machine keeps it.

    Attributes:
        bodies: the frames of the job's body; more than one when a decorator calls it in several ways.
        tasks: the frames of functions that run as tasks.
        reached: the frames that the body reaches outside of tasks.
        called: the frames of all functions that were called.
        lost: changes that a replay loses.
    """

    bodies: tuple[Frame, ...]
    tasks: tuple[Frame, ...]
    reached: frozenset[Frame]
    called: tuple[Frame, ...]
    lost: tuple[Lost, ...]

    def nested_steps(self) -> Iterable[tuple[Frame, Step]]:
        """Give the durable calls inside tasks, and other misuse that counts there as well."""
        for frame in self.tasks:
            for by_code in frame.sites.values():
                for code, step in by_code.items():
                    if code == DURABLE or code in _IN_TASKS_TOO:
                        yield frame, step


def evaluate_job(machine: Machine, job: Job) -> Evaluated:
    """Evaluate a job's body, with all that it reaches.

    When a decorator of the project stands between, what the decorator made is called, and the body is found in it.
    """
    root = Frame("function", job.function.home, era="run")
    is_plain = job.function is job.body
    outer = machine.entry_frame(job.function, _parameters(machine, job.function, root), root, is_job=is_plain)
    machine.settle()
    inner = [frame for frame in machine.entries() if frame.function is job.body and frame.is_job]
    bodies = (outer,) if is_plain or not inner else tuple(inner)
    _find_not_awaited(machine, bodies)
    reached = reached_by(bodies)
    return Evaluated(
        bodies=bodies,
        tasks=tuple(frame for frame in machine.entries() if not frame.is_job and frame is not outer),
        reached=reached,
        called=tuple(frame for frame in machine.frames() if frame.era == "run"),
        lost=tuple(_lost_changes(machine, reached | reached_by((root,)))),
    )


def evaluate_tasks(machine: Machine, functions: Iterable[Function]) -> Evaluated:
    """Evaluate functions of tasks, of whose arguments nothing is known but their annotations."""
    for function in functions:
        root = Frame("function", function.home, era="run")
        machine.entry_frame(function, _parameters(machine, function, root), root, is_job=False)
    machine.settle()
    return Evaluated(
        bodies=(),
        tasks=tuple(frame for frame in machine.entries() if not frame.is_job),
        reached=frozenset(),
        called=tuple(frame for frame in machine.frames() if frame.era == "run"),
        lost=(),
    )


def _parameters(machine: Machine, function: Function, root: Frame) -> dict[str, Value]:
    """Return what a body is called with: a method is given an instance, all else its annotations tell."""
    passed = Arguments()
    if function.owner is not None:
        passed = passed.before(machine.classes.construct(function.owner, Arguments(), root, function.facts.at))
    return {name: inexact(value) for name, value in machine.calls.bind(function, passed).items()}


def reached_by(bodies: Iterable[Frame]) -> frozenset[Frame]:
    """Return the frames that bodies reach outside of tasks."""
    return frozenset(reachable(bodies, lambda frame: frame.callees))


def _find_not_awaited(machine: Machine, bodies: Iterable[Frame]) -> None:
    """Note what is awaitable and in nobody's hands, which shows only when all is evaluated."""
    reached = reached_by(bodies)
    for atom in list(machine.awaitables):
        if atom in machine.consumed or atom.frame not in reached or not atom.frame.is_async:
            continue
        if atom.kind == "coroutine" and (atom.callee is None or DURABLE not in atom.callee.steps):
            continue
        if atom.kind != "gathered":
            machine.happens(atom.frame, atom.at, Leaf(NOT_AWAITED, atom.what, is_code=atom.what != SOME_TASK))
            for caller in atom.frame.callers:
                machine.enqueue(caller)
    machine.settle()


def _lost_changes(machine: Machine, reached: frozenset[Frame]) -> Iterable[Lost]:
    """Give the changes of a body's variables inside tasks.

    Args:
        machine: has evaluated.
        reached: the frames that the body reaches outside of tasks, and those that make the instance whose method it is.
    """
    makers = reached | {frame.leader for frame in reached}
    # An instance that is made up for an annotation is made silently, and nowhere: 0 is no place, and it is no task.
    for caller, at, callee in list(machine.task_calls):
        if at and caller in makers and callee.mutations:
            bodys = makers - reached_by((callee,))  # what the task may have made itself is not told
            for mutation in callee.mutations.values():
                if is_lost(mutation.target, mutation.maker, mutation, caller, bodys):
                    inside = _is_inside(mutation.frame, caller)
                    yield Lost(mutation.frame if inside else caller, mutation.at if inside else at, mutation)
    for caller, at, callee, atom, maker, mutation in machine.task_changes:
        if at and caller in makers and is_lost(atom, maker, mutation, caller, makers - reached_by((callee,))):
            yield Lost(caller, at, mutation)


def is_lost(target: object, maker: Frame | None, mutation: Mutation, caller: Frame, bodys: frozenset[Frame]) -> bool:
    """Tell whether what is changed belongs to the body, and the body looks at it.

    Args:
        target: what is changed.
        maker: the frame that made it.
        mutation: the change.
        caller: the frame that asks for the task.
        bodys: the frames that only the body reaches.
    """
    if isinstance(target, Frame):
        return target is caller or target in _around(caller)
    if isinstance(target, Collection):
        return maker in bodys and _is_held(target, [caller, *bodys])
    if isinstance(target, Object):
        cell = target.fields.get(mutation.name)
        readers = {} if cell is None else cell.readers
        is_read = any(run < GLANCE and reader in bodys for reader, run in readers.items())
        return is_read and maker in bodys
    return False


def _is_held(target: Atom, frames: Iterable[Frame]) -> bool:
    """Tell whether some variable of functions leads to something: nobody looks at what none leads to."""
    seen: set[Atom] = set()
    for frame in frames:
        held = [*frame.env.values(), *(cell.value for cell in frame.cells.values())]
        found = reachable((atom for value in held for atom in value if atom not in seen), _inside)
        if target in found:
            return True
        seen.update(found)
    return False


def _inside(atom: Atom) -> Iterable[Atom]:
    """Give what a collection or instance holds."""
    if isinstance(atom, Object):
        cells = list(atom.fields.values())
    elif isinstance(atom, Collection):
        cells = [atom.elements, *atom.items.values()]
    else:
        return ()
    return [inner for cell in cells for inner in cell.value if isinstance(inner, Collection | Object)]


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


def closure(states: Iterable[ModuleState]) -> set[ModuleState]:
    """Return modules with all that their statements use, directly or not."""
    return set(reachable(states, lambda state: state.uses))
