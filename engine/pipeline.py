"""The commit pipeline: what many callers ask for is committed in groups by one thread, and answered after the commit.

A few brief operations, when nothing else waits and commits are quick, are committed on the loop itself: to wake the
thread and to be woken by it would take longer than the commit. Whatever is out of the ordinary is left to the thread.

A group is everything that waits when the thread is free. When an operation fails in a way it should not, the group is
undone and each operation gets a transaction of its own, so that only the faulty one fails. When the database cannot
work (disk full, locked), the group is kept and tried again until it can: its callers wait, and calls from outside are
refused meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import threading
from asyncio import AbstractEventLoop, Future
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Final, TypeVar

from engine.board import Board
from engine.clock import Clock
from engine.errors import EngineClosed, EngineError, StoreBusy, StoreError, StoreUnavailable
from engine.group import Committed, Job, RefusedTooLateError, committed_of
from engine.ids import Ids
from engine.model import Settings
from engine.operations import peers
from engine.operations.assignment import assign, may_start
from engine.store.interface import OpenStore
from engine.transaction import Operation, Transaction
from trigger_sdk.protocol.problem import Problem

T = TypeVar("T")

_FIRST_RETRY_S: Final = 0.05
_LAST_RETRY_S: Final = 2.0

_COLLISIONS: Final = 8
"""How often a group is executed again at once because others were in the way, before that counts as trouble."""

_BRIEF_GROUP: Final = 4
"""The most operations that are committed on the loop: what comes more at once is cheaper in the thread."""

_TIDY_EVERY: Final = 1000
"""Commits on the loop after which the thread tidies the store, so that no commit on the loop has to."""

_MAX_CLOCK_STEP_S: Final = 60.0
"""Within this, a clock that was set back does not turn the commits' time back; a larger step is a correction."""

_log = logging.getLogger("trigger.engine")


class Pipeline:
    """The writer thread and its queue. Everything but the thread's own methods is called on the loop.

    ``_turn`` is held by who commits: the thread, or the loop when it finds the lock free.
    """

    def __init__(
        self,
        store: OpenStore,
        board: Board,
        *,
        clock: Clock,
        ids: Ids,
        settings: Settings,
        loop: AbstractEventLoop,
        announce: Callable[[Committed], None],
    ) -> None:
        self._store = store
        self._board = board
        self._clock = clock
        self._ids = ids
        self._settings = settings
        self._loop = loop
        self._announce = announce
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._gathered: list[Job] = []
        self._turn = threading.Lock()
        self._waiting = 0
        self._commits_here = 0
        self._untidy = False
        self._closed = False
        self._stop = threading.Event()
        self._last_at = 0.0
        self._trouble: StoreError | None = None
        self._doubtful: Transaction | None = None
        self._stale = True
        self._thread = threading.Thread(target=self._work, name="trigger-writer", daemon=True)

    # --- on the loop ---

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    @property
    def problem(self) -> Problem | None:
        """What keeps the database from working now, or None."""
        trouble = self._trouble
        return None if trouble is None else trouble.problem

    def submit(
        self,
        operation: Operation[T],
        *,
        outside: bool = False,
        brief: bool = False,
        local: bool = False,
        numbers: int = 0,
    ) -> Future[T]:
        """Queue an operation; the future is done after its commit.

        ``brief``: it takes some microseconds, whatever the database holds, and may be executed on the loop.
        ``local``: it concerns nothing that other engines on the database write; it takes ``numbers`` numbers, about.
        ``outside``: a call that can be refused: StoreUnavailable while the database cannot work, StoreBusy when too
        much waits. EngineClosed after :meth:`close`.
        """
        future: Future[T] = self._loop.create_future()
        refusal = self._refusal(outside=outside)
        if refusal is not None:
            future.set_exception(refusal)
            return future
        self._waiting += 1
        job = Job(operation, future, brief, local, numbers)
        if not brief and not self._gathered:
            self._queue.put(job)
            return future
        self._gathered.append(job)
        if len(self._gathered) == 1:
            self._loop.call_soon(self._hand_over)
        return future

    def _hand_over(self) -> None:
        """Commit what was gathered in one turn of the loop: here, or in the thread."""
        group, self._gathered = self._gathered, []
        committed = self._commit_here(group)
        if committed is not None:
            self._deliver(committed)
            return
        for job in group:
            self._queue.put(job)

    def _commit_here(self, group: list[Job]) -> Committed | None:
        """Commit a few brief operations on the loop; None when it is the thread's affair. The order is kept.

        The thread's affair is whatever came while it has work, may wait for something, or fails.
        """
        few = 0 < len(group) == self._waiting and len(group) <= _BRIEF_GROUP
        if not few or not self._store.quick or self._closed or not all(job.brief for job in group):
            return None
        if not self._turn.acquire(blocking=False):
            return None
        try:
            if self._stale or self._trouble is not None or self._board.ready:
                return None
            tx = self._attempt(group, wait=False)
        except Exception:  # noqa: BLE001 - the thread executes it again, and deals with what it finds
            self._undo()
            return None
        finally:
            self._turn.release()
        self._commits_here += 1
        self._untidy = self._commits_here % _TIDY_EVERY == 0
        if self._untidy or tx.more:
            self.submit(_nothing)  # wakes the thread
        return committed_of(group, tx)

    def _refusal(self, *, outside: bool) -> EngineError | None:
        if self._closed:
            return EngineClosed("The engine is closed.")
        trouble = self._trouble
        if outside and trouble is not None:
            return StoreUnavailable(trouble.message, hint=trouble.problem.hint, where=trouble.problem.where)
        if outside and self._waiting >= self._settings.outside_limit:
            return StoreBusy(f"{self._waiting:,} operations wait for the database.")
        return None

    async def close(self) -> None:
        """Commit what waits, then end the thread. Operations that the database cannot take fail with EngineClosed."""
        if not self._closed:
            self._closed = True
            for job in self._gathered:
                self._queue.put(job)
            self._gathered = []
            self._stop.set()
            self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _deliver(self, committed: Committed) -> None:
        """Give answers and news in the order of what was written: a worker drops what is older than what it knows."""
        self._waiting -= len(committed.jobs)
        told = committed.heard
        if told:
            self._announce(Committed([], committed.news[:told]))
        for job in committed.jobs:
            if not job.future.done():
                if job.error is None:
                    job.future.set_result(job.result)
                else:
                    job.future.set_exception(job.error)
            if job.told > told:
                self._announce(Committed([], committed.news[told : job.told]))
                told = job.told
        self._announce(Committed([], committed.news[told:], 0, committed.ended, committed.due))

    # --- on the writer thread ---

    def _work(self) -> None:
        more = False
        while True:
            group, closing = self._take(wait=not more)
            if group or more:
                with self._turn:
                    more = self._commit(group)
            if self._untidy:
                self._untidy = False
                with self._turn:
                    self._store.tidy()
            if closing:
                return

    def _take(self, *, wait: bool) -> tuple[list[Job], bool]:
        """Return what waits, and whether nothing will follow."""
        group: list[Job] = []
        try:
            job = self._queue.get(block=wait)
            while job is not None:
                group.append(job)
                if len(group) >= self._settings.group_limit:
                    return group, False
                job = self._queue.get_nowait()
        except Empty:
            return group, False
        return group, True

    def _commit(self, group: list[Job]) -> bool:
        """Commit a group, however long it takes; return whether runs are left to be assigned."""
        delay = _FIRST_RETRY_S
        collisions = 0
        while True:
            try:
                tx = self._attempt(group)
            except Exception as error:  # noqa: BLE001 - the thread must go on; each case is dealt with
                self._undo()
                if self._store.collided(error) and collisions < _COLLISIONS:
                    collisions += 1
                    continue
                trouble = self._store.explain(error)
                if trouble is None:
                    return self._commit_each(group, error)
                self._trouble = trouble
                if self._stop.wait(delay * random.uniform(0.5, 1.0)):  # noqa: S311 - so that engines do not come all at once
                    self._last_try(group, trouble)
                    return False
                delay = min(delay * 2, _LAST_RETRY_S)
            else:
                self._trouble = None
                self._tell(committed_of(group, tx))
                return tx.more

    def _last_try(self, group: list[Job], trouble: StoreError) -> None:
        """When closing: try once more; then tell the callers that it was not written."""
        committed = Committed(group)
        try:
            tx = self._attempt(group)
            committed = committed_of(group, tx)
        except Exception as error:  # noqa: BLE001 - as above
            self._undo()
            _log.error("Not written before the engine closed: %s (%s)", trouble.message, error)
            closed = EngineClosed("The engine closed before the database could take this.")
            for job in group:
                job.result, job.error = None, closed
        self._tell(committed)

    def _attempt(self, group: list[Job], *, assigning: bool = True, wait: bool = True) -> Transaction:
        """Execute a group in one transaction. Any error but an EngineError of an operation escapes."""
        settled = self._settle()
        if settled is not None:
            return settled
        local = bool(group) and all(job.local for job in group)
        begun = self._store.begin(wait=wait, local=local, numbers=sum(job.numbers for job in group))
        if self._stale or begun.board != self._board.version:
            self._board.load(self._store.writer)
            self._board.version = begun.board
            self._stale = False
        tx = self._transaction(local=local)
        if begun.mail:
            peers.read_mail(tx)
        for job in group:
            self._execute(tx, job)
        if local:
            tx.more = self._board.look and may_start(self._board)
        elif assigning:
            assign(tx)
        if self._board.others:
            signal = peers.post(tx)
            if signal is not None:
                self._store.signal(signal.decode())
        self._doubtful = tx
        self._store.commit()
        self._doubtful = None
        return tx

    def _settle(self) -> Transaction | None:
        """Return the last transaction when its commit raised and took place all the same: nothing is done twice."""
        tx = self._doubtful
        if tx is None:
            return None
        took_place = self._store.took_place()
        self._doubtful = None
        return tx if took_place else None

    def _execute(self, tx: Transaction, job: Job) -> None:
        before = tx.sql.changes
        job.result = job.error = None
        try:
            job.result = job.operation(tx)
        except EngineError as error:
            if tx.sql.changes != before:
                raise RefusedTooLateError(error) from error
            job.error = error
        job.told = len(tx.news)

    def _commit_each(self, group: list[Job], cause: Exception) -> bool:
        """Give each operation a transaction of its own; the faulty one fails."""
        if len(group) > 1:
            outcomes = [self._commit([job]) for job in group]
            return any(outcomes)
        committed = Committed(group)
        try:
            tx = self._attempt(group, assigning=False)
        except RefusedTooLateError as late:
            self._undo()
            for job in group:
                job.result, job.error = None, late.refusal
        except Exception as error:  # noqa: BLE001 - told to the caller
            self._undo()
            for job in group:
                _log.error("An operation failed", exc_info=error)
                job.result, job.error = None, error
        else:
            _log.error("Runs could not be assigned", exc_info=cause)
            committed = committed_of(group, tx)
        self._tell(committed)
        return False

    def _undo(self) -> None:
        self._store.rollback()
        self._stale = True

    def _transaction(self, *, local: bool) -> Transaction:
        now = self._clock.now()
        if self._last_at - _MAX_CLOCK_STEP_S < now < self._last_at:
            now = self._last_at
        self._last_at = now
        return Transaction(self._store.writer, now, self._board, self._ids, self._settings, local=local)

    def _tell(self, committed: Committed) -> None:
        # A loop that is closed has nobody left to tell, and what is committed stays so.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._deliver, committed)


def _nothing(_: Transaction) -> None:
    """Write nothing: the thread is to look for what else there is to do."""
