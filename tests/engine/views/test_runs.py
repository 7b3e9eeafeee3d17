"""Runs as they are shown and listed."""

from __future__ import annotations

import asyncio

import pytest

from engine.errors import InvalidCursor
from engine.model import RunFilter
from tests.fakes.engine_world import PAYLOAD, World, started
from trigger_sdk.protocol.entries import StartRun


async def ids(world: World, **which: object) -> list[str]:
    """Return the ids of one page."""
    return [run.id for run in (await world.engine.runs(RunFilter(**which))).items]  # type: ignore[arg-type]


async def test_runs_are_listed_newest_first(world: World) -> None:
    """By pages, without gap or repetition, also when new ones come meanwhile."""
    made = [await world.create() for _ in range(7)]
    first = await world.engine.runs(RunFilter(limit=3))
    await world.create()
    second = await world.engine.runs(RunFilter(limit=3, cursor=first.next))
    third = await world.engine.runs(RunFilter(limit=3, cursor=second.next))
    assert [run.id for page in (first, second, third) for run in page.items] == list(reversed(made))
    assert third.next is None


async def test_filters_are_combined(world: World) -> None:
    """Job, state, label and parent."""
    await world.declare("a", "b")
    a1 = await world.create("a", tags=["x"])
    a2 = await world.create("a", delay=5.0)
    b1 = await world.create("b", tags=["x", "y"])
    assert await ids(world, job="a") == [a2, a1]
    assert await ids(world, state="queued") == [b1, a1]
    assert await ids(world, tag="x") == [b1, a1]
    assert await ids(world, job="a", state="queued", tag="x") == [a1]
    assert await ids(world, job="b", state="delayed") == []
    await world.worker("w1", "a")
    await world.append(world.assignment(a1), started("1", spec=StartRun(job="b", payload=PAYLOAD)))
    (child,) = await ids(world, parent=a1)
    assert (await world.run(child)).parent == a1
    assert await ids(world, parent="run_nope") == []


@pytest.mark.parametrize("cursor", ["", "x", "-1", "1e3", "9" * 30, "\u0661"])
async def test_a_made_up_cursor_is_refused(world: World, cursor: str) -> None:
    """With a problem, whatever it is."""
    with pytest.raises(InvalidCursor):
        await world.engine.runs(RunFilter(cursor=cursor))


async def test_limits_out_of_range_are_brought_into_it(world: World) -> None:
    """At least one, at most two hundred."""
    for _ in range(3):
        await world.create()
    assert len(await ids(world, limit=0)) == 1
    assert len(await ids(world, limit=10_000)) == 3


async def test_lists_leave_out_big_values(world: World) -> None:
    """A run by itself shows them."""
    for size in (300_000, 5_000):
        await world.engine.create_run("a", b"\x00" * size)
    shown = (await world.engine.runs(RunFilter())).items
    assert [run.payload and len(run.payload) for run in shown] == [5_000, None]
    assert len((await world.run(shown[1].id)).payload or b"") == 300_000


async def test_waiting_for_the_end_answers_at_the_end(world: World) -> None:
    """With the final run; at once when it has ended already."""
    await world.worker()
    run = await world.start()
    waiting = asyncio.create_task(world.engine.wait_final(run.run, 30.0))
    await asyncio.sleep(0)
    await world.finish(run)
    answer = await waiting
    assert answer is not None
    assert (answer.state, answer.output) == ("completed", PAYLOAD)
    assert await world.engine.wait_final(run.run, 30.0) == answer


async def test_waiting_too_long_answers_as_it_stands(world: World) -> None:
    """After the time-out; an unknown run is none."""
    run_id = await world.create()
    answer = await world.engine.wait_final(run_id, 0.01)
    assert answer is not None
    assert answer.state == "queued"
    assert await world.engine.wait_final("run_nope", 0.01) is None
    assert world.engine._outbox._watchers == {}


async def test_the_jobs_are_those_of_the_newest_code(world: World) -> None:
    """A job that the newest version does not declare is not known; it survives a restart."""
    await world.declare("a", "old", code="code-1")
    await world.declare("a", "new", code="code-2")
    for _ in range(2):
        assert [(job.manifest.id, job.code) for job in await world.engine.jobs()] == [
            ("a", "code-2"),
            ("new", "code-2"),
        ]
        assert world.engine.job("old") is None
        assert world.engine.job("new") is not None
        await world.reopen()
    await world.declare("old", code="code-1")
    assert [job.manifest.id for job in await world.engine.jobs()] == ["old"]
