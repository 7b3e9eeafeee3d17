"""A worker: holds the runs that the server gives it, and everything they share."""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
import platform
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from trigger_sdk._codec import decode_input, decode_payload, encode
from trigger_sdk._codec.errors import PayloadInvalid
from trigger_sdk._declare.context import AttemptInfo, Context, RunInfo
from trigger_sdk._runtime.async_body import AsyncBody
from trigger_sdk._runtime.attempt import Attempt
from trigger_sdk._runtime.execution import TaskScope, enter
from trigger_sdk._runtime.session import Session
from trigger_sdk._runtime.sync_body import SyncBody
from trigger_sdk._runtime.tasks import TaskSet
from trigger_sdk.errors import ProblemError
from trigger_sdk.protocol.limits import PROTOCOL_VERSION
from trigger_sdk.protocol.messages import (
    Ack,
    Arrived,
    Drain,
    Finished,
    Hello,
    Journal,
    LogLine,
    Logs,
    Lost,
    Refused,
    Start,
    Suspended,
    ToServer,
    ToWorker,
    Validate,
    Validated,
    Welcome,
)
from trigger_sdk.protocol.problem import Problem
from trigger_sdk.protocol.values import to_json
from trigger_sdk.protocol.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from trigger_sdk._declare.job import Job
    from trigger_sdk._runtime.places import Places
    from trigger_sdk._runtime.ports import Body
    from trigger_sdk.protocol.entries import Entry
    from trigger_sdk.protocol.manifest import JobManifest

ANNOUNCE_AFTER_S = 0.25
"""Seconds after which a step that is still executing is announced to watchers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """How a worker works.

    Attributes:
        worker_id: a fresh id of this process.
        url: where the server takes worker sessions, ``ws://…/api/v1/worker``.
        token: the bearer token of the session.
        grace: seconds that a run whose every branch waits stays in the worker.
        concurrency: runs held at once.
        task_threads: threads for sync tasks.
        code: version of the loaded code.
    """

    worker_id: str
    url: str
    token: str
    grace: float
    concurrency: int
    task_threads: int
    code: str


class Worker:
    """Executes the attempts that the server gives it. Lives on the main thread's loop.

    Attributes:
        loop: that loop.
        grace: seconds that a waiting run stays; 0 once the worker drains.
        turning: the run whose async body is on the main thread right now, or empty.
    """

    def __init__(
        self,
        settings: WorkerSettings,
        jobs: Mapping[str, Job[Any, Any]],
        manifests: Sequence[JobManifest],
        places: Places,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.grace = settings.grace
        self.clock = clock
        self.turning = ""
        self.relative = places.relative
        self.here = places.here
        self._settings = settings
        self._jobs = jobs
        self._manifests = list(manifests)
        self._attempts: dict[str, Attempt] = {}
        self._task_sets: dict[str, TaskSet] = {}
        self._pages: dict[tuple[str, int], list[Entry]] = {}
        self._pool = ThreadPoolExecutor(settings.task_threads, thread_name_prefix="task")
        self._preparing: set[asyncio.Task[None]] = set()
        self._lines: list[LogLine] = []
        self._draining = False
        self._announcing: asyncio.TimerHandle | None = None
        self._session = Session(settings.url, settings.token, self)
        self.on_welcome: Callable[[], None] = lambda: None
        self.on_busy: Callable[[], None] = lambda: None

    @property
    def busy(self) -> bool:
        """True while any run is held."""
        return bool(self._attempts)

    async def run(self) -> None:
        """Serve until drained. Raises ProblemError when the server refuses the session."""
        await self._session.run()

    def drain(self) -> None:
        """Take no new runs, let waiting ones leave at once, end when nothing is held."""
        self._draining = True
        self.grace = 0.0
        for attempt in list(self._attempts.values()):
            attempt.leave()
        self._end_if_drained()

    def say(self, line: LogLine) -> None:
        """Send a line of output; called on any thread. Lines keep their place among the main thread's messages."""
        self._lines.append(line)
        if threading.current_thread() is threading.main_thread():
            self._send_lines()
        elif len(self._lines) == 1:
            self.loop.call_soon_threadsafe(self._send_lines)

    def _send_lines(self) -> None:
        lines, self._lines = self._lines, []
        for line in lines:
            attempt = self._attempts.get(line.run) if line.ordinal else None
            if attempt is not None:
                attempt.flush()  # a line that shows a recorded value is never kept before the value is
                attempt.say(line)
        if lines:
            self._session.send(Logs(lines))

    # --- SessionHandler -----------------------------------------------------------------------------------------

    def hello(self) -> Hello:
        """Introduce this worker."""
        return Hello(
            protocol=PROTOCOL_VERSION,
            worker=self._settings.worker_id,
            code=self._settings.code,
            sdk=VERSION,
            python=platform.python_version(),
            pid=os.getpid(),
            capacity=self._settings.concurrency,
            jobs=self._manifests,
            held=[attempt.held() for attempt in self._attempts.values()],
        )

    def welcomed(self, welcome: Welcome) -> None:
        """Go on with the runs whose lease still stands, drop the others."""
        kept = set(welcome.kept)
        self._pages.clear()  # of a start that the lost connection cut off
        for attempt in list(self._attempts.values()):
            if attempt.run_id in kept:
                attempt.resend()
            else:
                attempt.drop()
        self.on_welcome()

    def lease_over(self) -> None:
        """Drop every run: others have them now."""
        for attempt in list(self._attempts.values()):
            attempt.drop()

    def entitled(self) -> bool:
        """Return whether the runs that are held are this worker's still. Called on any thread."""
        return not self._session.lease.over

    def heard(self, said_at: float) -> None:
        """The server heard at this time of ``time.monotonic()`` that this process lives. Called on any thread."""
        self._session.lease.confirm(said_at)

    def handle(self, messages: Sequence[ToWorker]) -> None:
        """Do what the server says, in order."""
        for message in messages:
            if isinstance(message, (Ack, Arrived, Suspended, Finished, Refused, Lost)):
                attempt = self._attempts.get(message.run)
                if attempt is not None and attempt.start.token == message.token:
                    self._tell(attempt, message)
            elif isinstance(message, Journal):
                self._pages.setdefault((message.run, message.token), []).extend(message.entries)
            elif isinstance(message, Start):
                self._start(message)
            elif isinstance(message, Validate):
                self._session.send(self._validate(message))
            elif isinstance(message, Drain):
                self.drain()

    def _tell(self, attempt: Attempt, message: Ack | Arrived | Suspended | Finished | Refused | Lost) -> None:
        self.turning = attempt.run_id
        try:
            self._pass_on(attempt, message)
        except Exception as error:  # noqa: BLE001 - one run's trouble must not end the session of all the others
            attempt.broken(error)
        finally:
            self.turning = ""

    @staticmethod
    def _pass_on(attempt: Attempt, message: Ack | Arrived | Suspended | Finished | Refused | Lost) -> None:
        if isinstance(message, Ack):
            attempt.acknowledged(message)
        elif isinstance(message, Arrived):
            attempt.arrived(message)
        elif isinstance(message, Suspended):
            attempt.suspended(message)
        elif isinstance(message, Finished):
            attempt.finished()
        elif isinstance(message, Refused):
            attempt.refused(message)
        else:
            attempt.drop()

    # --- starting -----------------------------------------------------------------------------------------------

    def _start(self, start: Start) -> None:
        entries = self._pages.pop((start.run, start.token), [])
        old = self._attempts.get(start.run)
        if old is not None:
            old.drop()
        job = self._jobs.get(start.job)
        attempt = Attempt(start, entries, job, self)
        self._attempts[start.run] = attempt
        self.on_busy()
        if self._announcing is None:
            self._announcing = self.loop.call_later(ANNOUNCE_AFTER_S, self._announce)
        if job is None:
            message = f"this worker has no job {start.job!r}"
            hint = "The job was renamed or removed; cancel the run, or bring the job back."
            attempt.raised(ProblemError(Problem(code="unknown-job", message=message, hint=hint)), canceled=False)
        elif job.prepare is None:
            self._begin(attempt)
        else:
            variables = enter(TaskScope(start.run, "prepare"), copy_context())
            task = self.loop.create_task(self._prepare(attempt, job.prepare), context=variables)
            self._preparing.add(task)
            task.add_done_callback(self._preparing.discard)

    async def _prepare(self, attempt: Attempt, prepare: Callable[[], object]) -> None:
        try:
            if inspect.iscoroutinefunction(prepare):
                await prepare()
            else:
                await self.loop.run_in_executor(self._pool, copy_context().run, prepare)
        except BaseException as error:  # noqa: BLE001 - the user's function; the run fails with its error
            if not attempt.over:
                attempt.raised(error, canceled=False)
            return
        if not attempt.over:  # it may have been dropped meanwhile
            self._begin(attempt)

    def _begin(self, attempt: Attempt) -> None:
        try:
            payload = self._payload(attempt)
        except Exception as error:  # noqa: BLE001 - the payload does not fit: the run fails with the reason
            attempt.raised(error, canceled=False)
            return
        self.turning = attempt.run_id
        try:
            attempt.begin(payload, _context(attempt))
        except Exception as error:  # noqa: BLE001 - as in _tell
            attempt.broken(error)
        finally:
            self.turning = ""

    @staticmethod
    def _payload(attempt: Attempt) -> object:
        signature = attempt.job.signature
        if signature.payload is None or not attempt.start.payload:
            return None
        return decode_input(attempt.start.payload, signature.payload_type)

    def _validate(self, message: Validate) -> Validated:
        import msgspec

        job = self._jobs.get(message.job)
        if job is None:
            return Validated(message.request, None, [("", f"no job {message.job!r}")])
        plain = msgspec.msgpack.decode(message.payload)
        signature = job.signature
        try:
            if signature.payload is None or signature.payload_type is Any:
                value = plain
            else:
                value = decode_payload(plain, signature.payload_type)
            return Validated(message.request, encode(value, f"the payload of job {job.id}"), [])
        except PayloadInvalid as error:
            return Validated(message.request, None, list(error.fields))
        except Exception as error:  # noqa: BLE001 - a validator of the user's model raised something of its own
            return Validated(message.request, None, [("", f"{type(error).__name__}: {error}")])

    # --- WorkerPort ---------------------------------------------------------------------------------------------

    def send(self, message: ToServer) -> None:
        """Send a message with the next frame: at once when nothing else here could add to it."""
        alone = len(self._attempts) == 1 and not any(tasks.executing for tasks in self._task_sets.values())
        self._session.send(message, at_once=alone)

    def forget(self, attempt: Attempt) -> None:
        """The attempt is over."""
        if self._attempts.get(attempt.run_id) is attempt:
            del self._attempts[attempt.run_id]
            self._task_sets.pop(attempt.run_id, None)
        self._end_if_drained()

    def new_body(self, attempt: Attempt) -> Body:
        """Make the body of the attempt's job."""
        start = attempt.start
        if attempt.job is None or attempt.job.is_async:
            return AsyncBody(start.run, attempt, began_at=start.began_at, lines_kept=start.log_ordinal)
        return SyncBody(start.run, attempt, post=self.loop.call_soon_threadsafe, lines_kept=start.log_ordinal)

    def task_set(self, attempt: Attempt) -> TaskSet:
        """Make what executes the attempt's tasks."""
        tasks = TaskSet(
            attempt,
            loop=self.loop,
            pool=self._pool,
            token=attempt.start.token,
            clock=self.clock,
            entitled=self.entitled,
        )
        self._task_sets[attempt.run_id] = tasks
        return tasks

    def warn(self, message: str, run_id: str) -> None:
        """Log a warning that belongs to a run, without a place among the body's lines."""
        self.say(LogLine(run_id, "", 0, time.time(), logging.WARNING, "trigger", message, "log"))

    def _announce(self) -> None:
        """Tell watchers of steps that have been executing for a while."""
        since = self.clock() - ANNOUNCE_AFTER_S
        for tasks in self._task_sets.values():
            for news in tasks.long_running(since):
                self._session.send(news)
        self._announcing = self.loop.call_later(ANNOUNCE_AFTER_S, self._announce) if self._task_sets else None

    def close(self) -> None:
        """Start nothing more in the threads of sync tasks."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _end_if_drained(self) -> None:
        if self._draining and not self._attempts:
            self._send_lines()
            self._session.stop()


def _context(attempt: Attempt) -> Context:
    start = attempt.start
    metadata = to_json(start.metadata) if start.metadata else {}
    return Context(
        run=RunInfo(
            id=start.run,
            job=start.job,
            created_at=datetime.fromtimestamp(start.created_at, tz=UTC),
            parent_id=start.parent or None,
            idempotency_key=start.idempotency_key or None,
            tags=tuple(start.tags),
            metadata=metadata if isinstance(metadata, dict) else {},
        ),
        attempt=AttemptInfo(number=start.attempt),
        logger=logging.getLogger(f"job.{start.job}"),
    )
