"""One connection of a worker: does what the worker's messages ask for, and answers when the engine has.

Everything here runs in callbacks of the loop; there is no task per message. What a frame asks for is submitted to the
engine at once, in order, so that it lands in one commit; the answers come in the order of the commits, and so do the
news that the hub puts into the same outbox.
"""

from __future__ import annotations

import asyncio
import logging
from asyncio import Future
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from engine.engine import Engine
from engine.errors import EngineClosed, EngineError, JournalConflict, LeaseLost, RunNotFound, SessionUnknown
from engine.model import Appended
from executor.announcer import Announcer
from executor.errors import FrameInvalid, SessionEnded, SessionExpired
from executor.sessions.outbox import Outbox
from executor.sessions.validation import Validation
from executor.sessions.worker import Worker
from trigger_sdk.protocol.messages import (
    Ack,
    Append,
    Blocked,
    Finish,
    Finished,
    Heartbeat,
    LogLine,
    Logs,
    Lost,
    Refused,
    StepRunning,
    Suspend,
    Suspended,
    ToServer,
    Validated,
)

logger = logging.getLogger("trigger.executor")

_NEVER = 1 << 62
"""A ``seq`` above all others."""


class Session:
    """A connection that introduced itself.

    Attributes:
        worker: whose it is.
        outbox: what waits to be sent.
        ready: True when the engine opened the session; news from before belong to the connection before.
        ending: done with the reason when the connection is to be closed.
        in_flight: operations of this worker that are not committed yet.
        sending_since: loop time at which the frame that is being sent began, or None.
        mute: True when the worker did not answer a question, and nothing came from it since.
    """

    def __init__(
        self, worker: Worker, engine: Engine, announcer: Announcer, validation: Validation, *, beat_every: float
    ) -> None:
        self.worker = worker
        self.outbox = Outbox()
        self.ready = False
        self.ending: Future[SessionEnded] = asyncio.get_running_loop().create_future()
        self.in_flight = 0
        self.sending_since: float | None = None
        self.mute = False
        self._engine = engine
        self._announcer = announcer
        self._validation = validation
        self._beat_every = beat_every
        self._loop = asyncio.get_running_loop()
        self._settled: Future[None] | None = None
        self._handlers: dict[type, Callable[[Any], None]] = {
            Append: self._append,
            Suspend: self._suspend,
            Finish: self._finish,
            StepRunning: self._step_running,
            Logs: self._logs,
            Heartbeat: lambda _: None,
            Blocked: self._announcer.blocked,
            Validated: self._validation.answered,
        }

    def end(self, reason: SessionEnded) -> None:
        """Have the connection closed."""
        if not self.ending.done():
            self.ending.set_result(reason)

    def handle(self, messages: Sequence[ToServer]) -> None:
        """Do what the messages of a frame ask for, in order. Raises FrameInvalid for one that has no place here."""
        self.heard()
        for message in messages:
            handler = self._handlers.get(type(message))
            if handler is None:
                raise FrameInvalid(f"worker {self.worker.id} sent {type(message).__name__} in the middle of a session")
            handler(message)

    def heard(self) -> None:
        """Note a sign of life, and tell the engine when it was not told for a while."""
        now = self._loop.time()
        self.mute = False
        self.worker.heard_at = now
        if now - self.worker.beat_at >= self._beat_every:
            self.worker.beat_at = now
            self._engine.beat(self.worker.id).add_done_callback(self._beaten)

    def _beaten(self, future: Future[None]) -> None:
        error = None if future.cancelled() else future.exception()
        if isinstance(error, SessionUnknown):
            self.end(SessionExpired(f"the lease of worker {self.worker.id} ran out"))
        elif error is not None and not isinstance(error, EngineError):
            logger.error("a sign of life of worker %s was lost", self.worker.id, exc_info=error)

    async def settled(self, limit: int) -> None:
        """Return when at most ``limit`` operations are in flight."""
        while self.in_flight > limit:
            if self._settled is None:
                self._settled = self._loop.create_future()
            await asyncio.shield(self._settled)

    def _done(self) -> None:
        self.in_flight -= 1
        if self._settled is not None:
            self._settled.set_result(None)
            self._settled = None

    # --- what the worker asks for -------------------------------------------------------------------------------

    def _append(self, message: Append) -> None:
        self.in_flight += 1
        future = self._engine.append(message.run, message.token, message.cid, message.entries)
        future.add_done_callback(partial(self._appended, message.run, message.token, message.cid))

    def _appended(self, run: str, token: int, cid: int, future: Future[Appended]) -> None:
        self._done()
        error = _error_of(future)
        if error is None:
            appended = future.result()
            self.outbox.put(Ack(run, token, cid, appended.first, appended.at))
        else:
            self._refuse(run, token, cid, error)

    def _suspend(self, message: Suspend) -> None:
        self.in_flight += 1
        future = self._engine.suspend(message.run, message.token, message.seen, message.wake_at)
        future.add_done_callback(partial(self._suspended, message.run, message.token))

    def _suspended(self, run: str, token: int, future: Future[bool]) -> None:
        self._done()
        error = _error_of(future)
        if error is not None:
            self._refuse(run, token, 0, error)
            return
        left = future.result()
        self.outbox.put(Suspended(run, token, left))
        held = self.worker.drop(run, token) if left else None
        if held is not None:
            self._announcer.run("waiting", run, held.job, attempt=held.attempt, worker=self.worker.id)

    def _finish(self, message: Finish) -> None:
        self.in_flight += 1
        future = self._engine.finish(message.run, message.token, message.state, message.value, message.failed_step)
        future.add_done_callback(partial(self._finished, message))

    def _finished(self, message: Finish, future: Future[None]) -> None:
        self._done()
        error = _error_of(future)
        if error is not None:
            self._refuse(message.run, message.token, 0, error)
            return
        self.outbox.put(Finished(message.run, message.token))
        held = self.worker.drop(message.run, message.token)
        if held is not None:
            self._announcer.run(
                message.state,
                message.run,
                held.job,
                attempt=held.attempt,
                worker=self.worker.id,
                error=None if message.state == "completed" else message.value,
                failed_step=message.failed_step,
            )

    def _refuse(self, run: str, token: int, cid: int, error: BaseException) -> None:
        """Tell the worker that what it asked for was not done."""
        if isinstance(error, EngineClosed):
            return  # the server stops; the worker says it again to the next one
        if isinstance(error, LeaseLost | RunNotFound):
            self._lose(run, token)
        elif isinstance(error, JournalConflict):
            # Back to the queue, with the lease over on both sides: it comes back by replay of what is in the journal.
            logger.warning("run %s is sent back to be replayed: %s", run, error)
            self._engine.suspend(run, token, _NEVER, 0.0).add_done_callback(_error_of)
            self._lose(run, token)
        elif isinstance(error, EngineError):
            problem = error.problem
            self.outbox.put(Refused(run, token, cid, problem.code, problem.message, problem.hint))
        else:
            logger.error("an operation on run %s failed", run, exc_info=error)
            message = "the server made a mistake while it kept this run's progress"
            self.outbox.put(Refused(run, token, cid, "internal-error", message, "Look into the server's log."))

    def _lose(self, run: str, token: int) -> None:
        self.worker.drop(run, token)
        self.outbox.put(Lost(run, token))

    def _step_running(self, news: StepRunning) -> None:
        self._engine.note_running(news.run, news.token, news.step, news.name, news.op, news.attempt, news.started_at)

    def _logs(self, message: Logs) -> None:
        self.in_flight += 1
        kept = self._engine.keep_logs(message.lines, self.worker.id)
        kept.add_done_callback(partial(self._kept, message.lines))

    def _kept(self, lines: list[LogLine], future: Future[list[LogLine]]) -> None:
        self._done()
        error = _error_of(future)
        if error is not None and not isinstance(error, EngineError):
            logger.error("lines of output could not be kept", exc_info=error)
        # What could not be kept is shown all the same: better twice than never.
        new = lines if error is not None else future.result()
        if new:
            self._announcer.lines(new)


def _error_of(future: Future[Any]) -> BaseException | None:
    return asyncio.CancelledError() if future.cancelled() else future.exception()
