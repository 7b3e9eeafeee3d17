"""The engine as the executor sees it.

Writes return futures: an operation is submitted when the method is *called*, in the order of the calls, and the future
is done after the commit. ``await engine.append(...)`` works as with a coroutine; a session that has many appends in
flight uses ``add_done_callback`` instead.
"""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, TypeVar

from engine import startup
from engine.board import Board
from engine.clock import Clock
from engine.errors import EngineClosed, RunNotFound
from engine.group import Committed
from engine.ids import Ids, SortableIds
from engine.listener import Listener
from engine.model import (
    Appended,
    Created,
    EndState,
    KnownJob,
    Page,
    Run,
    RunFilter,
    RunRequest,
    Sent,
    Settings,
    Step,
)
from engine.operations import appending, ending, events, leases, logs, manifests, recovery, runs
from engine.outbox import Outbox
from engine.peers import Peers
from engine.pipeline import Pipeline
from engine.store.interface import OpenStore, Reader, Store
from engine.transaction import Lost, Operation, Transaction
from engine.views import logs as log_view
from engine.views import runs as run_view
from engine.views import steps as step_view
from engine.views.steps import InFlight
from trigger_sdk.protocol.entries import Entry, RunOptions
from trigger_sdk.protocol.manifest import JobManifest
from trigger_sdk.protocol.messages import HeldRun, LogLine
from trigger_sdk.protocol.problem import Problem
from trigger_sdk.protocol.states import FINAL_STATES

T = TypeVar("T")

_BRIEF_BYTES: Final = 16 * 1024
"""A value up to this size is kept in some microseconds."""

_READERS: Final = 2
"""Threads that read: one long list does not hold up a look at a run."""


class Engine:
    """Durable runs on a store. Made by :meth:`open`; used on the loop it was opened on."""

    def __init__(self, store: OpenStore, listener: Listener, clock: Clock, ids: Ids, settings: Settings) -> None:
        loop = asyncio.get_running_loop()
        self._store = store
        self._board = Board(me=store.executor)
        self._outbox = Outbox(listener, loop)
        self._pipeline = Pipeline(
            store, self._board, clock=clock, ids=ids, settings=settings, loop=loop, announce=self._announce
        )
        self._roles = startup.role_loops(self._pipeline, clock)
        self._peers = Peers(
            store.link(), self._pipeline, self._board, self._roles, loop=loop, ended=self._ended_elsewhere
        )
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="trigger-reader")
        self._in_flight: dict[str, dict[str, InFlight]] = {}
        self._closed = False

    @classmethod
    async def open(
        cls,
        store: Store,
        *,
        listener: Listener,
        clock: Clock | None = None,
        ids: Ids | None = None,
        settings: Settings | None = None,
    ) -> Engine:
        """Open the store (``SqliteStore(path)``), bring its schema up to date, start the writer and the roles.

        Sessions of an earlier process are dead: their runs are queued again before this returns. StoreError.
        """
        settings = settings or Settings()
        opened = await asyncio.to_thread(store.open, settings.durability)
        engine = cls(opened, listener, clock or opened.clock, ids or SortableIds(), settings)
        engine._pipeline.start()
        try:
            await engine._pipeline.submit(startup.release_dead_sessions)
            await engine._peers.start()
        except BaseException:
            await engine.close()
            raise
        return engine

    async def close(self) -> None:
        """Stop the roles, commit what waits, close the store. Runs that sessions hold are released at the next open."""
        if self._closed:
            return
        self._closed = True
        await self._peers.stop()
        if self._board.me:
            self._pipeline.submit(startup.leave).add_done_callback(_forget)
        await self._pipeline.close()
        await asyncio.to_thread(self._readers.shutdown)
        await asyncio.to_thread(self._store.close)
        self._outbox.close()

    @property
    def problem(self) -> Problem | None:
        """What is wrong with the store now (disk full...), or None."""
        return self._pipeline.problem

    def _announce(self, committed: Committed) -> None:
        self._outbox.send(committed.news, committed.ended)
        for run_id in committed.ended:
            self._in_flight.pop(run_id, None)
        for news in committed.news:
            if isinstance(news, Lost):
                self._in_flight.pop(news.run_id, None)
        for name, due in committed.due.items():
            self._roles[name].note(due)

    def _ended_elsewhere(self, ended: list[str] | None) -> None:
        """Tell those who wait for a run; None: any may have ended."""
        self._outbox.wake(ended)
        for run_id in ended or ():
            self._in_flight.pop(run_id, None)

    def _outside(self, operation: Operation[T], *, brief: bool = False) -> Future[T]:
        return self._pipeline.submit(operation, outside=True, brief=brief)

    async def _read(self, view: Callable[[Reader], T]) -> T:
        def read() -> T:
            with self._store.reader() as sql:
                return view(sql)

        if self._closed:
            raise EngineClosed("The engine is closed.")
        return await asyncio.get_running_loop().run_in_executor(self._readers, read)

    # --- runs ---

    def create_run(
        self, job: str, payload: bytes, options: RunOptions | None = None, *, code: str | None = None
    ) -> Future[Created]:
        """Create a run. StoreUnavailable, StoreBusy, ValueOverLimit, InvalidOptions."""
        request = RunRequest(job=job, payload=payload, options=options or RunOptions(), code=code)

        def create(tx: Transaction) -> Created:
            runs.check(request)
            return runs.create(tx, request)[0]

        return self._outside(create, brief=len(payload) <= _BRIEF_BYTES)

    def create_runs(self, requests: Sequence[RunRequest]) -> Future[list[Created]]:
        """Create runs in one commit, all or none; errors as of :meth:`create_run`."""

        def create(tx: Transaction) -> list[Created]:
            for request in requests:
                runs.check(request)
            return [runs.create(tx, request)[0] for request in requests]

        return self._outside(create)

    def cancel(self, run_id: str) -> Future[Run]:
        """Ask that a run be cancelled; asking again changes nothing. RunNotFound, RunFinal."""
        return self._outside(_then_show(ending.cancel, run_id))

    def resume(self, run_id: str) -> Future[Run]:
        """Queue a failed, crashed or timed-out run again, from its failed step. RunNotFound, RunNotResumable."""
        return self._outside(_then_show(recovery.resume, run_id))

    def replay(self, run_id: str) -> Future[Created]:
        """Create a new run with the payload and options of this one, bound to no version. RunNotFound."""
        return self._outside(partial(recovery.replay, run_id=run_id))

    def send_event(self, name: str, payload: bytes, event_id: str | None = None) -> Future[Sent]:
        """Send an event: ends the waits that it matches. An id that was sent before is not sent again."""

        def send(tx: Transaction) -> Sent:
            events.check(payload)
            return events.send(tx, name, payload, event_id)

        return self._outside(send)

    # --- workers ---

    def save_manifest(self, code: str, jobs: Sequence[JobManifest]) -> Future[None]:
        """Keep what a code version declares; the version becomes the newest."""
        return self._pipeline.submit(partial(manifests.save, code=code, jobs=jobs))

    def open_session(
        self, worker_id: str, code: str, jobs: Sequence[str], capacity: int, held: Sequence[HeldRun] = ()
    ) -> Future[list[str]]:
        """Open (or reopen) a worker's session; returns the held runs whose lease still stands."""
        return self._pipeline.submit(
            partial(leases.open_session, worker=worker_id, code=code, jobs=jobs, capacity=capacity, held=held)
        )

    def beat(self, worker_id: str) -> Future[None]:
        """Extend the session's lease. SessionUnknown."""
        return self._pipeline.submit(partial(leases.beat, worker=worker_id), brief=True, local=True)

    def drain_session(self, worker_id: str) -> Future[None]:
        """Assign nothing new to the session. SessionUnknown."""
        return self._pipeline.submit(partial(leases.drain, worker=worker_id))

    def close_session(self, worker_id: str, *, crashed: bool = True) -> Future[None]:
        """Release every run the session holds. ``crashed=False``: it left in order; no run is counted as its killer."""
        return self._pipeline.submit(partial(leases.close_session, worker=worker_id, crashed=crashed))

    def append(self, run_id: str, token: int, cid: int, entries: Sequence[Entry]) -> Future[Appended]:
        """Commit a worker's entries; repeated ones are acknowledged again. LeaseLost, ValueOverLimit, InvalidEntry."""
        del cid  # the entries' own keys tell a repetition
        operation = partial(appending.append, run_id=run_id, token=token, entries=entries)
        return self._pipeline.submit(
            operation,
            brief=appending.is_brief(entries),
            local=appending.is_plain(entries),
            numbers=len(entries),
        )

    def suspend(self, run_id: str, token: int, seen: int, wake_at: float | None) -> Future[bool]:
        """Let a run leave its worker; False when entries above ``seen`` are on their way. LeaseLost."""
        operation = partial(leases.suspend, run_id=run_id, token=token, seen=seen, wake_at=wake_at)
        return self._pipeline.submit(operation, brief=True)

    def finish(
        self, run_id: str, token: int, state: EndState, value: bytes | None, failed_step: str = ""
    ) -> Future[None]:
        """End a run. LeaseLost, ValueOverLimit; a repeated finish with the same token is acknowledged again."""
        operation = partial(
            leases.finish, run_id=run_id, token=token, state=state, value=value, failed_step=failed_step
        )
        # Other ends may ask many children to cancel.
        brief = state in ("completed", "failed") and len(value or b"") <= _BRIEF_BYTES
        return self._pipeline.submit(operation, brief=brief)

    def note_running(
        self, run_id: str, token: int, step: str, name: str, op: str, attempt: int, started_at: float
    ) -> None:
        """Remember (in memory) that a step's attempt is in flight, for :meth:`steps`."""
        known = self._in_flight.get(run_id)
        if known is None or any(one.token != token for one in known.values()):
            known = self._in_flight[run_id] = {}
        known[step] = InFlight(token=token, step=step, name=name, op=op, attempt=attempt, started_at=started_at)

    # --- reads ---

    async def jobs(self) -> list[KnownJob]:
        """Return the jobs of the newest code version, by id."""
        return list(self._board.jobs.values())

    def job(self, job_id: str) -> KnownJob | None:
        """Return one job of the newest code version, from memory."""
        return self._board.jobs.get(job_id)

    async def run(self, run_id: str) -> Run | None:
        """Return a run, or None."""
        return await self._read(partial(run_view.one, run_id=run_id))

    async def runs(self, which: RunFilter) -> Page[Run]:
        """List runs, newest first. InvalidCursor."""
        return await self._read(partial(run_view.page, which=which))

    async def steps(self, run_id: str) -> list[Step]:
        """Return a run's steps in the order in which they were first journalled, those in flight at the end."""
        going = list(self._in_flight.get(run_id, {}).values())
        return await self._read(partial(step_view.of_run, run_id=run_id, in_flight=going))

    async def wait_final(self, run_id: str, timeout: float) -> Run | None:
        """Return the run when it is final, or as it stands after ``timeout`` seconds; None when there is none."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while True:
            with self._outbox.watch(run_id) as ended:
                run = await self.run(run_id)
                if run is None or run.state in FINAL_STATES:
                    return run
                done, _ = await asyncio.wait([ended], timeout=deadline - loop.time())
            if not done or self._closed:
                return await self.run(run_id)

    # --- logs ---

    def keep_logs(self, lines: Sequence[LogLine], worker_id: str | None = None) -> Future[list[LogLine]]:
        """Keep lines of output; returns those that were new. Of a body only from the worker that holds its run."""
        return self._pipeline.submit(partial(logs.keep, lines=lines, worker=worker_id), local=True, numbers=len(lines))

    async def logs(self, run_id: str) -> list[LogLine]:
        """Return a run's lines in the order in which they were kept."""
        return await self._read(partial(log_view.of_run, run_id=run_id))


def _forget(future: Future[None]) -> None:
    """Look at what came of it, so that asyncio does not: who could not say good-bye is buried after its lease."""
    if not future.cancelled():
        future.exception()


def _then_show(operation: Callable[[Transaction, str], None], run_id: str) -> Operation[Run]:
    """Return an operation that returns the run as it left it."""

    def operate(tx: Transaction) -> Run:
        operation(tx, run_id)
        run = run_view.one(tx.sql, run_id)
        if run is None:
            raise RunNotFound(f"There is no run {run_id}.")
        return run

    return operate
