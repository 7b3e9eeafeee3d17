"""The engine as the executor sees it.

Writes return futures: an operation is submitted when the method is *called*, in the order of the calls, and the future
is done after the commit. ``await engine.append(...)`` works as with a coroutine; a session that has many appends in
flight uses ``add_done_callback`` instead.
"""

from __future__ import annotations

from asyncio import Future
from collections.abc import Sequence

from engine.clock import Clock, SystemClock
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
from engine.store.interface import Store
from trigger_sdk.protocol.entries import Entry, RunOptions
from trigger_sdk.protocol.manifest import JobManifest
from trigger_sdk.protocol.messages import HeldRun, LogLine
from trigger_sdk.protocol.problem import Problem


class Engine:
    """Durable runs on a store."""

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
        """Open the store (``SqliteStore(path)``), bring its schema up to date, start the writer and the roles."""
        raise NotImplementedError

    async def close(self) -> None:
        """Stop the roles, commit what waits, close the store. Sessions are not released: they are dead at next open."""
        raise NotImplementedError

    @property
    def problem(self) -> Problem | None:
        """What is wrong with the store now (disk full...), or None."""
        raise NotImplementedError

    # --- runs ---

    def create_run(
        self, job: str, payload: bytes, options: RunOptions | None = None, *, code: str | None = None
    ) -> Future[Created]:
        """Create a run. StoreUnavailable, StoreBusy, ValueTooLarge, InvalidOptions."""
        raise NotImplementedError

    def create_runs(self, requests: Sequence[RunRequest]) -> Future[list[Created]]:
        """Create runs in one commit, all or none."""
        raise NotImplementedError

    def cancel(self, run_id: str) -> Future[Run]:
        """Ask that a run be cancelled. RunNotFound, RunFinal."""
        raise NotImplementedError

    def resume(self, run_id: str) -> Future[Run]:
        """Queue a failed, crashed or timed-out run again, from its failed step. RunNotFound, RunNotResumable."""
        raise NotImplementedError

    def replay(self, run_id: str) -> Future[Created]:
        """Create a new run with the payload and options of this one. RunNotFound."""
        raise NotImplementedError

    def send_event(self, name: str, payload: bytes, event_id: str | None = None) -> Future[Sent]:
        """Send an event: ends the waits that it matches. An id that was sent before is not sent again."""
        raise NotImplementedError

    # --- workers ---

    def save_manifest(self, code: str, jobs: Sequence[JobManifest]) -> Future[None]:
        """Keep what a code version declares; the version becomes the newest."""
        raise NotImplementedError

    def open_session(
        self, worker_id: str, code: str, jobs: Sequence[str], capacity: int, held: Sequence[HeldRun] = ()
    ) -> Future[list[str]]:
        """Open (or reopen) a worker's session; returns the held runs whose lease still stands."""
        raise NotImplementedError

    def beat(self, worker_id: str) -> Future[None]:
        """Extend the session's lease. SessionUnknown."""
        raise NotImplementedError

    def drain_session(self, worker_id: str) -> Future[None]:
        """Assign nothing new to the session."""
        raise NotImplementedError

    def close_session(self, worker_id: str, *, crashed: bool = True) -> Future[None]:
        """Release every run the session holds. ``crashed=False``: it left in order, no run is counted as crashing it."""
        raise NotImplementedError

    def append(self, run_id: str, token: int, cid: int, entries: Sequence[Entry]) -> Future[Appended]:
        """Commit a worker's entries. LeaseLost, ValueTooLarge, InvalidEntry; repeated entries are acknowledged again."""
        raise NotImplementedError

    def suspend(self, run_id: str, token: int, seen: int, wake_at: float | None) -> Future[bool]:
        """Let a run leave its worker; False when entries above ``seen`` are on their way. LeaseLost."""
        raise NotImplementedError

    def finish(
        self, run_id: str, token: int, state: EndState, value: bytes | None, failed_step: str = ""
    ) -> Future[None]:
        """End a run. LeaseLost, ValueTooLarge; a repeated finish with the same token is acknowledged again."""
        raise NotImplementedError

    def note_running(
        self, run_id: str, token: int, step: str, name: str, op: str, attempt: int, started_at: float
    ) -> None:
        """Remember (in memory) that a step's attempt is in flight, for :meth:`steps`."""
        raise NotImplementedError

    # --- reads ---

    async def jobs(self) -> list[KnownJob]:
        """Return the jobs of the newest code version, by id."""
        raise NotImplementedError

    def job(self, job_id: str) -> KnownJob | None:
        """Return one job of the newest code version, from memory."""
        raise NotImplementedError

    async def run(self, run_id: str) -> Run | None:
        """Return a run, or None."""
        raise NotImplementedError

    async def runs(self, which: RunFilter) -> Page[Run]:
        """List runs, newest first. InvalidCursor."""
        raise NotImplementedError

    async def steps(self, run_id: str) -> list[Step]:
        """Return a run's steps in the order in which they were first journalled, those in flight at the end."""
        raise NotImplementedError

    async def wait_final(self, run_id: str, timeout: float) -> Run | None:
        """Return the run when it is final, or as it stands after ``timeout`` seconds; None when there is no such run."""
        raise NotImplementedError

    # --- logs ---

    def keep_logs(self, lines: Sequence[LogLine]) -> Future[list[LogLine]]:
        """Keep lines of output; returns those that were new."""
        raise NotImplementedError

    async def logs(self, run_id: str) -> list[LogLine]:
        """Return a run's lines in the order in which they were kept."""
        raise NotImplementedError
