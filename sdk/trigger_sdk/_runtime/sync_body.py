"""The body of a sync job: a plain function in a thread of its own.

The thread asks and blocks; everything else happens on the worker's main thread. Deliveries wait in a queue that the
body's own thread takes from, one at a time and only while it blocks, so that a replay does not hop between threads and
cancellation arrives at the same place every time.
"""

from __future__ import annotations

import threading
from asyncio import CancelledError
from collections import deque
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, TypeVar

from trigger_sdk._runtime.body import BodyBase, BodyPort, Delivery, call_job, first_failure
from trigger_sdk._runtime.branch import Branch
from trigger_sdk._runtime.output import end_lines
from trigger_sdk._runtime.scope import current_scope
from trigger_sdk.errors import Canceled, Suspended

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from trigger_sdk._declare.context import Context
    from trigger_sdk._declare.dispatch import Wait
    from trigger_sdk._declare.task import TaskCall
    from trigger_sdk._runtime.step import Step
    from trigger_sdk.protocol.entries import Entry

T = TypeVar("T")


class SyncBody(BodyBase):
    """Runs a function in a thread, from durable call to durable call.

    Attributes:
        busy: True while the thread computes, False while it waits for deliveries.
    """

    def __init__(self, run_id: str, port: BodyPort, *, post: Callable[..., object], lines_kept: int) -> None:
        super().__init__(run_id, port, lines_kept)
        self._post = post
        self._branch = Branch("")
        self._changed = threading.Condition()
        self._deliveries: deque[Delivery] = deque()
        self.busy = True

    # --- main thread --------------------------------------------------------------------------------------------

    def begin(self, job: Any, payload: object, context: Context) -> None:
        """Start the thread."""
        self._deliveries.extend((entry, entry.seq, entry.at) for entry in self._port.journal.deliveries)
        variables = copy_context()
        variables.run(current_scope.set, self)
        thread = threading.Thread(
            target=variables.run, args=(self._run, job, payload, context), name=f"body of {self.run_id}", daemon=True
        )
        thread.start()

    def deliver(self, deliveries: Iterable[Delivery]) -> None:
        """Let the body learn of entries, in order."""
        with self._changed:
            self._deliveries.extend(deliveries)
            self.busy = True
            self._changed.notify()

    def evict(self) -> None:
        """Drop the body: its thread unwinds, and nothing it does on the way counts."""
        with self._changed:
            self._leaving = True
            self._changed.notify()

    # --- the body's thread --------------------------------------------------------------------------------------

    def _run(self, job: Any, payload: object, context: Context) -> None:
        try:
            try:
                value = call_job(job, payload, context)
            finally:
                end_lines()
        except BaseException as error:  # noqa: BLE001 - whatever ends the body is its outcome
            self._end(self._port.raised, error)
        else:
            self._end(self._port.returned, value)

    def _end(self, report: Callable[..., None], outcome: object) -> None:
        if self._divergence is not None:
            self._post(lambda error: self._port.raised(error, canceled=False), self._divergence)
        elif self._leaving:
            return
        elif isinstance(outcome, BaseException) and report == self._port.raised:
            canceled = self._cancel_requested and isinstance(outcome, Canceled)
            self._post(lambda error: self._port.raised(error, canceled=canceled), outcome)
        else:
            self._post(report, outcome)

    def call_task(self, call: TaskCall, line: str) -> Any:
        """Execute a task durably and return its result."""
        step = self._ask(self._branch.next(), "task", call.name, line)
        step.call = call
        step.context = copy_context()
        return self._settle(step)

    def wait(self, wait: Wait) -> Any:
        """Register a wait and return what ends it."""
        return self._settle(self._ask_wait(wait))

    def wait_all(self, waits: list[Wait], *, return_exceptions: bool) -> list[Any]:
        """Register several waits at once and return what ends them, in their order."""
        steps = [self._ask_wait(wait) for wait in waits]
        self._hand_over(steps)
        outcomes: list[Any] = []
        for step in steps:
            try:
                outcomes.append(self._settle(step))
            except Exception as error:  # noqa: BLE001 - collected, raised below
                outcomes.append(error)
        failure = first_failure(outcomes) if not return_exceptions else None
        if failure is not None:
            raise failure
        return outcomes

    def record(self, name: str, produce: Callable[[], T]) -> T:
        """Return the journalled value of a recorded call."""
        return self._record(self._branch.next(), name, self._port.here(), produce)

    def _put(self, entry: Entry) -> None:
        self._post(self._port.add, entry)

    def _ask_wait(self, wait: Wait) -> Step:
        step = self._ask(self._branch.next(), wait.op, wait.name, wait.line)
        step.wait = wait
        return step

    def _hand_over(self, steps: list[Step]) -> None:
        """Launch steps that no waiting delivery settles."""
        with self._changed:
            settled = {entry.step for entry, _, _ in self._deliveries}
            if any(entry.kind == "cancel_requested" for entry, _, _ in self._deliveries):
                return
        fresh = [step for step in steps if step.id not in settled and step.outcome is None and not step.launched]
        for step in fresh:
            step.launched = True
        if fresh:
            self._post(self._launch, fresh)

    def _launch(self, steps: list[Step]) -> None:
        for step in steps:
            self._port.launch(step)
        self._port.flush()

    def _settle(self, step: Step) -> Any:
        """Take deliveries until one ends ``step``; launch it when none is left."""
        while step.outcome is None:
            delivery = self._next(step)
            entry, self._seen, _ = delivery
            if entry.kind == "cancel_requested":
                self._cancel_requested = True
                self._give_up_open()
                raise Canceled
            ended = self._step_of(entry)
            if ended is None:
                raise Suspended
            ended.outcome = entry
        try:
            return self._outcome(step, step.outcome)
        except CancelledError:
            raise Canceled from None

    def _next(self, step: Step) -> Delivery:
        if not self._deliveries:
            self._hand_over([step])
        with self._changed:
            while not self._deliveries and not self._leaving:
                self.busy = False
                self._post(self._port.rest)
                self._changed.wait()
            if self._leaving:
                raise Suspended
            self.busy = True
            return self._deliveries.popleft()

    def _give_up_open(self) -> None:
        """Cancel what was launched and has not ended: the body no longer waits for it."""
        for step in self._steps.values():
            if step.outcome is None and step.launched and not step.cancel_asked:
                step.cancel_asked = True
                self._post(self._port.give_up, step)
        self._post(self._port.flush)
