"""What is old is deleted, with all that belongs to it, and nothing else."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from engine.model import RunFilter, Settings
from engine.store.interface import Statement
from engine.store.schema import metadata
from tests.fakes.engine_world import PAYLOAD, World, completed, started
from trigger_sdk.protocol.entries import EventWait, RunOptions
from trigger_sdk.protocol.messages import LogLine
from trigger_sdk.protocol.values import encode_json

DAY = 86_400.0


def rows(world: World, table: str) -> int:
    """Return how many rows a table has."""
    with world.engine._store.reader() as reader:
        count = reader.one(Statement(select(func.count()).select_from(metadata.tables[table])), {})
    assert count is not None
    return int(count[0])


@pytest.fixture
async def aging(world: World) -> World:
    """Return a world that keeps runs for one day."""
    world.settings = Settings(lease_ttl_s=1e9, retention_s=DAY)
    await world.reopen()
    return world


async def test_an_old_run_goes_with_all_that_belongs_to_it(aging: World) -> None:
    """Journal, values, output, tags and key; the tables are empty afterwards."""
    await aging.worker()
    run = await aging.start(tags=["t"], idempotency_key="k", payload=encode_json("p" * 5000))
    await aging.append(
        run, completed("1", value=b"\x00" * 300_000), started("2", spec=EventWait(name="n", filter={"i": [1]}))
    )
    await aging.engine.keep_logs([LogLine(run.run, "", 1, 1.0, 20, "l", "text", "log")])
    await aging.engine.send_event("n", encode_json({"i": 1, "big": "x" * 300_000}))
    await aging.finish(run, "failed", b"\x00" * 5000, "1")
    await aging.advance(DAY - 10)
    assert await aging.state(run.run) == "failed"
    await aging.advance(100)
    assert await aging.engine.run(run.run) is None
    tables = ("runs", "journal", "journal_superseded", "blobs", "waits", "wait_keys", "logs", "run_tags",
              "idempotency", "events", "event_keys")  # fmt: skip
    assert {table: rows(aging, table) for table in tables if rows(aging, table)} == {}
    again = await aging.engine.create_run("a", PAYLOAD, RunOptions(idempotency_key="k"))
    assert not again.existing


async def test_runs_that_go_on_are_kept(aging: World) -> None:
    """However old they are."""
    await aging.worker()
    run = await aging.start()
    await aging.append(run, started("1", due_at=aging.clock.now() + 9 * DAY))
    await aging.suspend(run, seen=99)
    await aging.advance(8 * DAY)
    assert await aging.state(run.run) == "waiting"
    await aging.advance(2 * DAY)
    assert aging.kinds(aging.assignment(run.run).journal) == ["1 wait_started", "1 wait_completed"]


async def test_many_old_runs_go_in_batches(aging: World) -> None:
    """More than one transaction takes; the young ones stay."""
    ids = [await aging.create() for _ in range(120)]
    for run_id in ids:
        await aging.engine.cancel(run_id)
    await aging.advance(DAY / 2)
    young = await aging.create()
    await aging.engine.cancel(young)
    await aging.advance(DAY / 2 + 70)
    for _ in range(5):
        await aging.advance(1)
    assert [run.id for run in (await aging.engine.runs(RunFilter(limit=200))).items] == [young]


async def test_numbers_are_not_given_again_after_pruning(aging: World) -> None:
    """Also when the newest rows are gone and the server is started again."""
    run_id = await aging.create()
    await aging.engine.cancel(run_id)
    last = aging.engine._store.writer.take(1)
    await aging.advance(2 * DAY)
    assert rows(aging, "runs") == 0
    await aging.reopen()
    assert aging.engine._store.writer.take(1) > last


async def test_without_retention_nothing_is_deleted(world: World) -> None:
    """None keeps for ever."""
    world.settings = Settings(retention_s=None)
    await world.reopen()
    run_id = await world.create()
    await world.engine.cancel(run_id)
    await world.advance(1000 * DAY)
    assert await world.state(run_id) == "canceled"
