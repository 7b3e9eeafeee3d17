"""An engine without a store, that answers what a test tells it to."""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections.abc import Sequence
from typing import Any, TypeVar

from engine.engine import Engine
from engine.errors import RunNotFound
from engine.model import Appended, Created, EndState, KnownJob, Page, Run, RunFilter, RunRequest, Sent, Step
from trigger_sdk.protocol.entries import Entry, RunOptions
from trigger_sdk.protocol.manifest import JobManifest
from trigger_sdk.protocol.messages import HeldRun, LogLine
from trigger_sdk.protocol.problem import Problem

T = TypeVar("T")


class FakeEngine(Engine):
    """Keeps jobs in memory, gives out run ids, and fails where ``failures`` says so.

    Attributes:
        failures: method name to the error it answers with.
        calls: (method name, arguments) in order.
        trouble: what ``problem`` says.
    """

    def __init__(self) -> None:
        self.failures: dict[str, BaseException] = {}
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self.trouble: Problem | None = None
        self.known: dict[str, KnownJob] = {}
        self.pending: list[Future[Any]] = []
        self.hold = False

    def _answer(self, name: str, value: T, *arguments: Any) -> Future[T]:
        self.calls.append((name, arguments))
        future: Future[T] = asyncio.get_running_loop().create_future()
        if name in self.failures:
            future.set_exception(self.failures[name])
        elif self.hold:
            self.pending.append(future)
        else:
            future.set_result(value)
        return future

    async def _look(self, name: str, value: T) -> T:
        if name in self.failures:
            raise self.failures[name]
        return value

    @property
    def problem(self) -> Problem | None:
        return self.trouble

    def create_run(
        self, job: str, payload: bytes, options: RunOptions | None = None, *, code: str | None = None
    ) -> Future[Created]:
        return self._answer("create_run", Created(run_id="run_1"), job, payload, options)

    def create_runs(self, requests: Sequence[RunRequest]) -> Future[list[Created]]:
        return self._answer("create_runs", [Created(run_id=f"run_{n}") for n, _ in enumerate(requests)], requests)

    def cancel(self, run_id: str) -> Future[Run]:
        raise RunNotFound("There is no run.")

    def send_event(self, name: str, payload: bytes, event_id: str | None = None) -> Future[Sent]:
        return self._answer("send_event", Sent(id=event_id or "evt_1", matched=0), name, payload)

    def save_manifest(self, code: str, jobs: Sequence[JobManifest]) -> Future[None]:
        if "save_manifest" not in self.failures:
            self.known = {job.id: KnownJob(code=code, manifest=job) for job in jobs}
        return self._answer("save_manifest", None, code)

    def open_session(
        self, worker_id: str, code: str, jobs: Sequence[str], capacity: int, held: Sequence[HeldRun] = ()
    ) -> Future[list[str]]:
        return self._answer("open_session", [one.run for one in held], worker_id)

    def beat(self, worker_id: str) -> Future[None]:
        return self._answer("beat", None, worker_id)

    def drain_session(self, worker_id: str) -> Future[None]:
        return self._answer("drain_session", None, worker_id)

    def close_session(self, worker_id: str, *, crashed: bool = True) -> Future[None]:
        return self._answer("close_session", None, worker_id, crashed)

    def append(self, run_id: str, token: int, cid: int, entries: Sequence[Entry]) -> Future[Appended]:
        return self._answer("append", Appended(first=cid, at=1.0), run_id, token, cid)

    def suspend(self, run_id: str, token: int, seen: int, wake_at: float | None) -> Future[bool]:
        return self._answer("suspend", True, run_id, token, seen, wake_at)

    def finish(
        self, run_id: str, token: int, state: EndState, value: bytes | None, failed_step: str = ""
    ) -> Future[None]:
        return self._answer("finish", None, run_id, token, state)

    def keep_logs(self, lines: Sequence[LogLine], worker_id: str | None = None) -> Future[list[LogLine]]:
        return self._answer("keep_logs", list(lines), lines)

    async def jobs(self) -> list[KnownJob]:
        return await self._look("jobs", list(self.known.values()))

    def job(self, job_id: str) -> KnownJob | None:
        return self.known.get(job_id)

    async def run(self, run_id: str) -> Run | None:
        return await self._look("run", None)

    async def runs(self, which: RunFilter) -> Page[Run]:
        return await self._look("runs", Page(items=[]))

    async def steps(self, run_id: str) -> list[Step]:
        return await self._look("steps", [])

    async def logs(self, run_id: str) -> list[LogLine]:
        return await self._look("logs", [])
