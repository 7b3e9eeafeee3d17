"""The body of an async job: a coroutine on a deterministic loop."""

from __future__ import annotations

from asyncio import CancelledError
from collections import deque
from contextvars import Context as ContextVars
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, TypeVar

from trigger_sdk._declare.dispatch import Wait
from trigger_sdk._runtime.body import BodyBase, BodyPort, Delivery, call_job, first_failure
from trigger_sdk._runtime.loop import BodyFuture, BodyLoop, BodyTask, DurableTimer
from trigger_sdk._runtime.output import end_lines
from trigger_sdk.errors import Suspended

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable

    from trigger_sdk._declare.context import Context
    from trigger_sdk._declare.task import TaskCall
    from trigger_sdk._runtime.step import Step
    from trigger_sdk.protocol.entries import Entry

T = TypeVar("T")


class StepFuture(BodyFuture):
    """What an async body awaits for a step."""

    step: Step
    body: AsyncBody

    def end_canceled(self) -> None:
        """The step was cancelled: end the future, where :meth:`cancel` only asks."""
        super().cancel()

    def cancel(self, msg: Any = None) -> bool:
        """Cancel the step. A wait ends at once; a task is asked to, and the future ends when it has."""
        if self.done():
            return False
        if self.step.call is None:
            self.body.give_up(self.step)
            return super().cancel(msg)
        self.body.give_up(self.step)
        return True


class AsyncBody(BodyBase):
    """Runs a coroutine from delivery to delivery.

    Attributes:
        busy: always False: between turns the body waits for deliveries.
    """

    busy = False

    def __init__(self, run_id: str, port: BodyPort, *, began_at: float, lines_kept: int) -> None:
        super().__init__(run_id, port, lines_kept)
        self._loop = BodyLoop(self, self, began_at)  # type: ignore[abstract]  # the rest is set in loop.py
        self._deliveries: deque[Delivery] = deque()
        self._asked: list[Step] = []
        self._given_up: list[Step] = []
        self._main: BodyTask | None = None
        self._left: list[BodyTask] | None = None
        self._cancelling = False
        self._over = False

    # --- what the attempt calls ---------------------------------------------------------------------------------

    def begin(self, job: Any, payload: object, context: Context) -> None:
        """Start the body and replay what the journal holds."""
        self._deliveries.extend((entry, entry.seq, entry.at) for entry in self._port.journal.deliveries)
        coroutine: Coroutine[Any, Any, Any] = _call(job, payload, context)
        self._main = BodyTask(coroutine, loop=self._loop, name=f"job {job.id}", context=self._fresh_context())
        self._main.branch = self._loop.root
        self._loop._tasks.append(self._main)  # noqa: SLF001 - the one task that is not a branch
        self._pump()

    def deliver(self, deliveries: Iterable[Delivery]) -> None:
        """Let the body learn of entries, in order."""
        self._deliveries.extend(deliveries)
        self._pump()

    def evict(self) -> None:
        """Drop the body: its coroutines unwind, and nothing they do on the way counts."""
        self._leaving = True
        self._over = True
        self._loop.discard(Suspended)

    def _fresh_context(self) -> ContextVars:
        from trigger_sdk._runtime.scope import current_scope

        context = copy_context()
        context.run(current_scope.set, self)
        return context

    def _pump(self) -> None:
        loop = self._loop
        loop.turn()
        while self._deliveries and not self._settled():
            entry, seq, at = self._deliveries.popleft()
            self._seen = seq
            loop.now = max(loop.now, at)
            self._deliver(entry)
            loop.turn()
        if not self._settled():
            self._launch()

    def _deliver(self, entry: Entry) -> None:
        if entry.kind == "cancel_requested":
            self._cancel_requested = True
            if self._main is not None:
                self._cancelling = True
                self._main.cancel()
                self._cancelling = False
            return
        step = self._step_of(entry)
        if step is None:
            return
        step.outcome = entry
        if step.timer is not None:
            self._loop.fire(step.timer)
            return
        future = step.future
        if future is None or future.done():
            return
        if step.doomed:
            # It ended before its cancellation came to it. A result here would mean that the request was never heard.
            future.end_canceled()
            return
        try:
            future.set_result(self._outcome(step, entry))
        except CancelledError:
            future.end_canceled()
        except BaseException as error:  # noqa: BLE001 - it is the step's, and goes to who awaits it
            _fail(future, error)

    def _launch(self) -> None:
        """Hand over what the body asked for and the journal did not settle, in the order of asking."""
        given_up, self._given_up = self._given_up, []
        for step in given_up:
            if step.outcome is None:
                begin = self._port.give_up if step.launched else self._port.launch  # launched as given up already
                step.launched = True
                begin(step)
        asked, self._asked = self._asked, []
        for step in asked:
            if step.outcome is None and not step.launched:
                step.launched = True
                self._port.launch(step)
        self._port.flush()

    def _settled(self) -> bool:
        """Return True when the body has ended, after telling the attempt; cancels branches left behind first."""
        if self._over:
            return True
        if self._divergence is not None:
            divergence = self._divergence
            self.evict()
            self._port.raised(divergence, canceled=False)
            return True
        main = self._main
        if main is None or not main.done():
            return False
        if self._left is None:
            # As asyncio.run() does: cancel what is left behind, once, and wait for that.
            self._left = self._loop.pending_tasks()
            for task in self._left:
                task.cancel()
            self._loop.turn()
        if not all(task.done() for task in self._left):
            return False
        self._over = True
        self._report(main)
        self._leaving = True
        self._loop.discard(Suspended)
        return True

    def _report(self, main: BodyTask) -> None:
        if main.cancelled():
            self._port.raised(CancelledError(), canceled=self._cancel_requested)
            return
        error = main.exception()
        if error is None:
            self._port.returned(main.result())
        else:
            self._port.raised(error, canceled=self._cancel_requested and isinstance(error, CancelledError))

    # --- what the body's code calls, by way of its scope --------------------------------------------------------

    async def call_task(self, call: TaskCall, line: str) -> Any:
        """Execute a task durably."""
        step = self._ask(self._loop.branch().next(), "task", call.name, line)
        step.call = call
        step.context = copy_context()
        return await self._future(step)

    async def wait(self, wait: Wait) -> Any:
        """Register a wait and return what ends it."""
        return await self._start_wait(wait)

    async def wait_all(self, waits: list[Wait], *, return_exceptions: bool) -> list[Any]:
        """Register several waits at once and return what ends them, in their order."""
        futures = [self._start_wait(wait) for wait in waits]
        outcomes: list[Any] = []
        try:
            for future in futures:
                try:
                    outcomes.append(await future)
                except Exception as error:  # noqa: BLE001 - collected, raised below
                    outcomes.append(error)
        except BaseException:
            for future in futures:
                future.cancel()
            raise
        failure = first_failure(outcomes) if not return_exceptions else None
        if failure is not None:
            raise failure
        return outcomes

    def record(self, name: str, produce: Callable[[], T]) -> T:
        """Return the journalled value of a recorded call."""
        return self._record(self._loop.branch().next(), name, self._port.here(), produce)

    def give_up(self, step: Step) -> None:
        """The body no longer awaits a step."""
        step.doomed = step.doomed or self._cancelling
        if not step.cancel_asked:
            step.cancel_asked = True
            self._given_up.append(step)

    def _start_wait(self, wait: Wait) -> StepFuture:
        step = self._ask(self._loop.branch().next(), wait.op, wait.name, wait.line)
        step.wait = wait
        return self._future(step)

    def _future(self, step: Step) -> StepFuture:
        future = StepFuture(loop=self._loop)
        future.step = step
        future.body = self
        step.future = future
        self._asked.append(step)
        return future

    # --- what the loop calls ------------------------------------------------------------------------------------

    def start_timer(self, timer: DurableTimer, delay: float, name: str) -> None:
        """Register a timer of the loop as a durable wait; one of a body that unwinds never fires."""
        if self._leaving:
            return
        line = self._port.here()
        step = self._ask(self._loop.branch().next(), "timer", name, line)
        step.wait = Wait("timer", name, line, delay=delay)
        step.timer = timer
        timer.step = step.id
        self._asked.append(step)

    def cancel_timer(self, timer: DurableTimer) -> None:
        """Forget a timer of the loop."""
        step = self._steps.get(timer.step)
        if step is not None and not self._leaving:
            self.give_up(step)

    def unhandled(self, message: str, error: BaseException | None) -> None:
        """Tell of an exception that nobody retrieved."""
        self._port.warn(f"{message}: {error!r}" if error is not None else message)


async def _call(job: Any, payload: object, context: Context) -> Any:
    try:
        return await call_job(job, payload, context)
    finally:
        end_lines()


def _fail(future: BodyFuture, error: BaseException) -> None:
    try:
        future.set_exception(error)
    except TypeError:  # StopIteration cannot be set on a future
        wrapped = RuntimeError(f"the step raised {error!r}")
        wrapped.__cause__ = error
        future.set_exception(wrapped)
