"""A process that drives an engine through a small scene and kills itself at a commit.

``python -P engine_crash_program.py FOLDER`` plays the scene once uncut, then once for each commit and each side of it:
a child process plays until the commit and dies by SIGKILL, another opens the same database and plays on to the end. It
prints a JSON object for each (before the commit, for every third): where it was cut, how the runs ended, their steps,
and how often each effect happened.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.engine import Engine
from engine.model import Assignment, Durability, RunFilter, Settings
from engine.store.interface import OpenStore
from engine.store.sqlite import SqliteStore
from tests.fakes.engine_world import completed, manifest, started
from tests.fakes.wrapped_store import WrappedStore
from trigger_sdk.protocol.entries import Entry, EventWait, RunOptions, SendEvent, StartRun
from trigger_sdk.protocol.values import encode_json

RUNS = 2
ENDS = ("step_completed", "wait_completed", "value_recorded")


class KillingStore:
    """A store whose process dies before or after its n-th commit."""

    def __init__(self, path: Path, kill_at: int, *, before: bool) -> None:
        self._inner = SqliteStore(path)
        self._kill_at = kill_at
        self._before = before

    def open(self, durability: Durability) -> KillingOpenStore:
        return KillingOpenStore(self._inner.open(durability), self._kill_at, before=self._before)


class KillingOpenStore(WrappedStore):
    """See :class:`KillingStore`."""

    def __init__(self, inner: OpenStore, kill_at: int, *, before: bool) -> None:
        super().__init__(inner)
        self._kill_at = kill_at
        self._before = before
        self.commits = 0

    def commit(self) -> None:
        self.commits += 1
        if self._before and self.commits == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        self._inner.commit()
        if self.commits == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)


class Scene:
    """Bodies that read their journal, do what it lacks, and wait."""

    def __init__(self, effects: Path) -> None:
        self._effects = effects
        self._news: dict[str, asyncio.Event] = {}
        self._journals: dict[str, list[Entry]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.engine: Engine

    def created(self, run_id: str, job: str) -> None:
        del run_id, job

    def ended(self, run_id: str, token: int) -> None:
        del run_id, token

    def assigned(self, worker_id: str, runs: list[Assignment]) -> None:
        for run in runs:
            self._journals[run.run] = list(run.journal)
            self._news[run.run] = asyncio.Event()
            task = asyncio.get_running_loop().create_task(self._body(run))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def arrived(self, worker_id: str, run_id: str, token: int, entries: list[Entry]) -> None:
        self._journals[run_id] += entries
        self._news[run_id].set()

    def lost(self, worker_id: str, run_id: str, token: int) -> None:
        raise AssertionError(run_id)

    def _has(self, run: Assignment, step: str, *kinds: str) -> bool:
        return any(entry.step == step and entry.kind in kinds for entry in self._journals[run.run])

    async def _append(self, run: Assignment, entry: Entry) -> None:
        answer = await self.engine.append(run.run, run.token, 1, [entry])
        fields = {name: getattr(entry, name) for name in entry.__struct_fields__}
        self._journals[run.run].append(Entry(**(fields | {"seq": answer.first, "at": answer.at})))

    async def _task(self, run: Assignment, step: str, attempt: int = 1) -> None:
        if not self._has(run, step, "step_completed"):
            with self._effects.open("a") as file:
                file.write(f"{run.payload.hex()} {run.job} {step}\n")
            await self._append(run, completed(step, attempt=attempt))

    async def _wait(self, run: Assignment, entry: Entry) -> None:
        if not self._has(run, entry.step, "wait_started"):
            await self._append(run, entry)

    async def _body(self, run: Assignment) -> None:
        if run.job == "child":
            await self._task(run, "1")
            await self.engine.finish(run.run, run.token, "completed", run.payload)
            return
        await self._task(run, "1")
        event = EventWait(name="go", filter={"k": [run.payload.hex()]})
        await self._wait(run, started("2", spec=StartRun(job="child", payload=run.payload)))
        await self._wait(run, started("3", due_at=1.0))
        await self._wait(run, started("4", spec=event))
        go = SendEvent(name="go", payload=encode_json({"k": run.payload.hex()}))
        await self._wait(run, started("5", spec=go))
        while not all(self._has(run, step, *ENDS) for step in "2345"):
            self._news[run.run].clear()
            seen = max(entry.seq for entry in self._journals[run.run])
            if await self.engine.suspend(run.run, run.token, seen, None):
                return
            await self._news[run.run].wait()
        if not self._has(run, "6", "step_attempt_failed"):
            await self._append(run, Entry(kind="step_attempt_failed", step="6", name="t", op="task", attempt=1))
        await self._task(run, "6", attempt=2)
        await self.engine.finish(run.run, run.token, "completed", run.payload)


async def play(folder: Path, kill_at: int, *, before: bool) -> dict[str, Any]:
    """Play the scene to its end; returns how it ended."""
    scene = Scene(folder / "effects")
    store = KillingStore(folder / "e.db", kill_at, before=before)
    engine = await Engine.open(store, listener=scene, settings=Settings(group_limit=1))
    scene.engine = engine
    await engine.save_manifest("c", [manifest("parent"), manifest("child")])
    await engine.open_session("w", "c", ["parent", "child"], 100)
    ids = []
    for number in range(RUNS):
        options = RunOptions(idempotency_key=f"k{number}")
        ids.append((await engine.create_run("parent", encode_json(number), options)).run_id)
    for run_id in ids:
        await engine.wait_final(run_id, 20.0)
    page = await engine.runs(RunFilter(limit=200))
    runs = [
        [run.job, run.state, (run.payload or b"").hex(), (run.output or b"").hex(), await _journal(engine, run.id)]
        for run in page.items
    ]
    commits = engine._store.commits  # type: ignore[attr-defined]
    await engine.close()
    effects = Counter((folder / "effects").read_text().splitlines())
    return {"runs": sorted(runs), "commits": commits, "effects": effects}


async def _journal(engine: Engine, run_id: str) -> list[list[object]]:
    return sorted([step.id, step.kind, step.state, step.attempts] for step in await engine.steps(run_id))


def in_child(work: Callable[[], dict[str, Any]], result: Path) -> int:
    """Do the work in a process of its own, which writes its result; returns the exit status."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            result.write_text(json.dumps(work()))
            status = 0
        except BaseException:  # noqa: BLE001 - the process ends here
            traceback.print_exc()
        finally:
            os._exit(status)
    return os.waitpid(pid, 0)[1]


def main() -> None:
    """Play uncut, then cut at each commit."""
    root = Path(sys.argv[1])
    commits = 1_000_000
    for before in (False, True):
        kill_at = 0
        while kill_at < commits:
            folder = root / f"{'before' if before else 'after'}-{kill_at}"
            folder.mkdir()
            cut = in_child(lambda: asyncio.run(play(folder, kill_at, before=before)), folder / "cut")  # noqa: B023
            if kill_at:
                if os.WIFSIGNALED(cut):
                    status = in_child(lambda: asyncio.run(play(folder, 0, before=False)), folder / "cut")  # noqa: B023
                    assert status == 0, f"cut {kill_at}"
            elif not before:
                commits = json.loads((folder / "cut").read_text())["commits"]
            outcome = {"cut": kill_at, "before": before, **json.loads((folder / "cut").read_text())}
            sys.stdout.write(json.dumps(outcome) + "\n")
            kill_at += 3 if before else 1


if __name__ == "__main__":
    main()
