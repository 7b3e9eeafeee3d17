"""Giving runs to sessions: room, order, queues and lanes, code versions."""

from __future__ import annotations

from sqlalchemy import bindparam, update

from engine.model import RunFilter, RunRequest
from engine.store.interface import Statement
from engine.store.schema import runs
from tests.fakes.engine_world import PAYLOAD, World, manifest, started
from trigger_sdk.protocol.entries import RunOptions, StartRun
from trigger_sdk.protocol.values import error_to_json


async def test_a_session_gets_no_more_than_its_capacity(world: World) -> None:
    """The rest waits, and comes in order as room is made."""
    await world.worker(capacity=2)
    ids = [await world.create() for _ in range(4)]
    assert world.assigned_runs() == ids[:2]
    await world.finish(world.assignment(ids[1]))
    assert world.assigned_runs() == ids[:3]
    await world.finish(world.assignment(ids[0]))
    assert world.assigned_runs() == ids


async def test_queued_runs_wait_for_a_session(world: World) -> None:
    """What was created without a worker starts when one comes, in order of priority and age."""
    low = await world.create()
    high = await world.create(priority=1)
    later = await world.create()
    await world.worker()
    assert world.assigned_runs() == [high, low, later]


async def test_age_counts_over_all_jobs(world: World) -> None:
    """Runs of several jobs start in the order in which they were created."""
    await world.declare("a", "b", "c")
    ids = [await world.create(job) for job in ("b", "a", "c", "a", "b", "c")]
    await world.worker(capacity=4)
    assert world.assigned_runs() == ids[:4]
    for run_id in ids[:4]:
        await world.finish(world.assignment(run_id))
    assert world.assigned_runs() == ids


async def test_many_runs_of_several_jobs_keep_their_order(world: World) -> None:
    """Also when more are ready than one look takes."""
    await world.declare("a", "b")
    jobs = ["a" if n % 3 else "b" for n in range(400)]
    made = await world.engine.create_runs([RunRequest(job=job, payload=PAYLOAD) for job in jobs])
    await world.worker(capacity=1000)
    await world.settle()
    assert world.assigned_runs() == [created.run_id for created in made]


async def test_a_session_gets_only_jobs_it_declares(world: World) -> None:
    """A run of another job stays in the queue and holds up nobody."""
    await world.declare("a", "b")
    await world.worker("w1", "a")
    other = await world.create("b")
    mine = await world.create("a")
    assert world.assigned_runs() == [mine]
    await world.worker("w2", "b")
    assert world.holder(other) == "w2"


async def test_new_runs_go_to_the_newest_code(world: World) -> None:
    """The session of newer code takes what is new; the older keeps what it holds."""
    await world.worker("old")
    held = await world.create()
    await world.declare("a", code="code-2")
    await world.worker("new", code="code-2")
    fresh = await world.create()
    assert (world.holder(held), world.holder(fresh)) == ("old", "new")
    await world.engine.close_session("new", crashed=False)
    await world.settle()
    assert world.holder(fresh) == "old"


async def test_a_job_that_only_older_code_declares_stays_there(world: World) -> None:
    """A job that was removed still finishes its runs on the code that has it."""
    await world.declare("a", "gone")
    await world.worker("old", "a", "gone")
    await world.declare("a", code="code-2")
    await world.worker("new", "a", code="code-2")
    assert world.holder(await world.create("gone")) == "old"


async def test_a_draining_session_gets_nothing(world: World) -> None:
    """Not even when it is the only one."""
    await world.worker("old")
    await world.engine.drain_session("old")
    run_id = await world.create()
    assert world.assigned_runs() == []
    await world.worker("next")
    assert world.holder(run_id) == "next"


async def test_a_pinned_run_waits_for_its_code(world: World) -> None:
    """By option or by the caller."""
    await world.worker("w1", code="code-1")
    await world.declare("a", code="code-2")
    await world.worker("w2", code="code-2")
    assert world.holder(await world.create(version="code-1")) == "w1"
    created = await world.engine.create_run("a", PAYLOAD, code="code-3")
    await world.settle()
    assert await world.state(created.run_id) == "queued"
    await world.worker("w3", code="code-3")
    assert world.holder(created.run_id) == "w3"
    assert (await world.run(created.run_id)).version == "code-3"


async def test_runs_are_spread_over_sessions_of_one_code(world: World) -> None:
    """The session with most room gets the next."""
    await world.worker("w1", capacity=10)
    await world.worker("w2", capacity=10)
    holders = [world.holder(await world.create()) for _ in range(10)]
    assert holders.count("w1") == holders.count("w2") == 5


async def test_a_queues_limit_holds(world: World) -> None:
    """No more than the limit at once, whoever has room; the next in order starts when one ends."""
    await world.declare(manifest("a", concurrency=2))
    await world.worker()
    ids = [await world.create() for _ in range(5)]
    assert world.assigned_runs() == ids[:2]
    await world.finish(world.assignment(ids[0]))
    assert world.assigned_runs() == ids[:3]


async def test_each_concurrency_key_has_the_limit_of_its_own(world: World) -> None:
    """A full lane holds up no other."""
    await world.declare(manifest("a", concurrency=1))
    await world.worker()
    x1, x2, y1 = [await world.create(concurrency_key=key) for key in ("x", "x", "y")]
    assert world.assigned_runs() == [x1, y1]
    await world.finish(world.assignment(x1))
    assert world.assigned_runs() == [x1, y1, x2]


async def test_a_run_that_waits_frees_its_slot_and_takes_one_to_return(world: World) -> None:
    """Waiting holds nothing, not even a place in the queue's limit."""
    await world.declare(manifest("a", concurrency=1))
    await world.worker()
    first, second = await world.create(), await world.create()
    assert await world.suspend(world.assignment(first), wake_at=world.clock.now() + 10)
    assert world.assigned_runs() == [first, second]
    await world.advance(11)
    assert await world.state(first) == "queued"
    await world.finish(world.assignment(second))
    assert world.assigned_runs() == [first, second, first]


async def test_priority_counts_behind_a_limit(world: World) -> None:
    """A run of higher priority that comes later overtakes those that wait for a slot."""
    await world.declare(manifest("a", concurrency=1))
    await world.worker()
    first = await world.create()
    low = await world.create()
    high = await world.create(priority=9)
    await world.finish(world.assignment(first))
    await world.finish(world.assignment(high))
    assert world.assigned_runs() == [first, high, low]


async def test_slots_are_not_lost_when_a_queued_run_ends(world: World) -> None:
    """Cancelling the run that was next lets the one behind it start."""
    await world.declare(manifest("a", concurrency=1))
    await world.worker(capacity=1)
    first, second, third = [await world.create() for _ in range(3)]
    await world.engine.cancel(second)
    await world.finish(world.assignment(first))
    assert world.assigned_runs() == [first, third]


async def test_no_slot_leaks_when_workers_die_again_and_again(world: World) -> None:
    """How many runs go is counted, not kept: whatever happens, the queue goes on."""
    await world.declare(manifest("a", concurrency=2))
    ids = [await world.create() for _ in range(6)]
    for round_ in range(3):
        await world.worker(f"w{round_}")
        await world.engine.close_session(f"w{round_}")
    await world.worker("last")
    for _ in ids:
        running = [run_id for run_id in ids if await world.state(run_id) == "running"]
        assert len(running) <= 2
        if running:
            await world.finish(world.assignment(running[0]))
    assert [await world.state(run_id) for run_id in ids] == ["completed"] * 6


async def test_a_new_limit_holds_from_now_on(world: World) -> None:
    """Raising starts what waited; lowering lets what goes end."""
    await world.declare(manifest("a", concurrency=1))
    await world.worker()
    ids = [await world.create() for _ in range(4)]
    await world.declare(manifest("a", concurrency=3))
    await world.settle()
    assert world.assigned_runs() == ids[:3]
    await world.declare(manifest("a", concurrency=1))
    await world.finish(world.assignment(ids[0]))
    assert world.assigned_runs() == ids[:3]
    await world.declare(manifest("a"))
    await world.settle()
    assert world.assigned_runs() == ids


async def test_a_run_that_comes_back_goes_before_newer_ones(world: World) -> None:
    """What has begun is finished first."""
    await world.worker(capacity=1)
    first = await world.create()
    await world.suspend(world.assignment(first), wake_at=world.clock.now() + 10)
    second = await world.create()
    third = await world.create()
    await world.advance(11)
    await world.finish(world.assignment(second))
    assert world.assigned_runs() == [first, second, first]
    await world.finish(world.assignment(first))
    assert world.assigned_runs()[-1] == third


async def test_a_long_queue_behind_a_limit_is_looked_at_once(world: World) -> None:
    """Runs behind a full lane are parked: the next look does not meet them."""
    await world.declare(manifest("a", concurrency=1), "b")
    await world.worker()
    requests = [RunRequest(job="a", payload=PAYLOAD, options=RunOptions(queue="a")) for _ in range(300)]
    await world.engine.create_runs(requests)
    await world.settle()
    before = world.engine._store.writer.changes
    await world.create("b")
    assert world.engine._store.writer.changes - before <= 2


async def test_a_slot_is_not_lost_with_the_run_it_was_meant_for(world: World) -> None:
    """A run that was next and is cancelled before any worker took it leaves the slot to the one behind it."""
    await world.declare(manifest("a", concurrency=1))
    await world.worker("w1")
    first, second, third = [await world.create() for _ in range(3)]
    await world.engine.drain_session("w1")
    await world.finish(world.assignment(first))
    await world.engine.cancel(second)
    await world.worker("w2")
    assert world.holder(third) == "w2"


async def test_a_run_that_cannot_be_read_stands_in_nobodys_way(world: World) -> None:
    """It fails with the reason; who waited for it learns of it, and whoever was parked behind it goes."""
    await world.declare("a", manifest("b", concurrency=1))
    await world.worker("w1", "a")
    parent = await world.start("a")
    spec = StartRun(job="b", payload=PAYLOAD, options=RunOptions(tags=["x"]))
    await world.append(parent, started("1", spec=spec))
    assert await world.suspend(parent, seen=99)
    spoiled = world.listener.births[-1][0]
    behind = await world.create("b")
    damage = Statement(update(runs).where(runs.c.id == bindparam("run")), "options")
    await world.engine._pipeline.submit(lambda tx: tx.sql.run(damage, {"run": spoiled, "options": b"\xc1"}))
    await world.worker("w2", "a", "b")
    assert await world.state(spoiled) == "failed"
    assert error_to_json((await world.run(spoiled)).error or b"")["code"] == "run-unreadable"
    assert await world.state(behind) == "running"
    assert world.kinds(world.assignment(parent.run).journal) == ["1 wait_started", "1 wait_failed"]
    assert len((await world.engine.runs(RunFilter())).items) == 3
