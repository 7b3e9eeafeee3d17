"""The tasks of one attempt that are executing, or waiting for their next attempt."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from trigger_sdk._runtime.execution import LeaseOver, TaskScope, canceled, enter, execute
from trigger_sdk._runtime.output import end_lines
from trigger_sdk.protocol.messages import StepRunning

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Executor

    from trigger_sdk._runtime.journal import Journal
    from trigger_sdk._runtime.step import Step
    from trigger_sdk.protocol.entries import Entry


class TaskPort(Protocol):
    """What executing tasks needs of its attempt."""

    @property
    def run_id(self) -> str:
        """The run's id."""
        ...

    @property
    def journal(self) -> Journal:
        """The journal the attempt began with."""
        ...

    @property
    def leaving(self) -> bool:
        """True while the server decides whether the run may leave."""
        ...

    def settled(self, entry: Entry) -> None:
        """An attempt of a task has ended."""
        ...

    def consider_leaving(self) -> None:
        """Something came to rest."""
        ...


class TaskSet:
    """Executes the tasks of one attempt.

    Attributes:
        executing: the asyncio tasks at work, by step id.
    """

    def __init__(
        self,
        port: TaskPort,
        *,
        loop: asyncio.AbstractEventLoop,
        pool: Executor,
        token: int,
        clock: Callable[[], float],
        entitled: Callable[[], bool] = lambda: True,
    ) -> None:
        """Take what tasks run on, the lease's token, and what tells, on any thread, whether the lease stands."""
        self.executing: dict[str, asyncio.Task[None]] = {}
        self._port = port
        self._loop = loop
        self._pool = pool
        self._token = token
        self._clock = clock
        self._entitled = entitled
        self._started: dict[str, tuple[Step, int, float]] = {}
        self._announced: set[str] = set()
        self._retries: dict[str, tuple[Step, int, float, asyncio.TimerHandle]] = {}
        self._over = False

    def start(self, step: Step) -> None:
        """Execute a task, from where the journal says it is: its first attempt, or one after a failure."""
        failed = self._port.journal.failed_attempts.get(step.id)
        if failed is None:
            self._execute(step, 1)
        else:
            self._schedule(step, failed.attempt + 1, failed.due_at or 0.0)

    def never_started(self, step: Step) -> None:
        """The body gave a task up before it began."""
        self._port.settled(canceled(step, 0, None))

    def cancel(self, step: Step) -> None:
        """The body gave a task up: an async one is interrupted; one in a thread runs on, and its result is dropped."""
        retry = self._retries.pop(step.id, None)
        if retry is not None:
            retry[3].cancel()
            self._port.settled(canceled(step, retry[1] - 1, None))
            return
        task = self.executing.get(step.id)
        if task is not None:
            task.cancel()

    def next_retry(self) -> float | None:
        """Return when the earliest retry is due, in seconds since the epoch, or None."""
        return min((due_at for _, _, due_at, _ in self._retries.values()), default=None)

    def retry_due(self) -> None:
        """Begin the retries that came due while the run wanted to leave."""
        now = self._clock()
        for step, attempt, due_at, timer in list(self._retries.values()):
            if due_at <= now:
                timer.cancel()
                del self._retries[step.id]
                self._execute(step, attempt)

    def abandon(self) -> None:
        """Stop everything; nothing is said of it."""
        self._over = True
        for _, _, _, timer in self._retries.values():
            timer.cancel()
        self._retries.clear()
        for task in self.executing.values():
            task.cancel()

    def long_running(self, since: float) -> Iterator[StepRunning]:
        """Yield news of attempts that began before ``since`` and were not announced yet."""
        for step, attempt, started_at in self._started.values():
            if started_at <= since and step.id not in self._announced:
                self._announced.add(step.id)
                yield StepRunning(self._port.run_id, self._token, step.id, step.name, step.op, attempt, started_at)

    def _schedule(self, step: Step, attempt: int, due_at: float) -> None:
        delay = due_at - self._clock()
        if delay <= 0:
            self._execute(step, attempt)
            return
        timer = self._loop.call_later(delay, self._fire, step.id)
        self._retries[step.id] = (step, attempt, due_at, timer)

    def _fire(self, step_id: str) -> None:
        if self._over or self._port.leaving or step_id not in self._retries:
            return  # leaving: retry_due() begins it if the run has to stay
        step, attempt, _, _ = self._retries.pop(step_id)
        self._execute(step, attempt)

    def _execute(self, step: Step, attempt: int) -> None:
        assert step.context is not None  # noqa: S101 - set when the task was asked for
        variables = enter(TaskScope(self._port.run_id, step.id), step.context)
        self._started[step.id] = (step, attempt, self._clock())
        task = self._loop.create_task(self._run(step, attempt), context=variables)
        self.executing[step.id] = task

    async def _run(self, step: Step, attempt: int) -> None:
        started_at = self._started[step.id][2]
        try:
            entry = await execute(
                step, attempt, loop=self._loop, pool=self._pool, clock=self._clock, entitled=self._entitled
            )
        except LeaseOver:
            return  # the run is dropped, or about to be
        except asyncio.CancelledError:
            if self._over or not step.cancel_asked:
                raise
            entry = canceled(step, attempt, started_at)
        finally:
            end_lines()
            self.executing.pop(step.id, None)
            self._started.pop(step.id, None)
            self._announced.discard(step.id)
        if self._over:
            return
        self._port.settled(entry)
        if entry.kind == "step_attempt_failed":
            self._schedule(step, attempt + 1, entry.due_at or 0.0)
            self._port.consider_leaving()
