"""A process with an engine on a PostgreSQL database and one worker's session, to be killed.

``python -P shared_engine_program.py URL NAME DIARY SKEW`` serves the job ``a`` until it is killed. A run does six steps
with a sleep between, during which it leaves. The diary, one line for each thing, is shared by all such processes::

    effect RUN STEP TOKEN        a step was executed
    acked RUN STEP TOKEN SEQ     its entry was committed
    ended RUN TOKEN              the run's end was committed

SKEW: seconds by which this machine's clock is ahead of the others'.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from engine.clock import SystemClock
from engine.engine import Engine
from engine.errors import EngineError
from engine.model import Assignment, Settings
from engine.store.postgres import PostgresStore
from engine.store.postgres.clock import DatabaseClock
from tests.fakes.engine_world import completed, manifest, started
from trigger_sdk.protocol.entries import Entry
from trigger_sdk.protocol.values import encode_json

STEPS = 6
SLEEP_AFTER = 3
LEASE_S = 3.0


class SkewedClock(SystemClock):
    """A machine whose clock is set wrong."""

    def __init__(self, ahead: float) -> None:
        self._ahead = ahead

    def now(self) -> float:
        return super().now() + self._ahead


class Worker:
    """Executes bodies; what it does is written into the diary before anybody else learns."""

    def __init__(self, name: str, diary: Path) -> None:
        self.name = name
        self.engine: Engine
        self._diary = os.open(diary, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._bodies: dict[str, asyncio.Task[None]] = {}
        self._news: dict[str, asyncio.Event] = {}
        self._journals: dict[str, list[Entry]] = {}

    def note(self, *words: object) -> None:
        os.write(self._diary, (" ".join(str(word) for word in words) + "\n").encode())

    def created(self, run_id: str, job: str) -> None:
        del run_id, job

    def ended(self, run_id: str, token: int) -> None:
        del run_id, token

    def assigned(self, worker_id: str, runs: list[Assignment]) -> None:
        for run in runs:
            self.lost(worker_id, run.run, run.token)
            self._journals[run.run] = list(run.journal)
            self._news[run.run] = asyncio.Event()
            self._bodies[run.run] = asyncio.get_running_loop().create_task(self._body(run))

    def arrived(self, worker_id: str, run_id: str, token: int, entries: list[Entry]) -> None:
        if run_id in self._journals:
            self._journals[run_id] += entries
            self._news[run_id].set()

    def lost(self, worker_id: str, run_id: str, token: int) -> None:
        body = self._bodies.pop(run_id, None)
        if body is not None:
            body.cancel()

    async def _body(self, run: Assignment) -> None:
        try:
            await self._steps(run)
        except EngineError:
            return  # the lease is over: whoever has it now goes on

    def _has(self, run: Assignment, step: str, kind: str) -> bool:
        return any(entry.step == step and entry.kind == kind for entry in self._journals[run.run])

    async def _steps(self, run: Assignment) -> None:
        for number in range(1, STEPS + 1):
            step = str(number)
            if not self._has(run, step, "step_completed"):
                self.note("effect", run.run, step, run.token)
                await asyncio.sleep(0.002)
                answer = await self.engine.append(run.run, run.token, number, [completed(step)])
                self.note("acked", run.run, step, run.token, answer.first)
            if number == SLEEP_AFTER and not await self._sleep(run):
                return
        await self.engine.finish(run.run, run.token, "completed", encode_json(1))
        self.note("ended", run.run, run.token)

    async def _sleep(self, run: Assignment) -> bool:
        """Sleep durably; False when the run left meanwhile."""
        if not self._has(run, "s", "wait_started"):
            due = self.engine._pipeline._clock.now() + 0.05
            await self.engine.append(run.run, run.token, 99, [started("s", due_at=due)])
        while not self._has(run, "s", "wait_completed"):
            self._news[run.run].clear()
            seen = max((entry.seq for entry in self._journals[run.run]), default=0)
            if await self.engine.suspend(run.run, run.token, seen, None):
                return False
            await self._news[run.run].wait()
        return True

    async def serve(self) -> None:
        """Keep the session's lease; open it again when it is over."""
        while True:
            try:
                await self.engine.beat(self.name)
            except EngineError:
                await self.engine.open_session(self.name, "c", ["a"], 20)
            await asyncio.sleep(LEASE_S / 6)


async def main() -> None:
    """Serve until killed."""
    url, name, diary, skew = sys.argv[1:]
    worker = Worker(f"w-{name}", Path(diary))
    store = PostgresStore(url, executor=name, lease_s=LEASE_S, clock=DatabaseClock(SkewedClock(float(skew))))
    worker.engine = await Engine.open(store, listener=worker, settings=Settings(lease_ttl_s=LEASE_S, durability="full"))
    await worker.engine.save_manifest("c", [manifest("a")])
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await worker.serve()


if __name__ == "__main__":
    asyncio.run(main())
