"""All workers and their sessions; what the engine tells goes through here to the right one."""

from __future__ import annotations

import asyncio
import logging
from asyncio import Future
from collections.abc import Iterable
from typing import Any

from engine.clock import Clock, SystemClock
from engine.engine import Engine
from engine.errors import EngineError
from engine.model import Assignment
from executor.announcer import Announcer
from executor.errors import (
    FrameInvalid,
    ProtocolMismatch,
    SessionEnded,
    SessionExpired,
    SessionReplaced,
    WorkerDuplicate,
    WorkerStalled,
)
from executor.sessions.aftermath import Aftermath
from executor.sessions.session import Session
from executor.sessions.validation import Validation
from executor.sessions.worker import Held, Worker, WorkerView
from executor.settings import Settings
from executor.watcher import RunNews, Unwatched, Watcher
from trigger_sdk.protocol.entries import Entry
from trigger_sdk.protocol.limits import PROTOCOL_VERSION
from trigger_sdk.protocol.messages import Arrived, Blocked, Drain, Hello, Lost, Welcome

logger = logging.getLogger("trigger.executor")


class Hub:
    """Implements :class:`engine.listener.Listener`.

    Made before the engine, which wants a listener; :meth:`attach` then names the engine.

    Args:
        settings: the executor's.
        watcher: is told what happens.
        clock: gives the time of the watcher's events.
    """

    def __init__(self, settings: Settings, watcher: Watcher | None = None, clock: Clock | None = None) -> None:
        self._settings = settings
        self.watcher: Watcher = watcher or Unwatched()
        self.announcer = Announcer(self.watcher, clock or SystemClock())
        self.validation = Validation(self._choose, timeout_s=settings.validation_timeout_s)
        self._workers: dict[str, Worker] = {}
        self._to_drain: set[str] = set()
        self._sweep: asyncio.TimerHandle | None = None
        self._attached: Engine | None = None
        self._aftermath: Aftermath | None = None

    def attach(self, engine: Engine) -> None:
        """Name the engine. News that came before are of sessions of another life, and nobody's."""
        self._attached = engine
        self._aftermath = Aftermath(engine.run, self.announcer)

    @property
    def _engine(self) -> Engine:
        if self._attached is None:
            raise RuntimeError("the hub has no engine yet: call attach()")
        return self._attached

    def close(self) -> None:
        """Forget all workers; their connections are closed by the server."""
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None
        if self._aftermath is not None:
            self._aftermath.close()
        self._workers.clear()

    def end_all(self, reason: SessionEnded) -> None:
        """Close all connections, for a reason that is told to the workers."""
        for worker in self._workers.values():
            if worker.session is not None:
                worker.session.end(reason)

    # --- Listener -----------------------------------------------------------------------------------------------

    def created(self, run_id: str, job: str) -> None:
        """There is a new run."""
        self.announcer.run("created", run_id, job)

    def ended(self, run_id: str, token: int) -> None:
        """A run ended that no worker held."""
        if self._aftermath is not None:
            self._aftermath.ended(run_id, token)

    def assigned(self, worker_id: str, runs: list[Assignment]) -> None:
        """Start these runs."""
        worker, session = self._open_session(worker_id)
        for run in runs:
            if worker is not None and session is not None:
                worker.held[run.run] = Held(run.token, run.job, run.attempt)
                session.outbox.open_run(run)
            # Otherwise it is away: what it does not name when it comes back is given again, as a later attempt.
            news: RunNews = "started" if run.attempt <= 1 else "resumed"
            self.announcer.run(news, run.run, run.job, attempt=run.attempt, worker=worker_id)

    def arrived(self, worker_id: str, run_id: str, token: int, entries: list[Entry]) -> None:
        """Deliver entries."""
        _, session = self._open_session(worker_id)
        if session is not None:
            session.outbox.put(Arrived(run_id, token, entries))

    def lost(self, worker_id: str, run_id: str, token: int) -> None:
        """A lease is over."""
        worker, session = self._open_session(worker_id)
        if worker is not None:
            worker.drop(run_id, token)
        if session is not None:
            session.outbox.put(Lost(run_id, token))
        if self._aftermath is not None:
            self._aftermath.lost(run_id, token, worker_id)

    def _open_session(self, worker_id: str) -> tuple[Worker | None, Session | None]:
        worker = self._workers.get(worker_id)
        session = None if worker is None else worker.session
        return worker, session if session is not None and session.ready else None

    # --- connections --------------------------------------------------------------------------------------------

    async def join(self, hello: Hello) -> Session:
        """Open a session for a connection that introduced itself; its first message, Welcome, is in its outbox.

        Raises:
            ProtocolMismatch, FrameInvalid, WorkerDuplicate: the connection is to be closed.
            EngineError: the engine cannot take it now.
        """
        worker, came_back = self._admit(hello)
        session = worker.session = Session(
            worker, self._engine, self.announcer, self.validation, beat_every=self._settings.heartbeat_s
        )
        worker.heard_at = worker.beat_at = asyncio.get_running_loop().time()
        try:
            manifest = None if came_back else self._engine.save_manifest(hello.code, hello.jobs)
            opened = self._engine.open_session(worker.id, hello.code, sorted(worker.jobs), hello.capacity, hello.held)
            if manifest is not None:
                manifest.add_done_callback(_ignore)
            kept = await opened
            # No await between the answer and this: what the engine tells next is for this session.
            session.ready = True
            going_on = set(kept)
            worker.held = {run: held for run, held in worker.held.items() if run in going_on}
            session.outbox.put(
                Welcome(lease_ttl=self._settings.lease_ttl_s, heartbeat=self._settings.heartbeat_s, kept=kept)
            )
            self.announcer.worker(
                "reconnected" if came_back else "connected", worker.id, code=worker.code, pid=worker.pid
            )
            if manifest is not None:
                await manifest
            await self._recall(worker, hello, kept)
        except BaseException:
            self._undo_join(session, came_back=came_back)
            raise
        if worker.draining or worker.id in self._to_drain:
            self.drain(worker.id)
        self._watch_over()
        return session

    def _undo_join(self, session: Session, *, came_back: bool) -> None:
        worker, told = session.worker, session.ready
        session.ready = False
        if worker.session is session:
            worker.session = None
            worker.gone_at = asyncio.get_running_loop().time()
            if told:
                self.announcer.worker("disconnected", worker.id, code=worker.code, pid=worker.pid)
            if not came_back:
                self._forget(worker)

    def _admit(self, hello: Hello) -> tuple[Worker, bool]:
        if hello.protocol != PROTOCOL_VERSION:
            raise ProtocolMismatch(
                f"worker speaks protocol {hello.protocol}, server {PROTOCOL_VERSION} (trigger-sdk {hello.sdk})"
            )
        if not hello.worker or hello.capacity < 1:
            raise FrameInvalid("Hello has no worker id, or a capacity below 1")
        worker = self._workers.get(hello.worker)
        if worker is None:
            worker = Worker(hello.worker, hello.code, hello.pid, frozenset(job.id for job in hello.jobs))
            self._workers[worker.id] = worker
            return worker, False
        if worker.pid != hello.pid or worker.code != hello.code:
            raise WorkerDuplicate(f"worker {worker.id} is process {worker.pid} already")
        if worker.session is not None:
            worker.session.end(SessionReplaced(f"worker {worker.id} connected anew"))
            self.validation.abandon(worker.session)
        return worker, True

    async def _recall(self, worker: Worker, hello: Hello, kept: Iterable[str]) -> None:
        """Know the runs that the worker holds; after a restart of the server they are looked up."""
        tokens = {held.run: held.token for held in hello.held}
        for run_id in set(kept) - set(worker.held):
            run = await self._engine.run(run_id)
            if run is not None:
                worker.held[run_id] = Held(tokens[run_id], run.job, run.attempt)

    def leave(self, session: Session, *, clean: bool) -> None:
        """A connection is over; ``clean``: the worker said good-bye, so its lease ends now and not after a while."""
        worker = session.worker
        session.ready = False
        self.validation.abandon(session)
        if worker.session is not session or self._workers.get(worker.id) is not worker:
            return
        worker.session = None
        worker.gone_at = asyncio.get_running_loop().time()
        if clean:
            self._forget(worker)
            self._engine.close_session(worker.id, crashed=False).add_done_callback(_report)
        self.announcer.worker("left" if clean else "disconnected", worker.id, code=worker.code, pid=worker.pid)

    # --- the supervisor -----------------------------------------------------------------------------------------

    def worker_died(self, worker_id: str, *, crashed: bool = True) -> None:
        """Release the runs of a worker whose process is known to be gone, at once, whether or not it had a session.

        ``crashed=False``: it was ended on purpose, and none of its runs is to blame.
        """
        worker = self._workers.get(worker_id)
        self._to_drain.discard(worker_id)
        if worker is not None:
            self._forget(worker)
            if worker.session is not None:
                worker.session.end(SessionExpired(f"the process of worker {worker_id} is gone"))
            self.announcer.worker("lost", worker_id, code=worker.code, pid=worker.pid)
        self._engine.close_session(worker_id, crashed=crashed).add_done_callback(_report)

    def drain(self, worker_id: str) -> None:
        """Give a worker nothing new, and tell it to exit when it holds nothing; also one that is yet to come."""
        worker, session = self._open_session(worker_id)
        self._to_drain.add(worker_id)
        if worker is None or session is None:
            return
        if not worker.draining:
            worker.draining = True
            self._engine.drain_session(worker_id).add_done_callback(_report)
            self.announcer.worker("draining", worker_id, code=worker.code, pid=worker.pid)
        session.outbox.put(Drain())

    def blocked(self, news: Blocked) -> bool:
        """Take the news of a worker's watchdog as a sign of life. Returns False when the worker is not known."""
        worker = self._workers.get(news.worker)
        if worker is None:
            return False
        if worker.session is not None and worker.session.ready:
            mute = worker.session.mute
            worker.session.heard()
            worker.session.mute = mute  # the process lives, and still does not answer
        self.announcer.blocked(news)
        return True

    def workers(self) -> list[WorkerView]:
        """Return all workers that are connected or may come back."""
        return [
            WorkerView(
                id=worker.id, code=worker.code, pid=worker.pid, jobs=worker.jobs,
                connected=worker.session is not None and worker.session.ready, draining=worker.draining,
                held=len(worker.held),
            )
            for worker in self._workers.values()
        ]  # fmt: skip

    def connected(self) -> int:
        """Return how many workers are connected."""
        return sum(worker.session is not None and worker.session.ready for worker in self._workers.values())

    def _choose(self, job: str, code: str) -> Session | None:
        """Return the session of the newest worker that has this job in this code version, and answers."""
        for worker in reversed(self._workers.values()):
            session = worker.session
            if session is None or not session.ready or session.mute:
                continue
            if worker.code == code and job in worker.jobs:
                return session
        return None

    # --- time ---------------------------------------------------------------------------------------------------

    def _watch_over(self) -> None:
        if self._sweep is None:
            loop = asyncio.get_running_loop()
            self._sweep = loop.call_later(self._settings.heartbeat_s, self._look_around)

    def _look_around(self) -> None:
        """End the sessions of workers that say or read nothing; forget those that did not come back."""
        self._sweep = None
        now = asyncio.get_running_loop().time()
        for worker in list(self._workers.values()):
            session = worker.session
            if session is None:
                if now - worker.gone_at > self._settings.lease_ttl_s:
                    self._forget(worker)
                    self.announcer.worker("lost", worker.id, code=worker.code, pid=worker.pid)
            elif session.sending_since is not None and now - session.sending_since > self._settings.stall_s:
                session.end(WorkerStalled(f"worker {worker.id} read nothing for {self._settings.stall_s:g} s"))
            elif now - worker.heard_at > self._settings.lease_ttl_s:
                session.end(SessionExpired(f"worker {worker.id} was silent for {self._settings.lease_ttl_s:g} s"))
        if self._workers:
            self._watch_over()

    def _forget(self, worker: Worker) -> None:
        self._workers.pop(worker.id, None)
        self._to_drain.discard(worker.id)


def _ignore(future: Future[Any]) -> None:
    if not future.cancelled():
        future.exception()


def _report(future: Future[Any]) -> None:
    error = None if future.cancelled() else future.exception()
    if error is not None and not isinstance(error, EngineError):
        logger.error("a session could not be changed", exc_info=error)
