"""A disk that is full: what was accepted is kept, outside calls are refused, work goes on when there is room."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.errors import EngineClosed, StoreUnavailable
from engine.model import RunFilter
from engine.store.interface import Store
from engine.store.sqlite import SqliteStore
from engine.transaction import Transaction
from tests.fakes.engine_world import PAYLOAD, World, completed


@pytest.fixture
def make_store(tmp_path: Path) -> Callable[[], Store]:
    """Return what makes an SQLite store: the limits that stand for a full disk are SQLite's."""
    return lambda: SqliteStore(tmp_path / "engine.db")


async def until(condition: Callable[[], bool]) -> None:
    """Return when the condition holds."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)


async def limit_pages(world: World, *, extra: int | None) -> None:
    """Let the database grow by so many pages and no more; None is without limit."""

    def limit(tx: Transaction) -> None:
        raw = tx.sql.raw  # type: ignore[attr-defined]
        pages = raw.execute("PRAGMA page_count").fetchone()[0]
        raw.execute(f"PRAGMA max_page_count = {2**30 if extra is None else pages + extra}")

    await world.engine._pipeline.submit(limit)


async def make_room(world: World) -> None:
    """Lift the limit from outside the writer, which is busy trying."""
    raw = world.engine._store.writer.raw  # type: ignore[attr-defined]
    await asyncio.to_thread(raw.execute, f"PRAGMA max_page_count = {2**30}")


async def test_a_full_disk_loses_nothing(world: World) -> None:
    """Entries wait until there is room; in between, calls from outside are refused with a hint, and reads go on."""
    await world.worker()
    run = await world.start()
    await limit_pages(world, extra=2)
    pending = [world.engine.append(run.run, run.token, n, [completed(str(n), value=b"\x00" * 9_000)]) for n in range(8)]
    await until(lambda: world.engine.problem is not None)
    with pytest.raises(StoreUnavailable) as caught:
        await world.engine.create_run("a", PAYLOAD)
    assert "full" in caught.value.message
    assert caught.value.problem.hint
    assert (await world.run(run.run)).state == "running"
    assert not all(one.done() for one in pending)
    await make_room(world)
    answers = await asyncio.wait_for(asyncio.gather(*pending), 20)
    assert [one.first for one in answers] == sorted(one.first for one in answers)
    assert world.engine.problem is None
    assert len(await world.engine.steps(run.run)) == 8
    await world.finish(run)
    await world.create()


async def test_what_is_acknowledged_on_a_full_disk_is_there_after_a_restart(world: World) -> None:
    """Entries that were not acknowledged may be missing, the others not."""
    await world.worker()
    run = await world.start()
    await limit_pages(world, extra=8)
    pending = [
        world.engine.append(run.run, run.token, n, [completed(str(n), value=b"\x00" * 9_000)]) for n in range(30)
    ]
    await until(lambda: world.engine.problem is not None)
    await world.close()
    outcomes = await asyncio.gather(*pending, return_exceptions=True)
    assert any(isinstance(outcome, EngineClosed) for outcome in outcomes)
    acknowledged = {str(n) for n, outcome in enumerate(outcomes) if not isinstance(outcome, BaseException)}
    await world.open()
    assert acknowledged <= {step.id for step in await world.engine.steps(run.run)}


async def test_another_writer_is_waited_for(world: World, tmp_path: Path) -> None:
    """A shell that holds the write lock is a problem that passes."""
    assert isinstance(world.make_store(), SqliteStore)
    await world.worker()
    run = await world.start()
    raw = sqlite3.connect(tmp_path / "engine.db", isolation_level=None)
    raw.execute("BEGIN IMMEDIATE")
    pending = world.engine.append(run.run, run.token, 1, [completed("1")])
    await until(lambda: world.engine.problem is not None)
    raw.execute("ROLLBACK")
    raw.close()
    assert (await asyncio.wait_for(pending, 20)).first > 0


async def test_a_file_that_may_not_grow_loses_nothing(repository: Path, tmp_path: Path) -> None:
    """The system's own limit on the size of files, in a process of its own: real failed writes."""
    program = repository / "tests" / "fakes" / "engine_limited_program.py"
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-P", str(program), str(tmp_path / "e.db")],
        capture_output=True, text=True, check=False, timeout=60, cwd=repository, env={"PYTHONPATH": f"{repository}"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["refused"] == "store-unavailable"
    assert result["pending_while_full"] > 0
    assert result["steps"] == result["appended"]


async def test_runs_that_were_refused_do_not_exist(world: World) -> None:
    """A refused call left nothing behind."""
    await limit_pages(world, extra=0)
    waiting = world.engine.create_run("a", b"\x00" * 50_000)
    await until(lambda: world.engine.problem is not None)
    with pytest.raises(StoreUnavailable):
        await world.engine.send_event("n", PAYLOAD)
    await make_room(world)
    created = await asyncio.wait_for(waiting, 20)
    assert [run.id for run in (await world.engine.runs(RunFilter())).items] == [created.run_id]
