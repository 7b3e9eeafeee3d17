"""An engine with a clock that stands still and a listener that remembers, and the words in which tests speak to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.engine import Engine
from engine.model import Appended, Assignment, Run, Settings
from engine.store.interface import Store
from engine.store.sqlite import SqliteStore
from tests.fakes.clock import FakeClock
from trigger_sdk.protocol.entries import Entry, EventWait, RunOptions, SendEvent, StartRun, encode_spec
from trigger_sdk.protocol.manifest import JobManifest, QueueSpec
from trigger_sdk.protocol.values import encode_json

PAYLOAD = encode_json({"n": 1})

__all__ = ["PAYLOAD", "RecordingListener", "SqliteStore", "World", "completed", "manifest", "started"]


@dataclass
class RecordingListener:
    """Remembers what the engine told."""

    assignments: list[tuple[str, Assignment]] = field(default_factory=list)
    arrivals: list[tuple[str, str, int, list[Entry]]] = field(default_factory=list)
    losses: list[tuple[str, str, int]] = field(default_factory=list)
    births: list[tuple[str, str]] = field(default_factory=list)
    ends: list[tuple[str, int]] = field(default_factory=list)
    order: list[str] = field(default_factory=list)

    def created(self, run_id: str, job: str) -> None:
        self.births.append((run_id, job))
        self.order.append(f"created {run_id}")

    def ended(self, run_id: str, token: int) -> None:
        self.ends.append((run_id, token))

    def assigned(self, worker_id: str, runs: list[Assignment]) -> None:
        self.assignments += [(worker_id, run) for run in runs]
        self.order += [f"assigned {run.run}" for run in runs]

    def arrived(self, worker_id: str, run_id: str, token: int, entries: list[Entry]) -> None:
        self.arrivals.append((worker_id, run_id, token, entries))
        self.order += [f"arrived {entry.seq}" for entry in entries]

    def lost(self, worker_id: str, run_id: str, token: int) -> None:
        self.losses.append((worker_id, run_id, token))


def manifest(job: str, *, concurrency: int | None = None, queue: str | None = None) -> JobManifest:
    """Return a job's declaration."""
    spec = QueueSpec(name=queue or job, concurrency=concurrency)
    return JobManifest(id=job, name=job, file="jobs/a.py", line=1, queue=spec)


def completed(step: str, *, value: bytes = PAYLOAD, attempt: int = 1, after: int = 0) -> Entry:
    """Return the entry of a task that returned."""
    return Entry(
        kind="step_completed", step=step, name="task", op="task", value=value, attempt=attempt, issued_after=after
    )


def started(
    step: str,
    *,
    due_at: float | None = None,
    spec: EventWait | StartRun | SendEvent | None = None,
    op: str = "",
    after: int = 0,
) -> Entry:
    """Return the entry of a wait that begins."""
    ops = {EventWait: "event", StartRun: "child", SendEvent: "send"}
    return Entry(
        kind="wait_started",
        step=step,
        name=getattr(spec, "name", None) or getattr(spec, "job", None) or "sleep",
        op=op or (ops[type(spec)] if spec is not None else "sleep"),
        value=None if spec is None else encode_spec(spec),
        due_at=due_at,
        issued_after=after,
    )


@dataclass
class World:
    """An engine under test. ``open`` makes it; ``reopen`` is another process on the same database.

    Leases hold for days unless a test sets them, so that moving the clock does not end them.
    """

    make_store: Callable[[], Store]
    clock: FakeClock = field(default_factory=FakeClock)
    listener: RecordingListener = field(default_factory=RecordingListener)
    settings: Settings = field(default_factory=lambda: Settings(lease_ttl_s=1e6))
    _engine: Engine | None = None

    @property
    def engine(self) -> Engine:
        """The engine, which is open."""
        assert self._engine is not None
        return self._engine

    async def open(self) -> Engine:
        """Open the store."""
        self._engine = await Engine.open(
            self.make_store(), listener=self.listener, clock=self.clock, settings=self.settings
        )
        await self.settle()
        return self._engine

    async def close(self) -> None:
        """Close the engine, if it is open."""
        if self._engine is not None:
            await self._engine.close()
            self._engine = None

    async def reopen(self) -> Engine:
        """Close, and open the same database with a fresh listener."""
        await self.close()
        self.listener = RecordingListener()
        return await self.open()

    async def settle(self) -> None:
        """Return when nothing is under way: no operation waits, every role sleeps."""
        quiet = 0
        while quiet < 2:
            await self.engine._pipeline.submit(lambda _: None)
            await asyncio.sleep(0)
            roles = self.engine._roles.values()
            busy = any(r._wake.is_set() or (r._due is not None and r._due <= self.clock.now()) for r in roles)
            quiet = 0 if busy or self.engine._pipeline._waiting else quiet + 1

    async def advance(self, seconds: float) -> None:
        """Move the clock and let happen what is due."""
        self.clock.advance(seconds)
        await self.settle()

    async def declare(self, *jobs: JobManifest | str, code: str = "code-1") -> None:
        """Declare a code version."""
        await self.engine.save_manifest(code, [manifest(job) if isinstance(job, str) else job for job in jobs])

    async def worker(self, name: str = "w1", *jobs: str, code: str = "code-1", capacity: int = 100) -> None:
        """Open a session for jobs (all that are declared, when none is named)."""
        known = [job.manifest.id for job in await self.engine.jobs()]
        await self.engine.open_session(name, code, jobs or known, capacity)
        await self.settle()

    async def create(self, job: str = "a", payload: bytes = PAYLOAD, **options: Any) -> str:
        """Create a run; returns its id."""
        created = await self.engine.create_run(job, payload, RunOptions(**options))
        await self.settle()
        return created.run_id

    async def start(self, job: str = "a", **options: Any) -> Assignment:
        """Create a run that a worker takes at once; returns what the worker got."""
        run_id = await self.create(job, **options)
        return self.assignment(run_id)

    def assignment(self, run_id: str) -> Assignment:
        """Return the last assignment of a run."""
        return [a for _, a in self.listener.assignments if a.run == run_id][-1]

    def assigned_runs(self) -> list[str]:
        """Return the ids of the runs that were assigned, in order."""
        return [a.run for _, a in self.listener.assignments]

    def holder(self, run_id: str) -> str:
        """Return the worker that got a run last."""
        return [worker for worker, a in self.listener.assignments if a.run == run_id][-1]

    async def append(self, run: Assignment, *entries: Entry) -> Appended:
        """Append as the worker that holds the run."""
        answer = await self.engine.append(run.run, run.token, 1, entries)
        await self.settle()
        return answer

    async def suspend(self, run: Assignment, seen: int = 0, wake_at: float | None = None) -> bool:
        """Ask to leave as the worker that holds the run."""
        answer = await self.engine.suspend(run.run, run.token, seen, wake_at)
        await self.settle()
        return answer

    async def finish(
        self, run: Assignment, state: str = "completed", value: bytes | None = PAYLOAD, step: str = ""
    ) -> None:
        """End a run as the worker that holds it."""
        await self.engine.finish(run.run, run.token, state, value, step)  # type: ignore[arg-type]
        await self.settle()

    async def run(self, run_id: str) -> Run:
        """Return a run that exists."""
        run = await self.engine.run(run_id)
        assert run is not None
        return run

    async def state(self, run_id: str) -> str:
        """Return a run's state."""
        return (await self.run(run_id)).state

    def arrived(self, run_id: str) -> list[Entry]:
        """Return the entries that arrived for a run."""
        return [entry for _, run, _, entries in self.listener.arrivals if run == run_id for entry in entries]

    def kinds(self, entries: Sequence[Entry]) -> list[str]:
        """Return what entries say, shortly: ``step kind``."""
        return [f"{entry.step} {entry.kind}".strip() for entry in entries]
