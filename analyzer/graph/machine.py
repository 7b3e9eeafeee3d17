"""The machine: evaluates frames until nothing changes any more.

A frame that is needed is evaluated at once while the calls are not deep, else it is queued; a frame whose outcome or
whose cells change has its readers queued. All sets only grow, and they are bounded, so the queue runs empty: calls in
circles end, and deep chains of calls do not exhaust Python's stack.
"""

from __future__ import annotations

from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from analyzer.graph.atoms import Atom, Awaitable, Function, Value
from analyzer.graph.contexts import Contexts
from analyzer.graph.declared import Job, JobDecorator
from analyzer.graph.effects import DURABLES, Effects
from analyzer.graph.effort import OF_CALL, OF_JOB, ON_IMPORT, VARIABLES, Effort
from analyzer.graph.frames import Frame, ModuleState, Mutation
from analyzer.graph.heap import GLANCE
from analyzer.graph.trail import Trail
from analyzer.graph.values import Arguments

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from analyzer.catalogue.infer import Inference
    from analyzer.catalogue.loader import Catalogue
    from analyzer.facts.spans import Span
    from analyzer.graph.annotations import Annotations
    from analyzer.graph.attributes import Attributes
    from analyzer.graph.builtins import Builtins
    from analyzer.graph.calls import Calls
    from analyzer.graph.classes import Classes
    from analyzer.graph.collections import Collections
    from analyzer.graph.crossing import Crossing, Crossings
    from analyzer.graph.dispatch import Dispatch
    from analyzer.graph.durables import Durables
    from analyzer.graph.entering import Entering
    from analyzer.graph.enums import Enums
    from analyzer.graph.expressions import Expressions
    from analyzer.graph.iteration import Iteration
    from analyzer.graph.libraries import Libraries
    from analyzer.graph.names import Names
    from analyzer.graph.orders import Orders
    from analyzer.graph.plain import PlainData
    from analyzer.graph.statements import Statements
    from analyzer.graph.targets import Targets
    from analyzer.resolve.modules import ModuleTable, SourceModule

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SdkCall:
    """A call of something of the SDK, as it is written.

    Attributes:
        name: public name, ``wait_for_event``.
        arguments: what is passed.
        frame: where.
        at: the call.
    """

    name: str
    arguments: Arguments
    frame: Frame
    at: Span


DEEPEST_INLINE: Final = (18, 6, 2)
"""Calls within calls that are evaluated at once, by pressure; deeper ones are queued."""

DEEPEST_IMPORT: Final = 25
"""Imports within imports that are carried out at once; deeper ones are queued."""

FEWEST_RUNS: Final = (3, 2, 1)
"""Evaluations of one frame that are not too many, whatever they take, by pressure."""

MOST_RUNS: Final = {"import": 8, "run": 40}
"""Evaluations of one frame, called with the same arguments, after which it is left as it is."""

OF_FRAME: Final = {"import": 2_000, "run": 20_000}
"""Effort for all evaluations of one frame; a tenth of it when that is coarse."""


class Machine(Effects):
    """Everything that an evaluation shares.

    Args:
        modules: the project's modules.
        catalogue: what libraries do.
        is_silenced: tells whether the source silences a code at a place in a frame.
        inference: what installed libraries do that the catalogue does not know; None leaves them silent.
        of_job: effort for one job, in detail and coarsely; ``is_exhausted`` tells that it was not enough.
    """

    def __init__(
        self,
        modules: ModuleTable,
        catalogue: Catalogue,
        *,
        is_silenced: Callable[[Frame, Span, str], bool],
        inference: Inference | None = None,
        of_job: tuple[int, int] = OF_JOB,
    ) -> None:
        super().__init__(is_silenced)
        self.modules = modules
        self.catalogue = catalogue
        self.inference = inference
        self.jobs: dict[Job, JobDecorator] = {}
        self.tasks: dict[Function, ModuleState] = {}
        self.zones: dict[tuple[Frame, Span], Value] = {}
        self.sdk_calls: dict[tuple[Frame, Span], SdkCall] = {}
        self.awaitables: list[Awaitable] = []
        self.consumed: set[Awaitable] = set()
        self.bodies: set[Function] = set()
        self.defining: Function | None = None
        self.is_exhausted = False
        self.class_changes = 0
        self.task_changes: list[tuple[Frame, Span, Frame, Atom, Frame | None, Mutation]] = []
        self.task_calls: dict[tuple[Frame, Span, Frame], str] = {}
        self.names: Names
        self.expressions: Expressions
        self.attributes: Attributes
        self.calls: Calls
        self.libraries: Libraries
        self.builtins: Builtins
        self.collections: Collections
        self.iteration: Iteration
        self.classes: Classes
        self.dispatch: Dispatch
        self.enums: Enums
        self.annotations: Annotations
        self.durables: Durables
        self.plain: PlainData
        self.entering: Entering
        self.orders: Orders
        self.crossings: Crossings
        self.statements: Statements
        self.targets: Targets
        self.registrars: set[ModuleState] = set()
        self.contexts = Contexts()
        self.effort = Effort(*ON_IMPORT)
        self._of_job = of_job
        self._importing: list[ModuleState] = []
        self._states: dict[str, ModuleState] = {}
        self._queue: deque[Frame] = deque()
        self._depth = self._inner = 0

    # --- one job at a time --------------------------------------------------------------------------------------------

    @contextmanager
    def alone(self, *, coarsely: bool = False) -> Iterator[Trail]:
        """Evaluate something as if nothing else was but the imports, and take it back in the end."""
        trail = self.trail = Trail()
        own: tuple[dict[Any, Any], ...] = (self.jobs, self.tasks, self.zones, self.sdk_calls)
        tables = [*self.contexts.tables, *own]
        kept = [dict(table) for table in tables]
        changes = self.class_changes
        detailed, coarse = self._of_job
        self.is_exhausted = False
        try:
            with self.effort.other(0 if coarsely else detailed, coarse if coarsely else detailed):
                yield trail
        finally:
            self.trail = None
            self.era += 1
            trail.undo(self.made)
            for table, before in zip(tables, kept, strict=True):
                table.clear()
                table.update(before)
            self.awaitables, self.consumed, self.task_changes, self.task_calls = [], set(), [], {}
            self._queue.clear()
            self.class_changes += 1 if self.class_changes != changes else 0

    def touches(self, home: ModuleState) -> None:
        """Note that something of a module is changed: the one that is being imported may matter to all then."""
        if self._importing and self._importing[-1] is not home:
            self.registrars.add(self._importing[-1])

    # --- modules ------------------------------------------------------------------------------------------------------

    def module(self, name: str) -> ModuleState | None:
        """Return the project's module of a name, None when it is not the project's."""
        source = self.modules.find(name)
        return None if source is None else self.state_of(source)

    def state_of(self, source: SourceModule) -> ModuleState:
        """Return what is known of a module."""
        state = self._states.get(source.name)
        if state is None:
            state = self._states[source.name] = ModuleState(source)
        return state

    def module_frame(self, state: ModuleState, reader: Frame | None) -> Frame:
        """Return the frame of a module's statements, evaluated unless it is under way."""
        frame = state.frame
        if frame is None:
            frame = state.frame = Frame("module", state)
            if self.trail is not None:
                self.trail.modules.append(state)
        self._note_use(state)
        if not frame.is_done and not frame.is_running:
            if len(self._importing) < DEEPEST_IMPORT:
                self._importing.append(state)
                self.evaluate(frame)
                self._importing.pop()
            else:
                self.enqueue(frame)
        if reader is not None and reader is not frame:
            reader.reads.add(state)
            # A class is made while its module runs: it sees what is bound so far, and is made again with its module.
            if not (frame.is_running and reader.kind == "class" and reader.home is state):
                frame.callers[reader] = reader.runs
        return frame

    def branch(self, frame: Frame) -> dict[str, Value]:
        """Return the variables as they are where a branch begins; an evaluation that is to end soon has but one set."""
        self.effort.spent += len(frame.env) // VARIABLES
        return frame.env if self.effort.pressure > 1 else dict(frame.env)

    # --- frames -------------------------------------------------------------------------------------------------------

    def function_frame(
        self, function: Function, parameters: dict[str, Value], caller: Frame, *, in_task: bool = False
    ) -> Frame:
        """Return the frame of a function called with these arguments, evaluated unless calls are deep.

        Args:
            function: what is called.
            parameters: what its parameters hold.
            caller: the calling frame.
            in_task: the call is a task's, so that the frame's effects are none of the caller's.
        """
        self._note_use(function.home)
        self.effort.spent += OF_CALL
        parameters = self.plain.stand_ins(function, parameters, caller)
        frame = self.contexts.frame(function, parameters, caller, is_coarse=self.effort.pressure > 0)
        if in_task:
            self._make_entry(frame)
        elif function in self.bodies and caller.era == "run":
            frame.is_job = True
            self._make_entry(frame)
            caller.callees.add(frame)
        else:
            caller.callees.add(frame)
        self._need(frame, caller)
        return frame

    def join(self, crossing: Crossing, caller: Frame) -> None:
        """Have a frame call a crossing, evaluated unless calls are deep."""
        self.effort.spent += OF_CALL
        caller.callees.add(crossing)
        self._need(crossing, caller)

    def _note_use(self, state: ModuleState) -> None:
        if self._importing:
            self._importing[-1].uses.add(state)
        elif self.trail is not None:
            self.trail.touched.add(state)

    def entry_frame(self, function: Function, parameters: dict[str, Value], root: Frame, *, is_job: bool) -> Frame:
        """Return the frame of a body: of a job, or of a task that no body calls."""
        frame = self.contexts.entry(function, parameters, root, is_job=is_job)
        self._need(frame, root)
        return frame

    def frames(self) -> list[Frame]:
        """Return the frames of all functions that were called."""
        return list(self.contexts.frames.values())

    def entries(self) -> list[Frame]:
        """Return the frames of bodies: of jobs, and of functions that are called as tasks."""
        return [frame for frame in self.contexts.frames.values() if frame.entry]

    @staticmethod
    def _make_entry(frame: Frame) -> None:
        """Have all ways to effects kept from now on."""
        if not frame.entry:
            frame.entry = True
            frame.is_done = False

    def _need(self, frame: Frame, caller: Frame) -> None:
        if not frame.is_done and not frame.is_running and self._may_run(frame):
            if self._depth < DEEPEST_INLINE[self.effort.pressure]:
                self.evaluate(frame)
            else:
                self.enqueue(frame)
        frame.callers[caller] = caller.runs

    @property
    def is_inline(self) -> bool:
        """Whether what is evaluated is called by something that is being evaluated."""
        return self._depth > 1

    def enqueue(self, frame: Frame) -> None:
        """Have a frame evaluated again."""
        if not frame.is_queued and frame.runs < MOST_RUNS[frame.era] and self._may_run(frame):
            if self.trail is not None and frame.era == "import" and frame.is_done:
                return  # what is imported is as it was before the job began
            frame.is_queued = True
            self._queue.append(frame)

    def _may_run(self, frame: Frame) -> bool:
        pressure = self.effort.pressure
        return frame.runs < FEWEST_RUNS[pressure] or frame.effort < OF_FRAME[frame.era] // (1 if pressure == 0 else 10)

    def evaluate(self, frame: Frame) -> None:
        """Evaluate a frame; when it comes out differently than before, its callers are queued."""
        if frame.is_running:
            return
        if frame.kind == "function" and self.effort.pressure > 1:
            self.is_exhausted = True
            return
        if self.trail is not None:
            self.trail.frames.append(frame)
        frame.runs += 1
        frame.is_queued = False
        frame.is_running = True
        frame.is_done = True
        self._depth += 1
        before, known, start, outer = frame.size(), set(frame.steps), self.effort.spent, self._inner
        self._inner = 0
        try:
            self.statements.run(frame)
        except RecursionError:
            frame.is_done = False
        finally:
            self._depth -= 1
            frame.is_running = False
            whole = self.effort.spent - start
            frame.effort += whole - self._inner
            self._inner = outer + whole
        if not frame.is_done:
            self.enqueue(frame)
        new = frame.steps.keys() - known
        if frame.size() != before or not new.isdisjoint(DURABLES) or (frame.kind == "module" and frame.runs == 1):
            self.outdate(frame.callers)
        if new and frame.kind == "function":
            self.spread(frame, new - DURABLES)

    def outdate(self, users: dict[Frame, int]) -> None:
        """Have frames evaluated again that used what has changed; one that is running may not have come to it yet."""
        for user, run in list(users.items()):
            if not user.is_running or run % GLANCE == user.runs:
                self.enqueue(user)

    def settle(self) -> None:
        """Evaluate what is queued until nothing is."""
        while self._queue:
            frame = self._queue.popleft()
            if frame.is_queued:
                frame.is_queued = False
                self.evaluate(frame)

    # --- awaitables ---------------------------------------------------------------------------------------------------

    def consume(self, value: Value) -> None:
        """Note that whatever is awaitable in a value is in good hands: what is put into a collection is as well."""
        for atom in value:
            if type(atom) is Awaitable:
                self.consumed.add(atom)
