"""An engine with one worker in a process of its own, for the figures on PostgreSQL.

``python -m benchmarks.postgres_engine URL NAME`` prints ``ready``. Each line on its input is ``RUNS STEPS``: it creates
so many runs, executes all that it is given, each step when the one before is acknowledged, and prints the seconds until
it has seen the end of the runs that it created.
"""

from __future__ import annotations

import asyncio
import sys
import time

from engine.engine import Engine
from engine.model import Assignment, RunRequest, Settings
from engine.store.postgres import PostgresStore
from trigger_sdk.protocol.entries import Entry
from trigger_sdk.protocol.manifest import JobManifest, QueueSpec
from trigger_sdk.protocol.values import encode_json, to_json

VALUE = encode_json(1)
CAPACITY = 100


def job(name: str, *, concurrency: int | None = None) -> JobManifest:
    """Return a job's declaration."""
    return JobManifest(
        id=name, name=name, file="jobs/a.py", line=1, queue=QueueSpec(name=name, concurrency=concurrency)
    )


class Worker:
    """Executes bodies of steps that do nothing; a listener of the engine."""

    def __init__(self) -> None:
        self.engine: Engine
        self._bodies: set[asyncio.Task[None]] = set()

    def created(self, run_id: str, job: str) -> None:
        """Nobody is told."""

    def ended(self, run_id: str, token: int) -> None:
        """Nobody is told."""

    def arrived(self, worker_id: str, run_id: str, token: int, entries: list[Entry]) -> None:
        """These bodies wait for nothing."""

    def lost(self, worker_id: str, run_id: str, token: int) -> None:
        """No lease is lost here."""

    def assigned(self, worker_id: str, runs: list[Assignment]) -> None:
        """Begin the bodies."""
        del worker_id
        for run in runs:
            body = asyncio.get_running_loop().create_task(self._body(run))
            self._bodies.add(body)
            body.add_done_callback(self._bodies.discard)

    async def _body(self, run: Assignment) -> None:
        steps = to_json(run.payload)
        assert isinstance(steps, int)
        for number in range(1, steps + 1):
            entry = Entry(kind="step_completed", step=str(number), name="t", op="task", value=VALUE, attempt=1)
            await self.engine.append(run.run, run.token, number, [entry])
        await self.engine.finish(run.run, run.token, "completed", VALUE)


async def main() -> None:
    """Serve until the input ends."""
    url, name = sys.argv[1:]
    worker = Worker()
    worker.engine = await Engine.open(
        PostgresStore(url, executor=name), listener=worker, settings=Settings(durability="full", lease_ttl_s=600.0)
    )
    await worker.engine.save_manifest("c", [job("bench")])
    await worker.engine.open_session(f"w-{name}", "c", ["bench"], CAPACITY)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while line := await asyncio.to_thread(sys.stdin.readline):
        runs, steps = (int(word) for word in line.split())
        began = time.perf_counter()
        requests = [RunRequest(job="bench", payload=encode_json(steps)) for _ in range(runs)]
        created = await worker.engine.create_runs(requests)
        await asyncio.gather(*(worker.engine.wait_final(one.run_id, 300.0) for one in created))
        sys.stdout.write(f"{time.perf_counter() - began}\n")
        sys.stdout.flush()
    await worker.engine.close()


if __name__ == "__main__":
    asyncio.run(main())
