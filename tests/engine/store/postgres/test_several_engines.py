"""What one engine commits, the others learn: runs to start, events, ends, limits, code, leases."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from engine.errors import DatabaseLocked, LeaseLost, SessionUnknown
from engine.model import RunRequest
from engine.store.postgres import PostgresStore
from tests.fakes.engine_world import PAYLOAD, completed, manifest, started
from tests.fakes.side import Side, until
from trigger_sdk.protocol.entries import EventWait, StartRun
from trigger_sdk.protocol.messages import HeldRun
from trigger_sdk.protocol.values import encode_json

Two = tuple[Side, Side]


def started_runs(two: Two) -> dict[str, tuple[Side, int]]:
    """Return where each run was started, with its token."""
    return {run.run: (side, run.token) for side in two for _, run in side.listener.assignments}


async def test_run_starts_where_there_is_a_worker(two: Two) -> None:
    """Created at one engine, started at the other; who waits for it at the first learns of its end."""
    here, there = two
    await there.engine.open_session("w2", "c", ["a"], 10)
    run_id = await here.create()
    waiting = asyncio.create_task(here.engine.wait_final(run_id, 20.0))
    run = await there.assigned(run_id)
    await there.engine.append(run.run, run.token, 1, [completed("1")])
    await there.engine.finish(run.run, run.token, "completed", PAYLOAD)
    ended = await waiting
    assert ended is not None
    assert ended.state == "completed"


async def test_event_reaches_a_run_at_another_engine(two: Two) -> None:
    """Its worker hears of it, before what it appends afterwards is answered; filters learned elsewhere count."""
    here, there = two
    await there.engine.open_session("w2", "c", ["a"], 10)
    await here.engine.send_event("go", encode_json({"k": 0}))  # this engine now remembers that no filter is known
    run = await there.assigned(await here.create())
    wait = started("1", spec=EventWait(name="go", filter={"k": [7]}))
    await there.engine.append(run.run, run.token, 1, [wait])
    sent = await here.engine.send_event("go", encode_json({"k": 7}))
    assert sent.matched == 1
    answer = await there.engine.append(run.run, run.token, 2, [completed("2")])
    await until(lambda: there.listener.arrivals != [])
    (_, run_id, token, entries) = there.listener.arrivals[0]
    assert (run_id, token, entries[0].step, entries[0].kind) == (run.run, run.token, "1", "wait_completed")
    assert entries[0].seq < answer.first
    assert here.listener.arrivals == []


async def test_child_that_ends_elsewhere_wakes_its_parent(two: Two) -> None:
    """Parent at one engine, child at the other."""
    here, there = two
    await here.engine.open_session("w1", "c", ["a"], 10)
    await there.engine.open_session("w2", "c", ["b"], 10)
    parent = await here.assigned(await here.create())
    await here.engine.append(parent.run, parent.token, 1, [started("1", spec=StartRun(job="b", payload=PAYLOAD))])
    await until(lambda: there.listener.assignments != [])
    child = there.listener.assignments[0][1]
    await there.engine.finish(child.run, child.token, "completed", PAYLOAD)
    await until(lambda: here.listener.arrivals != [])
    assert here.listener.arrivals[0][3][0].kind == "wait_completed"


async def test_limit_of_a_lane_holds_over_all_engines(two: Two) -> None:
    """Two engines with room for twenty start two runs of the lane, and as each ends, one more."""
    for side, worker in zip(two, ("w1", "w2"), strict=True):
        await side.engine.open_session(worker, "c", ["b"], 10)
    await asyncio.gather(
        *(side.engine.create_runs([RunRequest(job="b", payload=PAYLOAD) for _ in range(5)]) for side in two)
    )
    finished: set[str] = set()
    while len(finished) < 10:
        await until(lambda: len(started_runs(two)) > len(finished))
        assert len(started_runs(two)) - len(finished) <= 2
        run_id, (side, token) = next((key, value) for key, value in started_runs(two).items() if key not in finished)
        await side.engine.finish(run_id, token, "completed", PAYLOAD)
        finished.add(run_id)


async def test_new_code_is_known_everywhere(two: Two) -> None:
    """Jobs, limits and the sessions that take new runs."""
    here, there = two
    await here.engine.open_session("old", "c", ["a"], 10)
    await there.engine.save_manifest("c2", [manifest("a"), manifest("new")])
    await there.engine.open_session("new", "c2", ["a", "new"], 10)
    await until(lambda: here.engine.job("new") is not None)
    run = await there.assigned(await here.create())
    assert run.token == 1
    assert here.listener.assignments == []


async def test_worker_that_goes_to_another_engine_keeps_its_runs(two: Two) -> None:
    """Its lease stands, it writes there; the engine it left neither closes its session nor writes for it."""
    here, there = two
    await here.engine.open_session("w", "c", ["a"], 10)
    run = await here.assigned(await here.create())
    kept = await there.engine.open_session("w", "c", ["a"], 10, [HeldRun(run.run, run.token, 0)])
    assert kept == [run.run]
    await here.engine.close_session("w")
    with pytest.raises(SessionUnknown):
        await here.engine.beat("w")
    await there.engine.append(run.run, run.token, 1, [completed("1")])
    assert await there.state(run.run) == "running"


async def test_runs_of_a_silent_engine_go_to_another(
    two: Two, url: str, open_side: Callable[[Side], Awaitable[Side]]
) -> None:
    """It is buried after its lease, its worker's entries are refused afterwards, and its runs are not blamed."""
    here, there = two
    silent = await open_side(Side(url, "silent"))
    await silent.engine.open_session("w3", "c", ["a"], 10)
    run = await silent.assigned(await here.create())
    await there.engine.open_session("w2", "c", ["a"], 10)
    # It stays silent: nothing of it begins a transaction any more.
    silent.engine._peers._closed = True
    again = await there.assigned(run.run)
    assert again.token == run.token + 1
    with pytest.raises(LeaseLost):
        await silent.engine.append(run.run, run.token, 1, [completed("1")])
    shown = await there.engine.run(run.run)
    assert shown is not None
    assert shown.crashes == 0
    with pytest.raises(SessionUnknown):
        await silent.engine.beat("w3")


async def test_timers_ring_wherever_they_were_set(two: Two) -> None:
    """The engine that has no roles tells the one that has; when that goes, the roles go over."""
    chief, other = two if two[0].engine._board.chief else (two[1], two[0])
    await other.engine.open_session("w", "c", ["a"], 10)
    for closing in (False, True):
        if closing:
            await chief.close()
        run = await other.assigned(await other.create())
        due = other.clock.now() + 0.3
        await other.engine.append(run.run, run.token, 1, [started("1", due_at=due)])
        await until(lambda run=run: any(a[1] == run.run for a in other.listener.arrivals))  # type: ignore[misc]
        assert other.clock.now() >= due
        await other.engine.finish(run.run, run.token, "completed", PAYLOAD)


async def test_idempotency_key_is_one_run_over_all_engines(two: Two) -> None:
    """Asked for at both at the same time, many times."""
    keys = [f"k{number % 10}" for number in range(100)]
    ids = await asyncio.gather(*(two[number % 2].create(idempotency_key=key) for number, key in enumerate(keys)))
    assert len(set(ids)) == 10


async def test_name_is_held_by_one(two: Two, url: str) -> None:
    """A second executor of a name is refused, after the time an earlier one has to be gone."""
    with pytest.raises(DatabaseLocked):
        await asyncio.to_thread(PostgresStore(url, executor=two[0].name).open, "normal")
